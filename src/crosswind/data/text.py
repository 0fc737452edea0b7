"""Raw and parallel text by line, for masked- and translation-LM training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.data.ids import ContentIds
from crosswind.errors import UserError
from crosswind.reading import lines


def read_text(path: Path, corpus: str, language: str) -> tuple[TextLine, ...]:
    """The lines that are not blank; an id is `corpus/hash-occurrence`, the hash of the text in 16 hex digits."""
    ids = ContentIds()
    return tuple(TextLine(f"{corpus}/{ids(text)}", language, text) for _, text in lines(path) if text.strip())


def read_parallel(
    paths: Sequence[Path], languages: Sequence[str], corpus: str, *, numbered: bool = False
) -> tuple[ParallelLine, ...]:
    """The lines of aligned files, one file a language; rows that are blank in every language are left out.

    An id is `corpus/hash-occurrence` over the row's texts, or `corpus/row` (from 0) where the corpus
    is `numbered`: its rows have a fixed order in every language. Raises `UserError` with file:line
    where a file is shorter than another or only some of a row's texts are blank.
    """
    if len(paths) != len(languages):
        raise UserError(
            f"{len(paths)} files for {' and '.join(languages)}",
            where=", ".join(map(str, paths)),
            hint="name one file for each language, in this order, aligned line by line",
        )
    columns = [[text for _, text in lines(path)] for path in paths]
    shortest = min(range(len(columns)), key=lambda i: len(columns[i]))
    longest = max(range(len(columns)), key=lambda i: len(columns[i]))
    if len(columns[shortest]) != len(columns[longest]):
        raise UserError(
            f"ends after {len(columns[shortest])} lines, {paths[longest].name} has {len(columns[longest])}",
            where=f"{paths[shortest]}:{len(columns[shortest])}",
            hint="parallel files have one sentence a line, equally many",
        )
    ids = ContentIds()
    rows = []
    for row, texts in enumerate(zip(*columns, strict=True)):
        blank = [not text.strip() for text in texts]
        if all(blank):
            continue
        if any(blank):
            raise UserError(
                f"a blank line, but {paths[blank.index(False)].name} has text there",
                where=f"{paths[blank.index(True)]}:{row + 1}",
                hint="parallel files are aligned line by line",
            )
        name = str(row) if numbered else ids("\t".join(texts))
        rows.append(ParallelLine(f"{corpus}/{name}", tuple(zip(languages, texts, strict=True))))
    return tuple(rows)


def monolingual(rows: Iterable[ParallelLine]) -> tuple[TextLine, ...]:
    """Every text of parallel lines as a raw line with the id of its row, language by language."""
    held = list(rows)
    languages = list(dict.fromkeys(language for row in held for language, _ in row.texts))
    return tuple(TextLine(row.id, code, dict(row.texts)[code]) for code in languages for row in held)
