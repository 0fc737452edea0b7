"""Texts in sentences, for seq2seq models translate sentences: cut, and put together again with what stood between."""

from __future__ import annotations

from dataclasses import dataclass

from crosswind.data.examples import Span
from crosswind.errors import UserError


def sentence_spans(text: str, language: str) -> list[Span]:
    """The sentences of a text by ICU (UAX #29), without the white space around them; none of a blank text.

    Raises `UserError` where ICU is not installed.
    """
    try:
        from icu4py.breakers import SentenceBreaker
    except ImportError:
        hint = "pip install 'icu4py>=1.2,<2'"
        raise UserError("the sentences of a text need ICU, and icu4py is not installed", hint=hint) from None
    spans: list[Span] = []
    at = 0
    for piece in SentenceBreaker(text, language):
        core = piece.strip()
        if core:
            start = at + piece.index(core)
            spans.append(Span(start, start + len(core)))
        at += len(piece)
    return spans


@dataclass(frozen=True)
class TranslatedText:
    """A text and its translation, sentence by sentence: `pairs` are their spans in `source` and in `target`."""

    source: str
    target: str
    pairs: tuple[tuple[Span, Span], ...]

    @property
    def sentence_pairs(self) -> tuple[tuple[str, str], ...]:
        """The sentences and their translations."""
        return tuple((self.source[a.start : a.end], self.target[b.start : b.end]) for a, b in self.pairs)


def put_together(text: str, spans: list[Span], translations: list[str]) -> TranslatedText:
    """The translation of a text from those of its sentences, with the white space of the text between them.

    Where two sentences stand without a space between them (Chinese) they get one: most languages write it.
    """
    target = ""
    pairs: list[tuple[Span, Span]] = []
    at = 0
    for span, translation in zip(spans, translations, strict=True):
        between = text[at : span.start]
        if pairs and not between:
            between = " "
        target += between + translation
        pairs.append((span, Span(len(target) - len(translation), len(target))))
        at = span.end
    return TranslatedText(text, target + text[at:], tuple(pairs))
