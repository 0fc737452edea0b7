"""Tagged sentences in CoNLL's columns, divided by tabs or blanks: the word first, its tag last."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from crosswind.data.tagging import Sentence
from crosswind.errors import UserError, unknown
from crosswind.reading import lines


def read_conll(
    path: Path, tags: Iterable[str], separator: str | None = None, *, word: int = 0, tag: int = -1
) -> Iterator[Sentence]:
    """Sentences with an empty line after each; the id is the row number.

    `separator` divides the columns (None: tabs where a line has one, else blanks; spaces of other scripts belong to
    words), `word` and `tag` are their numbers from 0, or from -1 at the end. `-DOCSTART-` and comments (`# …` before a
    sentence, not tagged) are passed over. A file whose first line is a word alone is unlabelled. Raises `UserError`
    with file:line for an unknown tag, a line of too few columns and an empty word.
    """
    known = frozenset(tags)
    words: list[str] = []
    marks: list[str] = []
    row = 0
    labelled: bool | None = None
    for number, text in lines(path):
        if text.strip():
            where = f"{path}:{number}"
            cells = _cells(text, separator)
            if not words and (cells[0] == "-DOCSTART-" or (text.startswith("# ") and cells[-1] not in known)):
                continue
            labelled = len(cells) > 1 if labelled is None else labelled
            words.append(_cell(cells, word, where, 1 + labelled))
            if labelled:
                marks.append(_known(_cell(cells, tag, where, 2), known, where))
        elif words:
            yield str(row), tuple(words), tuple(marks) if labelled else None
            row += 1
            words, marks = [], []
    if words:
        yield str(row), tuple(words), tuple(marks) if labelled else None


def _cells(text: str, separator: str | None) -> list[str]:
    if separator is None:
        separator = "\t" if "\t" in text else " "
    return _BLANKS.split(text.strip(" \t")) if separator == " " else text.split(separator)


_BLANKS = re.compile(r"[ \t]+")


def _cell(cells: list[str], index: int, where: str, least: int) -> str:
    if len(cells) < least or not -len(cells) <= index < len(cells):
        what = f"{len(cells)} column{'s' if len(cells) != 1 else ''}, expected a word and its tag"
        raise UserError(what, where=where, hint="say what divides the columns: separator: ' ' or \"\\t\"")
    if not cells[index].strip():
        raise UserError("an empty cell", where=where, hint="a line is a word and its tag")
    return cells[index]


def _known(tag: str, known: frozenset[str], where: str) -> str:
    if tag not in known:
        error = unknown("tag", tag, known, where=where)
        hint = f"{error.hint}; a tag of another set is mapped: map: {{{tag}: O}}"
        raise UserError(error.what, where=where, hint=hint)
    return tag
