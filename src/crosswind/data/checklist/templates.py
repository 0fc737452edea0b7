"""The templates of MultiCheckList: what a row says in each language, and which of its variants fits.

A column is a language; some languages have several, each with a column of placeholders beside it: the English words,
properties or sentences for which the variant holds. An empty placeholder holds for everything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from crosswind.errors import UserError
from crosswind.reading import lines

# The official names of the tests (generate_test_utils.py), and ours.
TESTS: Mapping[str, str] = {
    "A is COMP than B. Who is more / less COMP?": "comparisons",
    "Intensifiers (very, super, extremely) and reducers (somewhat, kinda, etc)?": "intensifiers",
    "size, shape, age, color": "properties",
    "Profession vs nationality": "profession",
    "Animal vs Vehicle": "animal",
    "Animal vs Vehicle v2": "animal-v2",
}
Known = Mapping[str, set[str]]
"""What a variant's list may name, by category: the English words of the file, without articles."""
_PLACEHOLDERS = "-placeholders"
_SENTENCES = ("Context", "Question", "Answer")
_ARTICLE = re.compile(r"^(an?|the)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Variant:
    """A translation, and the English things that it is for (empty: all)."""

    text: str
    holds_for: str = ""

    def fits(self, chosen: Mapping[str, str], known: Known) -> bool | None:
        """Whether it holds for what a case has chosen (category -> English); `None` where it says nothing.

        A list names things of one category or of several ("age, a chair, the chair"): what a case has chosen of each
        category that it names must be in it. Sentences are looked for as they stand.
        """
        if not self.holds_for.strip():
            return None
        if "{" in self.holds_for:
            return any(text in self.holds_for for text in (chosen.get("use", ""),) if text)
        named = {_bare(part) for part in self.holds_for.split(",")}
        verdict = False
        for category, members in known.items():
            if category in chosen and named & members:
                if not named & {_bare(part) for part in chosen[category].split(",")}:
                    return False
                verdict = True
        return verdict


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """A row of a test: its English text, and its variants by language."""

    english: str
    variants: Mapping[str, tuple[Variant, ...]]
    known: Known = field(default_factory=dict, repr=False)

    def text(self, language: str, chosen: Mapping[str, str]) -> str | None:
        """The variant that fits best: one that names what was chosen before one for everything; `None` without any."""
        general = None
        for variant in self.variants.get(language, ()):
            fits = variant.fits(chosen, self.known)
            if fits:
                return variant.text
            if fits is None and general is None:
                general = variant.text
        return general


@dataclass(frozen=True)
class TestTemplate:
    """A test: sentences, questions with their answers, and the words that fill them, in the order of the file."""

    __test__ = False  # no test of ours

    name: str
    rows: dict[str, list[TemplateRow]] = field(default_factory=dict)

    def of(self, kind: str) -> Sequence[TemplateRow]:
        """The rows of a kind: `Context`, `Question`, `Answer`, `adj`, …"""
        return self.rows.get(kind, [])


def read_templates(path: Path) -> dict[str, TestTemplate]:
    """The six tests by our names; a `UserError` for a file that does not have them."""
    stat = path.stat()
    return _templates(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _templates(path: Path, size: int, changed: int) -> dict[str, TestTemplate]:
    tests: dict[str, TestTemplate] = {}
    known: dict[str, set[str]] = {}
    header: list[str] = []
    current: TestTemplate | None = None
    for number, line in lines(path):
        cells = line.split("\t")
        if not header:
            header = [cell.strip() for cell in cells]
            if header[0] != "Field" or "en" not in header:
                what = "the first line names no columns of languages"
                raise UserError(what, where=f"{path}:{number}", hint="fetch checklist_templates.tsv again")
            continue
        kind = cells[0].strip()
        if kind == "Name":
            if cells[1] not in TESTS:
                hint = "there are six tests: fetch checklist_templates.tsv again"
                raise UserError(f"no test is called {cells[1]!r}", where=f"{path}:{number}", hint=hint)
            current = tests.setdefault(TESTS[cells[1]], TestTemplate(TESTS[cells[1]]))
        elif kind and kind != "Capability" and current is not None:
            cells += [""] * (len(header) - len(cells))
            if kind not in _SENTENCES:
                known.setdefault(kind, set()).update(_bare(part) for part in cells[1].split(","))
            current.rows.setdefault(kind, []).append(_row(header, cells, known))
    if missing := [name for name in TESTS.values() if name not in tests]:
        raise UserError(f"the test {missing[0]!r} is missing", where=str(path), hint="fetch the file again")
    return tests


def _row(header: Sequence[str], cells: Sequence[str], known: Known) -> TemplateRow:
    variants: dict[str, list[Variant]] = {}
    for i, name in enumerate(header[1:], 1):
        if name.endswith(_PLACEHOLDERS) or not cells[i].strip():
            continue
        has_list = i + 1 < len(header) and header[i + 1] == name + _PLACEHOLDERS
        variants.setdefault(name, []).append(Variant(cells[i].strip(), cells[i + 1].strip() if has_list else ""))
    return TemplateRow(cells[1].strip(), {name: tuple(some) for name, some in variants.items()}, known)


def template_languages(path: Path) -> tuple[str, ...]:
    """The languages of the file's columns, sorted."""
    first = next(iter(lines(path)), (0, ""))[1].split("\t")
    return tuple(sorted({name.strip() for name in first[1:] if not name.strip().endswith(_PLACEHOLDERS)}))


def forms(text: str) -> tuple[str, ...]:
    """The forms of a word (`older, old`, `a sofa, the sofa`), two at least, by whatever comma the language writes.

    A word without a comma is divided at its first space (Thai), and one of one form is both.
    """
    parts = [part for part in re.split(r"\s*[,،，၊、]+\s*", text.strip()) if part]
    if len(parts) < 2:
        parts = text.split(maxsplit=1)
    return tuple(parts) if len(parts) > 1 else (*parts, *parts) if parts else ("", "")


def _bare(text: str) -> str:
    return _ARTICLE.sub("", text.strip()).lower()
