"""Words that negate stay: without one the label of an inference or a question need not hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import regex

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings, clear_of
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given
from crosswind.perturb.spec import TextScope
from crosswind.perturb.words import base_language, is_unspaced, words
from crosswind.reading import lines

_FILE = Path(__file__).with_name("negation.tsv")
_LETTER = r"[\p{L}\p{M}\p{N}]"


@lru_cache(maxsize=1)
def negation_words() -> Mapping[str, tuple[str, ...]]:
    """Language -> the words that negate in it, in lower case; `-x` is the end of a word."""
    table = {}
    for number, line in lines(_FILE):
        if line.startswith("#"):
            continue
        language, tab, listed_words = line.partition("\t")
        if not tab or not listed_words.split():
            raise UserError("no language and its words", where=f"{_FILE}:{number}", hint="install Crosswind again")
        table[language] = tuple(listed_words.split())
    return table


def negations(text: str, language: str) -> list[tuple[int, int]]:
    """Where the negating words of a text lie; a `UserError` for a language whose words are not listed."""
    code = _code(language)
    if code is None:
        raise UserError(_missing(language), hint=f"languages: {', '.join(negation_words())}")
    if is_unspaced(language):
        known = set(negation_words()[code])
        return [(s.start, s.end) for s in words(text, language) if text[s.start : s.end] in known]
    return [m.span() for m in _pattern(code).finditer(text)]


@lru_cache(maxsize=64)
def _pattern(code: str) -> regex.Pattern[str]:
    parts = []
    for word in sorted(negation_words()[code], key=len, reverse=True):
        before = "" if word.startswith("-") else rf"(?<!{_LETTER})"
        after = rf"(?!{_LETTER})" if word[-1].isalnum() or regex.match(r"\p{M}", word[-1]) else ""
        parts.append(before + regex.escape(word.removeprefix("-")) + after)
    return regex.compile("|".join(parts), regex.IGNORECASE)


def _code(language: str) -> str | None:
    base = base_language(language)
    code = "tl" if base == "fil" else base
    return code if code in negation_words() else None


def _missing(language: str) -> str:
    return f"the negating words of {language} are not listed"


def _mask(passage: Passage, sites: Sites) -> Sequence[bool]:
    text = passage.text
    spans = negations(text, passage.language)
    clear = clear_of(sites, spans)
    # Without the space at it a word is a part of its neighbour.
    gaps = {at for low, high in spans for at in (low - 1, high) if text[max(0, at) : at + 1].isspace()}
    regions = zip(clear, sites.starts, sites.ends, strict=True)
    return [free and gaps.isdisjoint(range(start, end)) for free, start, end in regions]


def _applies(scope: TextScope) -> str | None:
    return _missing(scope.language) if _code(scope.language) is None else None


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    return Constraint(name, mask=_mask)


NEGATION = ConstraintKind(
    name="negation",
    summary="words that negate stay as they are, by a list for each language",
    source="words of Universal Dependencies with Polarity=Neg and PronType=Neg, and of grammars (negation.tsv)",
    make=_make,
    applies=_applies,
    version="2",
)
