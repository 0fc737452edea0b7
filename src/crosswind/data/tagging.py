"""Tagged sentences: XTREME's `token TAB tag` files and CoNLL-U."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from crosswind.data.records import TableRecord
from crosswind.errors import UserError, shown, unknown
from crosswind.reading import checked_columns, lines

Sentence = tuple[str, tuple[str, ...], tuple[str, ...] | None]
"""(native id, words, tags); the tags are None where the sentence has none: it is unlabelled"""


def read_tagged(path: Path, tags: Iterable[str]) -> Iterator[Sentence]:
    """Sentences of `token TAB tag` lines, an empty line after each; the id is the row number.

    A sentence of tokens alone is unlabelled, as XTREME strips its test files.
    """
    known = frozenset(tags)
    words: list[str] = []
    marks: list[str | None] = []
    row = 0
    for number, text in lines(path):
        if text:
            cells = text.split("\t")
            tagged = bool(marks) and marks[0] is not None
            if not tagged and (len(cells) == 1 or cells[1:] == [""]):
                cells = [cells[0], ""]
            word, tag = checked_columns(cells, 2, f"{path}:{number}")
            words.append(_checked_word(word, path, number))
            marks.append(_checked_tag(tag, known, path, number) if tag else None)
            _check_mixture(marks, path, number)
        elif words:
            yield str(row), tuple(words), _labelled(marks)
            row += 1
            words, marks = [], []
    if words:
        yield str(row), tuple(words), _labelled(marks)


def read_conllu(path: Path, tags: Iterable[str]) -> Iterator[Sentence]:
    """Sentences of a CoNLL-U file: FORM and UPOS; the id is `sent_id`, or the row number without one.

    Its words are UD's syntactic words: multiword ranges (`3-4`) and empty nodes (`5.1`) are passed over.
    XTREME's own files differ there: they have a range's surface form with the tag of one of its words. A sentence
    whose tags are all `_` is unlabelled. A row number that is another sentence's `sent_id` becomes `row-NUMBER`.
    Raises `UserError` with file:line for a `sent_id` that is given twice.
    """
    sentences = list(_conllu(path, frozenset(tags)))
    given: dict[str, int] = {}
    for name, number, _, _ in sentences:
        if name and name in given:
            what = f"the sent_id {shown(name)} is given twice, first in line {given[name]}"
            raise UserError(what, where=f"{path}:{number}", hint="every sentence has an id of its own")
        if name:
            given[name] = number
    for row, (name, _, words, marks) in enumerate(sentences):
        numbered = f"row-{row}" if str(row) in given else str(row)
        yield name or numbered, words, marks


def _conllu(path: Path, known: frozenset[str]) -> Iterator[tuple[str, int, tuple[str, ...], tuple[str, ...] | None]]:
    """`sent_id` (or nothing), the line of it or of the first word, words, tags."""
    words: list[str] = []
    marks: list[str | None] = []
    name, line = "", 0
    for number, text in lines(path):
        if text.startswith("#"):
            key, _, value = text[1:].partition("=")
            if key.strip() == "sent_id":
                name, line = value.strip(), number
        elif text:
            cells = checked_columns(text.split("\t"), 10, f"{path}:{number}")
            if cells[0].isdigit():
                line = line or number
                words.append(_checked_word(cells[1], path, number))
                marks.append(None if cells[3] == "_" else _checked_tag(cells[3], known, path, number))
                _check_mixture(marks, path, number)
        elif words:
            yield name, line, tuple(words), _labelled(marks)
            name, line, words, marks = "", 0, [], []
    if words:
        yield name, line, tuple(words), _labelled(marks)


def tagged_words(record: TableRecord, key: str, tags: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The words (`tokens`) and the tags (`key`) of a hub row; a `UserError` for an unknown tag."""
    known = frozenset(tags)
    marks = record.strings(key)
    for tag in marks:
        if tag not in known:
            raise unknown("tag", tag, known, where=record.where)
    return record.strings("tokens"), marks


def _check_mixture(marks: list[str | None], path: Path, number: int) -> None:
    if (marks[-1] is None) != (marks[0] is None):
        what = "a token without a tag in a tagged sentence" if marks[-1] is None else "a tag in a sentence without tags"
        raise UserError(what, where=f"{path}:{number}", hint="a sentence has a tag for every token, or for none")


def _labelled(marks: list[str | None]) -> tuple[str, ...] | None:
    tags = tuple(mark for mark in marks if mark is not None)
    return tags if len(tags) == len(marks) else None


def _checked_word(word: str, path: Path, number: int) -> str:
    if not word.strip():
        raise UserError("an empty token", where=f"{path}:{number}", hint="a line is token TAB tag")
    return word


def _checked_tag(tag: str, known: frozenset[str], path: Path, number: int) -> str:
    if tag not in known:
        raise unknown("tag", tag, known, where=f"{path}:{number}")
    return tag
