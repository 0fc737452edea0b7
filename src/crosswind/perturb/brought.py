"""Files that users bring, by language: inflection tables, wordnets, error lexicons, in their official formats.

A folder holds the files of several languages. A language is named in them by its own subtag, by ISO 639-3
or by the individual language that a project chose (`arb` for Arabic, `swc` for Swahili).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from crosswind.data.languages import registered
from crosswind.errors import UserError
from crosswind.perturb.perturbation import Param, Setting
from crosswind.perturb.words import base_language
from crosswind.reading import expanded

# Individual languages of macrolanguages, as OMW and UniMorph have them (ISO 639-3).
_MEMBERS = {
    "ar": ("arb",), "zh": ("cmn",), "ms": ("zsm",), "sw": ("swc", "swh"), "fa": ("pes",), "et": ("ekk",),
    "az": ("azj", "aze"), "qu": ("quz",), "lv": ("lvs",),
}  # fmt: skip

FILE_LANGUAGE = Param("language", "text", "the language of a file, where its name does not say it", location=True)
"""The parameter beside a file that a user names."""

Stamped = tuple[tuple[Path, int], ...]
"""Files with when they were last changed (ns)."""


def names_of(language: str) -> tuple[str, ...]:
    """What files call a language: `sw`, `swa`, `swc`, `swh`."""
    base = base_language(language)
    names = [base, language.partition("-")[0]]
    with contextlib.suppress(LookupError):
        names.append(registered(base).to_alpha3())
    return tuple(dict.fromkeys((*names, *_MEMBERS.get(base, ()))))


def brought_files(given: str, language: str, patterns: Sequence[str], what: str, of: str | None = None) -> list[Path]:
    """The files of a language below a folder, by the first of the patterns that any file fits (`{}`: its names).

    `given` may be a file: it is of the language `of`, or of the one asked for if its name fits a pattern. Raises a
    `UserError` for a file whose language is not known, and for a path that does not exist; `what` says in it what the
    user meant to name. Nothing is read.
    """
    path = expanded(given, what)
    if path.is_file():
        if of is not None:
            return [path] if base_language(of) == base_language(language) else []
        names = {pattern.rpartition("/")[2].format(name) for pattern in patterns for name in names_of(language)}
        if any(fnmatchcase(path.name, name) for name in names):
            return [path]
        raise UserError(
            f"whether {path.name} is of {language}, its name does not say",
            where=what,
            hint="name the folder, whose files are read by their names; of one file a perturbation is told language=en",
        )
    if not path.is_dir():
        raise UserError(f"no {what} at {str(path)!r}", where=what, hint="name a file, or the folder that holds them")
    for pattern in patterns:
        matches = sorted({p for name in names_of(language) for p in path.glob(pattern.format(name)) if p.is_file()})
        if matches:
            return matches
    return []


def named_files(
    setting: Setting, param: str, patterns: Sequence[str], what: str, lacking: UserError
) -> tuple[Path, ...]:
    """The files of a setting's language that one of its parameters names (`brought_files`), of the language that
    `FILE_LANGUAGE` says where it is a file; raises `lacking` where nothing is named."""
    given, language = setting.params.get(param), setting.params.get(FILE_LANGUAGE.name)
    if not given:
        raise lacking
    of = str(language) if language else None
    return tuple(brought_files(str(given), setting.language, patterns, what, of))


def stamped(paths: Sequence[Path]) -> Stamped:
    """Files with when they were last changed, by which what was read of them is remembered."""
    return tuple((p, p.stat().st_mtime_ns if p.exists() else 0) for p in paths)


def brought_fingerprints(role: str, paths: Sequence[Path]) -> dict[str, str]:
    """The SHA-256 of each file, under its name; of files of one name in several folders each with its number."""
    prints: dict[str, str] = {}
    for number, path in enumerate(paths):
        name = f"{role}/{path.name}"
        prints[f"{name}#{number}" if name in prints else name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return prints
