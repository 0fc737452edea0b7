"""Inflection tables out of UniMorph files and out of Universal Dependencies treebanks.

A row is (lemma, form, features). UniMorph's features are its own (`V;3;SG;PRS`, Kirov et al. 2018); those of a
treebank are `UPOS;Feature=Value;…` in the order of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crosswind.errors import UserError
from crosswind.reading import lines

Inflection = tuple[str, str, str]
"""(lemma, form, features)."""

_INFLECTED = frozenset({"NOUN", "VERB", "ADJ", "AUX", "PROPN", "PRON", "DET", "NUM"})
_COLUMNS = 10  # of CoNLL-U


def read_unimorph(path: Path) -> Iterator[Inflection]:
    """The rows of a UniMorph file; a `UserError` with file:line for one that is none."""
    for number, text in lines(path):
        if not text.strip():
            continue
        cells = text.split("\t")
        if len(cells) < 3 or not all(cell.strip() for cell in cells[:3]):
            what = f"{len(cells)} columns, expected lemma, form and features between tabs"
            raise UserError(what, where=f"{path}:{number}", hint="UniMorph's format is lemma<TAB>form<TAB>features")
        yield cells[0], cells[1], cells[2]


def read_treebank(path: Path) -> Iterator[Inflection]:
    """The inflected words of a CoNLL-U treebank; a `UserError` with file:line for a line that is none."""
    for number, text in lines(path):
        if not text.strip() or text.startswith("#"):
            continue
        cells = text.split("\t")
        if len(cells) != _COLUMNS:
            hint = "CoNLL-U has ten columns between tabs"
            raise UserError(f"{len(cells)} columns, expected {_COLUMNS}", where=f"{path}:{number}", hint=hint)
        index, form, lemma, tag, _, features = cells[:6]
        if index.isdigit() and tag in _INFLECTED and features != "_" and "_" not in (form, lemma):
            if "Typo=Yes" in features or "Abbr=Yes" in features or "Foreign=Yes" in features:
                continue
            yield lemma, form.lower() if tag != "PROPN" else form, f"{tag};{features.replace('|', ';')}"


def inflection_table(paths: list[Path]) -> list[Inflection]:
    """The rows of all files (`.conllu` is a treebank, anything else UniMorph), sorted, each once.

    Lemmas of which only one form is known are left out: there is nothing to inflect them to.
    """
    rows: dict[Inflection, None] = {}
    forms: dict[str, set[str]] = {}
    for path in paths:
        reader = read_treebank if ".conllu" in path.name else read_unimorph
        for row in reader(path):
            rows[row] = None
            forms.setdefault(row[0], set()).add(row[1])
    return sorted(row for row in rows if len(forms[row[0]]) > 1)
