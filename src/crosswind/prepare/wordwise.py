"""Translation word by word from a bilingual lexicon: every answer and every tag stays where its words are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from crosswind.data.examples import Span
from crosswind.perturb.words import words


@dataclass
class Wordwise:
    """Replaces each word by its first translation; what the lexicon lacks stays as it is, and is counted.

    `table` is lower-cased word -> translations, the best first. A word that is written with a capital keeps it.
    """

    table: Mapping[str, Sequence[str]]
    language: str
    looked_up: int = field(default=0, init=False)
    lacking: int = field(default=0, init=False)

    def text(self, text: str) -> MovedText:
        """The translated text, which knows where its characters came from."""
        pieces: list[tuple[Span, Span, bool]] = []
        made = ""
        at = 0
        for span in [*words(text, self.language), Span(len(text), len(text))]:
            between = text[at : span.start]
            pieces.append((Span(at, span.start), Span(len(made), len(made) + len(between)), False))
            made += between
            if span.end > span.start:
                word = self.word(text[span.start : span.end])
                pieces.append((span, Span(len(made), len(made) + len(word)), True))
                made += word
            at = span.end
        return MovedText(made, tuple(pieces))

    def word(self, word: str, *, single: bool = False) -> str:
        """A word's first translation (`single`: the first without a space), or the word itself."""
        self.looked_up += 1
        options = self.table.get(word.lower(), ())
        chosen = next((option for option in options if not single or not any(map(str.isspace, option))), None)
        if chosen is None:
            self.lacking += 1
            return word
        return chosen[:1].upper() + chosen[1:] if word[:1].isupper() else chosen

    @property
    def note(self) -> str:
        """How many of the words the lexicon lacks."""
        share = 100 * self.lacking / max(self.looked_up, 1)
        return (
            f"{self.lacking:,} of {self.looked_up:,} words ({share:.0f} %) are not in the lexicon and stay as they are"
        )


@dataclass(frozen=True)
class MovedText:
    """A translated text; `pieces` are (span of the source, span of `text`, whether a word), in order, without gaps."""

    text: str
    pieces: tuple[tuple[Span, Span, bool], ...]

    def span(self, span: Span) -> Span:
        """Where a span that is not empty stands; a word that it begins or ends within counts whole."""
        start = next(
            b.start + (0 if word else span.start - a.start)
            for a, b, word in self.pieces
            if a.start <= span.start < a.end
        )
        end = next(
            b.end - (0 if word else a.end - span.end) for a, b, word in self.pieces if a.start < span.end <= a.end
        )
        return Span(start, end)
