"""Answers and entities carried back from a translation to the text that was translated, by the links of its words.

After the translate-test baseline of MLQA (Lewis et al. 2020, section 4, equation 1): of all spans of the original text
the one whose links agree best with those of the span in the translation. There a_ij are the attention scores of the
translation model; here they are the links of the word aligner, 1 or 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswind.data.examples import Span
from crosswind.perturb.retag import entities
from crosswind.perturb.words import tokens, words
from crosswind.prepare.align import Link, align

ALIGNED_AT_ONCE = 10_000
"""Sentence pairs that the word aligner reads at once: about 600 MB at 25 words."""

STEM_LETTERS = 4
"""Words are aligned by so many first letters: a test set is little text, and endings are rarer than stems."""

Sentences = tuple[tuple[Span, Span], ...]
"""The sentences of a text, and where their translations stand in the translated one."""


@dataclass(frozen=True)
class TranslatedPassage:
    """A text, its translation, the words of both, and their sentences. Words and sentences ascend."""

    source: str
    target: str
    source_words: tuple[Span, ...]
    target_words: tuple[Span, ...]
    sentences: Sentences


@dataclass(frozen=True)
class LinkedWords:
    """The words of a text and of its translation, with the links between them (source, target)."""

    source: tuple[Span, ...]
    target: tuple[Span, ...]
    links: tuple[Link, ...]

    def back(self, span: Span) -> Span | None:
        """Where the text has what a span of the translation says; `None` where none of its words is linked."""
        best = self.range_back(overlapping(self.target, span))
        return None if best is None else Span(self.source[best[0]].start, self.source[best[1]].end)

    def range_back(self, inside: Collection[int]) -> tuple[int, int] | None:
        """The words of the text that fit best to words of the translation, by their numbers."""
        return best_range([(j, i) for i, j in self.links], inside)

    def keeps(self, first: int, last: int) -> bool:
        """Whether so many words of the text, carried into the translation and back, are the same words."""
        there = best_range(self.links, range(first, last + 1))
        return there is not None and self.range_back(range(there[0], there[1] + 1)) == (first, last)

    def keeps_span(self, span: Span) -> bool:
        """Whether the words of a span of the text are the same after being carried there and back."""
        inside = overlapping(self.source, span)
        return bool(inside) and self.keeps(inside[0], inside[-1])


def overlapping(words: Sequence[Span], span: Span) -> list[int]:
    """The numbers of the words that share a character with a span."""
    return [i for i, word in enumerate(words) if word.start < span.end and span.start < word.end]


def best_range(links: Iterable[Link], inside: Collection[int]) -> tuple[int, int] | None:
    """The first and the last word of the other side whose range fits best to the words `inside` of this side.

    That is where F1 is highest of the share of the links of `inside` that end in the range and the share of the links
    of the range that begin in `inside` (Lewis et al. 2020, equation 1); of equal ones the shortest, then the first.
    `None` where no word inside is linked.
    """
    inside = frozenset(inside)
    all_links = set(links)
    mine = Counter(j for i, j in all_links if i in inside)
    others = Counter(j for i, j in all_links if i not in inside)
    total = sum(mine.values())
    ends = sorted(mine)
    scored = []
    for at, first in enumerate(ends):
        for last in ends[at:]:
            hit = sum(n for j, n in mine.items() if first <= j <= last)
            strange = sum(n for j, n in others.items() if first <= j <= last)
            # 2·RC·PR / (RC + PR) with RC = hit/total and PR = hit/(hit + strange)
            scored.append((-2 * hit / (total + hit + strange), last - first, first))
    if not scored:
        return None
    _, length, first = min(scored)
    return first, first + length


def sentence_words(text: str, language: str) -> tuple[Span, ...]:
    """The words of a text and its signs, each on its own: how a translated sentence is read by a tagging model."""
    spans: list[Span] = []
    at = 0
    for word in [*tokens(text, language, addresses=False), Span(len(text), len(text))]:
        spans += [Span(i, i + 1) for i in range(at, word.start) if not text[i].isspace()]
        spans += [word] if word.end > word.start else []
        at = word.end
    return tuple(spans)


def aligned_words(text: str, language: str) -> tuple[Span, ...]:
    """The words of a passage that answers are carried by."""
    return tuple(words(text, language))


def linked_words(passages: Sequence[TranslatedPassage]) -> list[LinkedWords]:
    """The links of each passage, by the word aligner run on the sentence pairs of all of them.

    Sentence pairs are read in blocks of `ALIGNED_AT_ONCE`, to bound memory. Of the human translations of
    XQuAD, taken as if a machine had made them, the English gold answers come back with F1 67 in German, 81 in Spanish
    and 33 in Chinese; with whole words instead of stems with 56, 75 and 31.
    """
    cuts: list[list[tuple[range, range]]] = []
    corpus: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
    for passage in passages:
        parts = []
        for source, target in passage.sentences:
            left, right = _within(passage.source_words, source), _within(passage.target_words, target)
            parts.append((left, right))
            corpus.setdefault(_pair(passage, left, right), len(corpus))
        cuts.append(parts)
    pairs = list(corpus)
    links: list[list[Link]] = []
    for first in range(0, len(pairs), ALIGNED_AT_ONCE):
        links += align(pairs[first : first + ALIGNED_AT_ONCE], symmetrise="grow-diag-final-and")
    linked = []
    for passage, parts in zip(passages, cuts, strict=True):
        joined = tuple(
            (left.start + i, right.start + j)
            for left, right in parts
            for i, j in links[corpus[_pair(passage, left, right)]]
        )
        linked.append(LinkedWords(passage.source_words, passage.target_words, joined))
    return linked


def _pair(passage: TranslatedPassage, left: range, right: range) -> tuple[tuple[str, ...], tuple[str, ...]]:
    def texts(text: str, spans: Sequence[Span], which: range) -> tuple[str, ...]:
        return tuple(text[spans[i].start : spans[i].end].lower()[:STEM_LETTERS] for i in which)

    return texts(passage.source, passage.source_words, left), texts(passage.target, passage.target_words, right)


def _within(spans: Sequence[Span], part: Span) -> range:
    """The words that begin in a part of the text."""
    inside = [i for i, span in enumerate(spans) if part.start <= span.start < part.end]
    return range(inside[0], inside[-1] + 1) if inside else range(0)


@dataclass
class CarriedBack:
    """How many predicted answers or entities there were, and how many of them nothing could carry back."""

    predicted: int = 0
    lost: int = 0
    first_lost: list[str] = field(default_factory=list)

    def lose(self, name: str) -> None:
        """Count one that is lost, in the example of this id."""
        self.lost += 1
        if len(self.first_lost) < 3 and name not in self.first_lost:
            self.first_lost.append(name)

    def note(self, what: str, by: str) -> str:
        """A sentence: how many of `what` there were, and how many were lost."""
        few = ", ".join(self.first_lost) + (", …" if self.lost > len(self.first_lost) else "")
        return (
            f"{what} are predicted in the translation and carried back to the original text {by}: {self.lost:,} of "
            f"{self.predicted:,} could not be carried and count as not given" + (f" ({few})." if self.lost else ".")
        )


def tags_back(linked: LinkedWords, predicted: Sequence[str], counts: CarriedBack, name: str) -> tuple[str, ...]:
    """The tags of the original words, of the tags that a model predicts for the words of the translation.

    Each entity goes to the range of words that fits it best, those that fit better first; one whose range another
    entity has, or that has no linked word, is lost. All other words are outside (`O`).
    """
    backward = [(j, i) for i, j in linked.links]
    tags = ["O"] * len(linked.source)
    ranges = []
    for inside in entities(predicted):
        kind, first, last = predicted[inside[0]][2:], inside[0], inside[-1]
        counts.predicted += 1
        best = linked.range_back(range(first, last + 1))
        if best is None:
            counts.lose(name)
            continue
        ranges.append((-_agreement(backward, range(first, last + 1), best), first, kind, best))
    for _, _, kind, (start, end) in sorted(ranges):
        if any(tag != "O" for tag in tags[start : end + 1]):
            counts.lose(name)
            continue
        tags[start : end + 1] = [f"B-{kind}", *[f"I-{kind}"] * (end - start)]
    return tuple(tags)


def _agreement(links: Iterable[Link], inside: Collection[int], best: tuple[int, int]) -> float:
    """The F1 of a range, as `best_range` has it."""
    hit = total = strange = 0
    for i, j in set(links):
        within = best[0] <= j <= best[1]
        total += i in inside
        hit += within and i in inside
        strange += within and i not in inside
    return 2 * hit / (total + hit + strange)


def passage_json(passage: TranslatedPassage) -> Mapping[str, object]:
    """A passage as a line of a file has it."""
    return {
        "source": passage.source,
        "target": passage.target,
        "source_words": _numbers(passage.source_words),
        "target_words": _numbers(passage.target_words),
        "sentences": [[a.start, a.end, b.start, b.end] for a, b in passage.sentences],
    }


def passage_of(value: Mapping[str, Any]) -> TranslatedPassage:
    """The passage that `passage_json` wrote."""
    return TranslatedPassage(
        str(value["source"]),
        str(value["target"]),
        _spans(value["source_words"]),
        _spans(value["target_words"]),
        tuple((Span(a, b), Span(c, d)) for a, b, c, d in value["sentences"]),
    )


def _numbers(spans: Iterable[Span]) -> list[list[int]]:
    return [[span.start, span.end] for span in spans]


def _spans(value: Iterable[Sequence[int]]) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in value)


def links_json(names: Sequence[str], linked: LinkedWords) -> Mapping[str, object]:
    """The links of a text as a line of a file, with the examples whose text it is."""
    return {
        "examples": list(names),
        "source": _numbers(linked.source),
        "target": _numbers(linked.target),
        "links": [list(link) for link in linked.links],
    }


def links_of(value: Mapping[str, Any]) -> LinkedWords:
    """The links that `links_json` wrote."""
    links = tuple((int(i), int(j)) for i, j in value["links"])
    return LinkedWords(_spans(value["source"]), _spans(value["target"]), links)
