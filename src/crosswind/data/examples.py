"""The example types: one frozen dataclass per task kind.

Every example has an `id` (`corpus/split/native-id`, the same for the translations of one item and
for tasks built on one source), a `cluster` (the unit that is resampled: an XNLI premise, an XQuAD
paragraph, a template; shared like the id) and the `language` of its text as XTREME writes it.
Text lives in named fields; `text_fields` lists them in a fixed order. Labels are `None` where the
distribution carries none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, assert_never

from crosswind.errors import UserError

Kind = Literal["pair", "choice", "tagging", "span", "query"]
KINDS: tuple[Kind, ...] = ("pair", "choice", "tagging", "span", "query")


@dataclass(frozen=True, slots=True)
class PairExample:
    """Two texts and a class: NLI (`first` is the premise, `second` the hypothesis), paraphrase.

    `label` indexes the task's `labels`.
    """

    id: str
    cluster: str
    language: str
    first: str
    second: str
    label: int | None = None


@dataclass(frozen=True, slots=True)
class ChoiceExample:
    """A context, a question (either may be empty) and alternatives; `label` is the right one's index."""

    id: str
    cluster: str
    language: str
    context: str
    question: str
    choices: tuple[str, ...]
    label: int | None = None


@dataclass(frozen=True, slots=True)
class TaggingExample:
    """A fixed tuple of words and a tag for each (`None` where unlabelled)."""

    id: str
    cluster: str
    language: str
    words: tuple[str, ...]
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start:end` of a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SpanExample:
    """Extractive QA: every answer is a span of character offsets into `context`.

    `language` is the question's; `context_language` differs in MLQA's cross-language splits.
    `answers` is empty for an unanswerable question (SQuAD 2.0) and `None` where unlabelled. `unplaced` are gold texts
    that stand nowhere in the context: a prediction is compared with them, nothing is trained on them.
    """

    id: str
    cluster: str
    language: str
    question: str
    context: str
    answers: tuple[Span, ...] | None = None
    context_language: str = ""
    unplaced: tuple[str, ...] = ()

    @property
    def answer_texts(self) -> tuple[str, ...]:
        """What the answers say; empty where there are none or they are not known."""
        return (*(self.context[a.start : a.end] for a in self.answers or ()), *self.unplaced)


@dataclass(frozen=True, slots=True)
class QueryExample:
    """A query and the ids of the right candidates of its `Pool`.

    Where it asks what is meant by a name (Mewsli-X), `query` is empty: `mention` is the name and `span` where it stands
    in its `context`. Otherwise these are empty.
    """

    id: str
    cluster: str
    language: str
    query: str
    gold: tuple[str, ...]
    context: str = ""
    mention: str = ""
    span: Span | None = None


Example = PairExample | ChoiceExample | TaggingExample | SpanExample | QueryExample


def is_labelled(example: Example) -> bool:
    """Whether an example says what is right: of an unanswerable question, too, that nothing is."""
    match example:
        case PairExample() | ChoiceExample():
            return example.label is not None
        case TaggingExample():
            return example.tags is not None
        case SpanExample():
            return example.answers is not None
        case QueryExample():
            return True
        case _:
            assert_never(example)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of a pool: `text` (a sentence, an answer) and, for LAReQA, its surrounding `context`."""

    id: str
    language: str
    text: str
    context: str = ""
    cluster: str = ""


@dataclass(frozen=True)
class Pool:
    """The candidates that queries are answered from, in a fixed order (ties go to the lower index)."""

    candidates: tuple[Candidate, ...]

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Candidate id -> position."""
        return {c.id: i for i, c in enumerate(self.candidates)}

    def __len__(self) -> int:
        return len(self.candidates)


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of raw text for masked-LM training; `id` is `corpus/hash-occurrence`."""

    id: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class ParallelLine:
    """One sentence in several languages, for translation-LM training."""

    id: str
    texts: tuple[tuple[str, str], ...]  # (language, text)


@dataclass(frozen=True)
class Dataset:
    """The examples of one task, language and split, in official order, with their pool if any.

    `notes` are sentences on what reading changed or left out; each names the data set. `release` names the
    release of the data, where there are several and it is known.
    """

    task: str
    language: str
    split: str
    examples: tuple[Example, ...]
    pool: Pool | None = None
    fingerprint: str = ""  # of the source: file hashes, or hub id + commit + config + split
    notes: tuple[str, ...] = ()
    release: str = ""

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Example]:
        return iter(self.examples)


@dataclass(frozen=True, slots=True)
class Rows:
    """A selection of rows: `0-9999`, `0-99,200-299`; both ends belong to it."""

    ranges: tuple[tuple[int, int], ...] = field(default=())

    @classmethod
    def parse(cls, text: str | int, where: str | None = None) -> Rows:
        """Read `"0-9999"`, `"17"` or `"0-99,200-299"`; a `UserError` otherwise, or for a row named twice."""
        ranges: list[tuple[int, int]] = []
        for part in str(text).split(","):
            first, dash, last = part.strip().partition("-")
            try:
                low = int(first)
                high = int(last) if dash else low
            except ValueError:
                low, high = 0, -1
            if low < 0 or high < low:
                raise UserError(
                    f"{text!r} is not a range of rows", where=where, hint="write rows as 0-9999 or 0-99,200-299"
                )
            if any(low <= b and a <= high for a, b in ranges):
                raise UserError(
                    f"{text!r} names rows twice", where=where, hint="write ranges that do not overlap: 0-99,100-299"
                )
            ranges.append((low, high))
        return cls(tuple(ranges))

    def indices(self, n: int, where: str | None = None) -> list[int]:
        """The chosen positions among `n` rows, range by range; a `UserError` if one ends beyond them."""
        chosen: list[int] = []
        for low, high in self.ranges:
            if high >= n:
                raise UserError(
                    f"rows {low}-{high} were asked for, there are {n} (0-{n - 1})",
                    where=where,
                    hint="choose a range inside the split",
                )
            chosen.extend(range(low, high + 1))
        return chosen

    def __str__(self) -> str:
        return ",".join(f"{a}-{b}" for a, b in self.ranges)


def kind_of(example: Example) -> Kind:
    """The kind of an example's task."""
    match example:
        case PairExample():
            return "pair"
        case ChoiceExample():
            return "choice"
        case TaggingExample():
            return "tagging"
        case SpanExample():
            return "span"
        case QueryExample():
            return "query"
        case _:
            assert_never(example)


def text_fields(example: Example) -> dict[str, str]:
    """The texts of an example by field name, in model order.

    `choices` become `choices.0`, `choices.1`, …; the words of a tagging example `words.0`, …. A query's
    context and mention are listed where it has them.
    """
    match example:
        case PairExample():
            return {"first": example.first, "second": example.second}
        case ChoiceExample():
            named = {f"choices.{i}": c for i, c in enumerate(example.choices)}
            return {"context": example.context, "question": example.question, **named}
        case TaggingExample():
            return {f"words.{i}": w for i, w in enumerate(example.words)}
        case SpanExample():
            return {"question": example.question, "context": example.context}
        case QueryExample():
            more = {"context": example.context, "mention": example.mention}
            return {"query": example.query, **{name: text for name, text in more.items() if text}}


def whole_texts(example: Example) -> dict[str, str]:
    """The texts of an example by field name, as rewrites are of them: the words of a sentence are one text, `words`."""
    return {"words": " ".join(example.words)} if isinstance(example, TaggingExample) else text_fields(example)


def by_id(examples: Iterable[Example]) -> dict[str, Example]:
    """The examples by their ids."""
    return {e.id: e for e in examples}
