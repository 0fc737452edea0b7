"""The tokens of an answer in any language, for metrics that count them: what divides a text, script by script.

Scripts that write spaces between words are divided at white space. Chinese is divided into characters, as MLQA's and
CMRC's scripts do it, and so are scripts without spaces of which ICU has no dictionary (Tibetan, Javanese, …). Japanese,
Thai, Lao, Khmer and Burmese are divided into ICU's words: their characters alone say little, and the version is signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import regex

from crosswind.data.languages import script_of
from crosswind.perturb.words import segmentation, words

WHITE_SPACE, CHARACTERS = "white space", "characters"

# ISO 15924 -> Unicode's script
_BY_CHARACTER = {
    "Hans": "Han", "Hant": "Han", "Hani": "Han", "Tibt": "Tibetan", "Java": "Javanese", "Bali": "Balinese",
    "Lana": "Tai_Tham", "Talu": "New_Tai_Lue",
}  # fmt: skip


def segmentation_name(language: str) -> str:
    """How answers are divided, as signatures say it: `white space`, `characters`, `words (icu 78.1)`."""
    if script_of(language) in _BY_CHARACTER:
        return CHARACTERS
    segmenters = segmentation(language, endings=False)
    return f"words ({', '.join(f'{k} {v}' for k, v in segmenters.items())})" if segmenters else WHITE_SPACE


def answer_segments(text: str, language: str) -> Iterator[str]:
    """The tokens of an answer: its characters or words where spaces do not divide it, the rest by white space."""
    name = _BY_CHARACTER.get(script_of(language))
    if name is not None:
        for part in _character(name).split(text):
            yield from part.split()
    elif segmentation(language):
        yield from _words(text, language)
    else:
        yield from text.split()


@lru_cache(maxsize=16)
def _character(script: str) -> regex.Pattern[str]:
    """Splits a text at each grapheme cluster that begins in a script, and keeps them."""
    return regex.compile(rf"((?=\p{{Script={script}}})\X)")


def _words(text: str, language: str) -> Iterator[str]:
    """The segmenter's words, and what stands between them (signs, marks) by white space."""
    at = 0
    for word in words(text, language):
        yield from text[at : word.start].split()
        yield text[word.start : word.end]
        at = word.end
    yield from text[at:].split()
