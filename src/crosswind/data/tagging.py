"""Tagged sentences: XTREME's `token TAB tag` files and CoNLL-U."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from crosswind.data.records import TableRecord
from crosswind.errors import UserError, unknown
from crosswind.reading import checked_columns, lines

Sentence = tuple[str, tuple[str, ...], tuple[str, ...]]
"""(native id, words, tags)"""


def read_tagged(path: Path, tags: Iterable[str]) -> Iterator[Sentence]:
    """Sentences of `token TAB tag` lines, an empty line after each; the id is the row number."""
    known = frozenset(tags)
    words: list[str] = []
    marks: list[str] = []
    row = 0
    for number, text in lines(path):
        if text:
            word, tag = checked_columns(text.split("\t"), 2, f"{path}:{number}")
            words.append(_checked_word(word, path, number))
            marks.append(_checked_tag(tag, known, path, number))
        elif words:
            yield str(row), tuple(words), tuple(marks)
            row += 1
            words, marks = [], []
    if words:
        yield str(row), tuple(words), tuple(marks)


def read_conllu(path: Path, tags: Iterable[str]) -> Iterator[Sentence]:
    """Sentences of a CoNLL-U file: FORM and UPOS; the id is `sent_id`, or the row number without one.

    Its words are UD's syntactic words: multiword ranges (`3-4`) and empty nodes (`5.1`) are passed over.
    XTREME's own files differ there: they have a range's surface form with the tag of one of its words.
    """
    known = frozenset(tags)
    words: list[str] = []
    marks: list[str] = []
    row, name = 0, ""
    for number, text in lines(path):
        if text.startswith("#"):
            key, _, value = text[1:].partition("=")
            name = value.strip() if key.strip() == "sent_id" else name
        elif text:
            cells = checked_columns(text.split("\t"), 10, f"{path}:{number}")
            if cells[0].isdigit():
                words.append(_checked_word(cells[1], path, number))
                marks.append(_checked_tag(cells[3], known, path, number))
        elif words:
            yield name or str(row), tuple(words), tuple(marks)
            row, name = row + 1, ""
            words, marks = [], []
    if words:
        yield name or str(row), tuple(words), tuple(marks)


def tagged_words(record: TableRecord, key: str, tags: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words (`tokens`) and the tags (`key`) of a hub row; a `UserError` for an unknown tag."""
    known = frozenset(tags)
    marks = record.strings(key)
    for tag in marks:
        if tag not in known:
            raise unknown("tag", tag, known, where=record.where)
    return record.strings("tokens"), marks


def _checked_word(word: str, path: Path, number: int) -> str:
    if not word.strip():
        raise UserError("an empty token", where=f"{path}:{number}", hint="a line is token TAB tag")
    return word


def _checked_tag(tag: str, known: frozenset[str], path: Path, number: int) -> str:
    if tag not in known:
        raise unknown("tag", tag, known, where=f"{path}:{number}")
    return tag
