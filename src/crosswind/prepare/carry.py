"""Answers and entities carried over from a text to its translation: what a chunk of examples leaves to be placed.

Marks (`markers.py`) place most of them while a text is translated; the word aligner places others, once all sentence
pairs of the set are there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from crosswind.data.examples import Example, Span, SpanExample, TaggingExample
from crosswind.perturb.words import words
from crosswind.prepare.align import align
from crosswind.prepare.project import TranslatedPassage, overlapping, passage_json, passage_of

ALIGNED_PAIRS = 5000
"""Sentence pairs that the word aligner learns from beside those whose answers it places (about 300 MB at 25 words)."""

Carrier = Literal["markers", "align"]
CARRIERS: tuple[Carrier, ...] = ("markers", "align")


@dataclass(frozen=True)
class Waiting:
    """An answer that marks did not carry: where it stands in its sentences and where their translation lies."""

    answer: int
    source: str
    target: str
    start: int
    end: int
    offset: int


@dataclass(frozen=True)
class TranslatedExample:
    """An example in the other language, as far as a chunk gets.

    `answers` are the carried spans by the number of the answer in the source, of span QA; `waiting` those that the
    aligner may place, and `pairs` sentence pairs that it learns from. Of tagged words `answers` are entities, `kinds`
    what they are. `passage` is the translation of the text of such words, and of passages that predictions are to be
    carried back from.
    """

    example: Example
    answers: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    expected: int = 0
    passage: TranslatedPassage | None = None
    kinds: tuple[str, ...] = ()


@dataclass
class Carried:
    """How the answers of span QA or the entities of sentences came over, in examples; `dropped` are left out."""

    entities: bool = False
    markers: int = 0
    aligned: int = 0
    dropped: int = 0
    first_dropped: list[str] = field(default_factory=list)

    @property
    def note(self) -> str | None:
        """A sentence, or nothing where there was no answer to carry."""
        total = self.markers + self.aligned + self.dropped
        if not total:
            return None
        what, where = ("entities", "sentences with any") if self.entities else ("answers", "questions with answers")
        text = f"{what} were carried over by marks in {self.markers:,} and by the word aligner in {self.aligned:,} of "
        text += f"{total:,} {where}; {self.dropped:,} were left out, whose {what} could not be carried"
        few = ", ".join(self.first_dropped) + (", …" if self.dropped > len(self.first_dropped) else "")
        return text + (f" ({few})" if self.dropped else "")


def settled(
    made: Sequence[TranslatedExample], source: str, target: str, *, carry: Collection[Carrier] = CARRIERS
) -> tuple[list[Example], Carried]:
    """The examples with their answers, those left out whose answers nothing carried; what was done, counted.

    The aligner reads all the sentence pairs in which answers wait and up to `ALIGNED_PAIRS` others, in order.
    """
    placed = _aligned(made, source, target) if "align" in carry else {}
    carried = Carried()
    examples: list[Example] = []
    for item in made:
        example = item.example
        if not isinstance(example, SpanExample | TaggingExample) or not item.expected:
            if isinstance(example, TaggingExample):
                example = replace(example, tags=("O",) * len(example.words))
            examples.append(example)
            continue
        later = {w.answer: span for w in item.waiting if (span := placed.get((example.id, w.answer))) is not None}
        spans = [Span(*span) for _, span in sorted({**later, **item.answers}.items())]
        whole: Example | None
        if isinstance(example, SpanExample):
            whole = replace(example, answers=tuple(dict.fromkeys(spans))) if spans else None
            marks = bool(item.answers)
        else:
            carried.entities = True
            whole = _tagged(example, item, spans)
            marks = len(item.answers) == item.expected
        if whole is None:
            carried.dropped += 1
            if len(carried.first_dropped) < 3:
                carried.first_dropped.append(example.id)
            continue
        carried.markers += marks
        carried.aligned += not marks
        examples.append(whole)
    return examples, carried


def _tagged(example: TaggingExample, item: TranslatedExample, spans: Sequence[Span]) -> TaggingExample | None:
    """The sentence with its entities; `None` unless each has words of its own: what lacks one would teach an `O`."""
    assert item.passage is not None
    tags = ["O"] * len(example.words)
    if len(spans) != item.expected:
        return None
    for kind, span in zip(item.kinds, spans, strict=True):
        inside = overlapping(item.passage.target_words, span)
        if not inside or any(tags[i] != "O" for i in inside):
            return None
        tags[inside[0] : inside[-1] + 1] = [f"B-{kind}", *[f"I-{kind}"] * (len(inside) - 1)]
    return replace(example, tags=tuple(tags))


def _aligned(made: Sequence[TranslatedExample], source: str, target: str) -> dict[tuple[str, int], tuple[int, int]]:
    """(example, answer) -> the span in the translated passage, of the answers that wait and could be placed."""
    waiting = [(item.example.id, w) for item in made for w in item.waiting]
    if not waiting:
        return {}
    needed = dict.fromkeys((w.source, w.target) for _, w in waiting)
    others = dict.fromkeys(pair for item in made for pair in item.pairs if pair not in needed)
    corpus = [*needed, *[*others][:ALIGNED_PAIRS]]
    cut = [(words(a, source), words(b, target)) for a, b in corpus]
    texts = [
        ([a[s.start : s.end].lower() for s in left], [b[s.start : s.end].lower() for s in right])
        for (a, b), (left, right) in zip(corpus, cut, strict=True)
    ]
    links = dict(zip(needed, align(texts)[: len(needed)], strict=True))
    spans = dict(zip(needed, cut[: len(needed)], strict=True))
    placed = {}
    for name, w in waiting:
        left, right = spans[w.source, w.target]
        span = carried_span(links[w.source, w.target], left, right, Span(w.start, w.end))
        if span is not None:
            placed[name, w.answer] = (w.offset + span.start, w.offset + span.end)
    return placed


def carried_span(
    links: Sequence[tuple[int, int]], left: Sequence[Span], right: Sequence[Span], answer: Span
) -> Span | None:
    """The words of the other side that an answer's words are linked to, from the first to the last; `None` if unclear.

    They must be a phrase pair that is consistent with the links (Koehn, Och & Marcu 2003, section 2.1): no word between
    them is linked to a word outside of the answer; and half of the answer's words must be linked.
    """
    inside = {i for i, s in enumerate(left) if s.start < answer.end and answer.start < s.end}
    linked = {i for i, _ in links if i in inside}
    targets = sorted({j for i, j in links if i in inside})
    if not targets or 2 * len(linked) < len(inside):
        return None
    first, last = targets[0], targets[-1]
    if any(first <= j <= last and i not in inside for i, j in links):
        return None
    return Span(right[first].start, right[last].end)


def waiting_json(item: TranslatedExample) -> dict[str, Any]:
    """What a chunk keeps of an example beside the example itself."""
    return {
        "answers": [[i, *span] for i, span in item.answers.items()],
        "waiting": [[w.answer, w.source, w.target, w.start, w.end, w.offset] for w in item.waiting],
        "pairs": [list(pair) for pair in item.pairs],
        "expected": item.expected,
        **({} if item.passage is None else {"passage": passage_json(item.passage)}),
        **({"kinds": list(item.kinds)} if item.kinds else {}),
    }


def with_waiting(example: Example, value: Mapping[str, Any]) -> TranslatedExample:
    """The example of a chunk with what `waiting_json` wrote of it."""
    return TranslatedExample(
        example,
        {int(i): (int(start), int(end)) for i, start, end in value["answers"]},
        tuple(Waiting(*parts) for parts in value["waiting"]),
        tuple((a, b) for a, b in value["pairs"]),
        int(value["expected"]),
        passage_of(value["passage"]) if "passage" in value else None,
        tuple(value.get("kinds", ())),
    )
