"""`exclude: FILE` of a target: items that do not count, such as those whose translation is known to be wrong.

The file has an id a line, with a language behind a tab where it is excluded in that one alone; `#` begins a comment.
Everything is predicted; the scores without these items are signed with the list, and stand beside those of all items.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crosswind.errors import UserError
from crosswind.reading import expanded, lines
from crosswind.run.step import digest


@dataclass(frozen=True)
class Exclusion:
    """The ids of an exclusion list by language (empty: in every one), and what names the list wherever it lies."""

    ids: Mapping[str, tuple[str, ...]]
    key: str

    def in_language(self, language: str) -> list[str]:
        """The ids that are excluded in a language."""
        return sorted({*self.ids.get("", ()), *self.ids.get(language, ())})


def read_exclusion(path: Path, languages: tuple[str, ...], where: str) -> Exclusion:
    """The list in a file; a `UserError` for an empty one, an id that stands twice and a language the task lacks."""
    ids: dict[str, dict[str, int]] = {}
    file = expanded(path, where)
    for number, line in lines(file):
        text = line.partition("#")[0].rstrip() if not line.startswith("#") else ""
        if not text.strip():
            continue
        name, _, language = text.partition("\t")
        name, language = name.strip(), language.strip()
        at = f"{file}:{number}"
        if language and language not in languages:
            raise UserError(f"the task has no {language!r}", where=at, hint="write ID, or ID, a tab, LANGUAGE")
        if name in ids.setdefault(language, {}):
            raise UserError(f"{name!r} stands twice, first in line {ids[language][name]}", where=at)
        ids[language][name] = number
    if not ids:
        raise UserError("no id in this exclusion list", where=str(file), hint="write an id a line")
    sorted_ids = {language: tuple(sorted(names)) for language, names in sorted(ids.items())}
    return Exclusion(sorted_ids, digest({language: list(names) for language, names in sorted_ids.items()}))
