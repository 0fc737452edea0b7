"""Error lexicons: right word, wrong word, weight; out of edit pairs and of published lists of misspellings.

Formats: `pairs` (a line is a wrong text, a tab, the right text: words or sentences of an edit history), `codespell`
(`wrong->right, right`), `spellings` (a line is the right word and its misspellings, as the lists of Mitton and nlpaug).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, assert_never, get_args

from rapidfuzz.distance import OSA, Levenshtein

from crosswind.errors import UserError, unknown
from crosswind.prepare.lexicon import word_list
from crosswind.reading import lines

ErrorFormat = Literal["pairs", "codespell", "spellings"]
ERROR_FORMATS: tuple[ErrorFormat, ...] = get_args(ErrorFormat)
_FARTHEST = 0.6  # edits for each letter of the longer word: beyond it, another word was meant


def error_lexicon(paths: Sequence[Path], language: str, form: str) -> list[tuple[str, str, int]]:
    """(right, wrong, how often) by the right word, the commonest error first; `UserError` with file:line otherwise."""
    counts: Counter[tuple[str, str]] = Counter()
    for path in paths:
        counts.update(_errors(path, language, _checked(form)))
    return sorted(((a, b, n) for (a, b), n in counts.items()), key=lambda row: (row[0], -row[2], row[1]))


def word_errors(wrong: str, right: str, language: str) -> Iterator[tuple[str, str]]:
    """(right word, wrong word) where one word stands for one other; another word that was meant is no misspelling."""
    before, after = word_list(right, language), word_list(wrong, language)
    for code in Levenshtein.opcodes(before, after):
        if code.tag != "replace" or code.src_end - code.src_start != code.dest_end - code.dest_start:
            continue
        pairs = zip(before[code.src_start : code.src_end], after[code.dest_start : code.dest_end], strict=True)
        for a, b in pairs:
            if OSA.distance(a, b) <= _FARTHEST * max(len(a), len(b)):
                yield a, b


def _checked(form: str) -> ErrorFormat:
    for known in ERROR_FORMATS:
        if form == known:
            return known
    raise unknown("format of errors", form, ERROR_FORMATS, where="--format")


def _errors(path: Path, language: str, form: ErrorFormat) -> Iterator[tuple[str, str]]:
    for number, text in lines(path):
        if not text.strip():
            continue
        where = f"{path}:{number}"
        match form:
            case "pairs":
                wrong, tab, right = text.partition("\t")
                if not tab or not wrong.strip() or not right.strip():
                    raise UserError("no wrong text, tab, right text", where=where, hint="or name another --format")
                yield from word_errors(wrong, right, language)
            case "codespell":
                wrong, arrow, rights = text.partition("->")
                if not arrow or not wrong.strip() or not rights.strip(" ,"):
                    raise UserError("no wrong->right", where=where, hint="or name another --format")
                # Behind the last comma codespell writes why a word is not corrected without asking.
                parts = rights.split(",")
                words = parts if len(parts) == 1 else parts[:-1]
                yield from ((right.strip(), wrong.strip()) for right in words if right.strip())
            case "spellings":
                words = text.split()
                if len(words) < 2:
                    raise UserError("a word without a misspelling", where=where, hint="or name another --format")
                yield from ((words[0], wrong) for wrong in words[1:])
            case _:
                assert_never(form)
