"""Data made from data: the examples of a task in another language, by whatever translates sentences.

Texts are translated sentence by sentence, every sentence once in a chunk. Answers of extractive QA are carried over
first by marks around them (`markers`), else by the word aligner (`align`); an example whose answers cannot be carried
is left out and counted. A chunk depends on nothing but its examples, so that work may stop between two chunks and go
on with the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, assert_never

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Example,
    PairExample,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
)
from crosswind.errors import UserError
from crosswind.perturb.words import is_unspaced, words
from crosswind.prepare.align import align
from crosswind.prepare.markers import marked, unmarked
from crosswind.prepare.project import TranslatedPassage, aligned_words, passage_json, passage_of, sentence_words
from crosswind.prepare.sentences import TranslatedText, put_together, sentence_spans

CHUNK = 64
"""Examples of a chunk, a few more where the last ones share a passage."""
ALIGNED_PAIRS = 5000
"""Sentence pairs that the word aligner learns from beside those whose answers it places (about 300 MB at 25 words)."""

Carrier = Literal["markers", "align"]
CARRIERS: tuple[Carrier, ...] = ("markers", "align")


class SentenceTranslator(Protocol):
    """Translates sentences from one language into another; the same sentences in one call give the same answers."""

    @property
    def name(self) -> str:
        """What notes call it."""

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translation of each text, in order."""


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
    aligner may place, and `pairs` sentence pairs that it learns from. `passage` is the text whose words predictions on
    the translation are carried back to, of an example that is translated without its gold.
    """

    example: Example
    answers: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    expected: int = 0
    passage: TranslatedPassage | None = None


@dataclass
class Carried:
    """How the answers of span QA came over, in examples; `dropped` are left out."""

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
        text = f"answers were carried over by marks in {self.markers:,} and by the word aligner in {self.aligned:,} of "
        text += f"{total:,} questions with answers; {self.dropped:,} were left out, whose answers could not be carried"
        few = ", ".join(self.first_dropped) + (", …" if self.dropped > len(self.first_dropped) else "")
        return text + (f" ({few})" if self.dropped else "")


def example_chunks(examples: Sequence[Example], size: int = CHUNK) -> Iterator[Sequence[Example]]:
    """The examples in runs of about `size`, cut where the passage changes: questions on one passage share its work."""
    start = 0
    for i in range(1, len(examples) + 1):
        full = i - start >= size and (i == len(examples) or _passage(examples[i]) != _passage(examples[i - 1]))
        if full or i == len(examples):
            yield examples[start:i]
            start = i


def _passage(example: Example) -> object:
    match example:
        case SpanExample() | ChoiceExample():
            return example.context or example.id
        case PairExample():
            return example.first
        case TaggingExample() | QueryExample():
            return example.id
        case _:
            assert_never(example)


def refuse_untranslatable(examples: Sequence[Example], where: str, *, gold: bool = True) -> None:
    """A `UserError` for examples that no seq2seq model can translate, with their gold if that is wanted."""
    first = examples[0] if examples else None
    if isinstance(first, TaggingExample) and gold:
        raise UserError(
            "the tags of words are lost when a model translates sentences",
            where=where,
            hint="translate word by word, which keeps every tag: translate: {lexicon: true} (--lexicons DIR)",
        )
    if any(isinstance(e, QueryExample) and e.mention for e in examples):
        raise UserError(
            "a mention in its context cannot be translated apart from it",
            where=where,
            hint="retrieval of sentences and answers can be translated",
        )


def translated_chunk(
    examples: Sequence[Example],
    translator: SentenceTranslator,
    source: str,
    target: str,
    *,
    kept: Collection[str] = (),
    carry: Collection[Carrier] = CARRIERS,
    gold: bool = True,
) -> list[TranslatedExample]:
    """The examples in `target`. Texts in `kept` (COPA's questions) stay as they are.

    Without `gold` answers are not carried and every example is kept: a test set is only read by a model.
    """
    texts = _Texts(translator, source, kept)
    requests = [_requests(e, texts, carry if gold else ()) for e in examples]
    texts.add(text for wanted in requests for text in wanted.texts)
    texts.add_sentences(sentence for wanted in requests for sentence in wanted.marked)
    texts.translate()
    seen: set[str] = set()
    made = []
    for example, wanted in zip(examples, requests, strict=True):
        made.append(_translated(example, wanted, texts, target, carry if gold else None, seen))
    return made


def translated_candidates(
    candidates: Sequence[Candidate], translator: SentenceTranslator, source: str, target: str
) -> list[Candidate]:
    """The candidates of a pool in `target`, under their ids."""
    texts = _Texts(translator, source, ())
    texts.add(text for c in candidates for text in (c.text, c.context))
    texts.translate()
    return [
        replace(c, language=target, text=texts.whole(c.text).target, context=texts.whole(c.context).target)
        for c in candidates
    ]


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
        if not isinstance(example, SpanExample) or not item.expected:
            examples.append(example)
            continue
        later = {w.answer: span for w in item.waiting if (span := placed.get((example.id, w.answer))) is not None}
        spans = [Span(*span) for _, span in sorted({**later, **item.answers}.items())]
        if not spans:
            carried.dropped += 1
            if len(carried.first_dropped) < 3:
                carried.first_dropped.append(example.id)
            continue
        carried.markers += bool(item.answers)
        carried.aligned += not item.answers
        examples.append(replace(example, answers=tuple(dict.fromkeys(spans))))
    return examples, carried


@dataclass(frozen=True)
class _Wanted:
    """What of an example is translated: its texts, and sentences with marks by the number of their answer."""

    texts: tuple[str, ...]
    groups: Mapping[int, tuple[int, int, Span]] = field(default_factory=dict)  # sentences of the context, span within
    marks: Mapping[int, tuple[str, tuple[str, str]]] = field(default_factory=dict)

    @property
    def marked(self) -> Iterator[str]:
        """The sentences with marks."""
        return (text for text, _ in self.marks.values())


class _Texts:
    """The texts of a chunk in sentences, each translated once."""

    def __init__(self, translator: SentenceTranslator, source: str, kept: Collection[str]) -> None:
        self.translator, self.source, self.kept = translator, source, frozenset(kept)
        self._spans: dict[str, list[Span]] = {}
        self._sentences: dict[str, str] = {}

    def spans(self, text: str) -> list[Span]:
        """The sentences of a text."""
        if text not in self._spans:
            self._spans[text] = [] if text in self.kept else sentence_spans(text, self.source)
        return self._spans[text]

    def add(self, texts: Iterator[str]) -> None:
        """Texts that will be asked for."""
        for text in texts:
            self.add_sentences(text[s.start : s.end] for s in self.spans(text))

    def add_sentences(self, sentences: Iterator[str]) -> None:
        """Sentences that will be asked for."""
        self._sentences |= {sentence: "" for sentence in sentences if sentence not in self._sentences}

    def translate(self) -> None:
        """Translate everything that was added."""
        sources = list(self._sentences)
        made = self.translator.translate(sources) if sources else []
        self._sentences = {s: t.strip() for s, t in zip(sources, made, strict=True)}

    def sentence(self, text: str) -> str:
        """The translation of a sentence."""
        return self._sentences[text]

    def whole(self, text: str) -> TranslatedText:
        """The translation of a text; of one that is kept, or of nothing, the text itself."""
        spans = self.spans(text)
        if not spans:
            return TranslatedText(text, text, ())
        return put_together(text, spans, [self.sentence(text[s.start : s.end]) for s in spans])


def _requests(example: Example, texts: _Texts, carry: Collection[Carrier]) -> _Wanted:
    match example:
        case PairExample():
            return _Wanted((example.first, example.second))
        case ChoiceExample():
            return _Wanted((example.context, example.question, *example.choices))
        case QueryExample():
            return _Wanted((example.query, example.context))
        case SpanExample():
            spans = texts.spans(example.context)
            answers = [(i, a) for i, a in enumerate(example.answers or ()) if carry and _sentences_of(a, spans)]
            groups = {i: _group(a, spans) for i, a in answers}
            marks: dict[int, tuple[str, tuple[str, str]]] = {}
            for i, (first, last, span) in groups.items() if "markers" in carry else ():
                with_marks = marked(example.context[spans[first].start : spans[last].end], span)
                if with_marks is not None:
                    marks[i] = with_marks
            return _Wanted((example.question, example.context), groups, marks)
        case TaggingExample():
            if carry:
                raise ValueError("tags are not carried into translated sentences")
            return _Wanted((joined_words(example)[0],))
        case _:
            assert_never(example)


def _sentences_of(answer: Span, spans: Sequence[Span]) -> list[int]:
    return [i for i, s in enumerate(spans) if s.start < answer.end and answer.start < s.end]


def _group(answer: Span, spans: Sequence[Span]) -> tuple[int, int, Span]:
    """The first and the last sentence that an answer is in, and where in their text it stands."""
    inside = _sentences_of(answer, spans)
    first, last = inside[0], inside[-1]
    start = spans[first].start
    length = spans[last].end - start
    return first, last, Span(max(answer.start - start, 0), min(answer.end - start, length))


def _translated(
    example: Example,
    wanted: _Wanted,
    texts: _Texts,
    target: str,
    carry: Collection[Carrier] | None,
    seen: set[str],
) -> TranslatedExample:
    def new(text: str) -> str:
        return texts.whole(text).target

    match example:
        case PairExample():
            return TranslatedExample(
                replace(example, language=target, first=new(example.first), second=new(example.second))
            )
        case ChoiceExample():
            return TranslatedExample(
                replace(
                    example,
                    language=target,
                    context=new(example.context),
                    question=new(example.question),
                    choices=tuple(new(choice) for choice in example.choices),
                )
            )
        case QueryExample():
            return TranslatedExample(
                replace(example, language=target, query=new(example.query), context=new(example.context))
            )
        case SpanExample():
            return _translated_span(example, wanted, texts, target, carry, seen)
        case TaggingExample():
            return _translated_words(example, texts, target)
        case _:
            assert_never(example)


def joined_words(example: TaggingExample) -> tuple[str, tuple[Span, ...]]:
    """The words of a sentence as the text that its language writes, and where each stands in it."""
    between = "" if is_unspaced(example.language) else " "
    spans, at = [], 0
    for word in example.words:
        spans.append(Span(at, at + len(word)))
        at += len(word) + len(between)
    return between.join(example.words), tuple(spans)


def _translated_words(example: TaggingExample, texts: _Texts, target: str) -> TranslatedExample:
    """A sentence of words without tags; a translation without words has one that is empty of letters."""
    text, spans = joined_words(example)
    whole = texts.whole(text)
    words_there = sentence_words(whole.target, target)
    passage = TranslatedPassage(text, whole.target, spans, words_there, whole.pairs)
    made = tuple(whole.target[s.start : s.end] for s in words_there) or ("-",)
    return TranslatedExample(replace(example, language=target, words=made, tags=None), passage=passage)


def _translated_span(
    example: SpanExample,
    wanted: _Wanted,
    texts: _Texts,
    target: str,
    carry: Collection[Carrier] | None,
    seen: set[str],
) -> TranslatedExample:
    """A question with its passage; an answer stands in the plain translation where its text is there just once.

    Else the only answer of a question may take the sentence as it was translated with marks.
    """
    context = texts.whole(example.context)
    question = texts.whole(example.question).target
    made = replace(
        example, language=target, context_language=target, question=question, context=context.target, unplaced=()
    )
    if carry is None:
        sides = aligned_words(context.source, texts.source), aligned_words(context.target, target)
        passage = TranslatedPassage(context.source, context.target, *sides, context.pairs)
        return TranslatedExample(replace(made, answers=None), passage=passage)
    if not example.answers:
        # A gold answer that stands nowhere in the passage cannot be carried; a question without any stays.
        return TranslatedExample(made, expected=1 if example.unplaced else 0)
    answers: dict[int, tuple[int, int]] = {}
    waiting: list[Waiting] = []
    alone = len(set(example.answers)) == 1
    for i, (first, last, span) in wanted.groups.items():
        region = Span(context.pairs[first][1].start, context.pairs[last][1].end)
        plain = made.context[region.start : region.end]
        read = unmarked(texts.sentence(wanted.marks[i][0]), wanted.marks[i][1]) if i in wanted.marks else None
        if read is not None:
            text, inner = read
            answer = text[inner.start : inner.end]
            if plain.count(answer) == 1 and _borders(plain, plain.index(answer), answer) == _borders(
                text, inner.start, answer
            ):
                start = region.start + plain.index(answer)
                answers[i] = (start, start + len(answer))
                continue
            if alone:
                context_with = made.context[: region.start] + text + made.context[region.end :]
                start = region.start + inner.start
                moved = replace(made, context=context_with, answers=())
                both = {j: (start, start + len(answer)) for j in wanted.groups}
                return TranslatedExample(moved, both, expected=len(example.answers))
        source = context.source[context.pairs[first][0].start : context.pairs[last][0].end]
        waiting.append(Waiting(i, source, plain, span.start, span.end, region.start))
    pairs: tuple[tuple[str, str], ...] = ()
    if "align" in carry and example.context not in seen:
        seen.add(example.context)
        pairs = tuple((context.source[a.start : a.end], context.target[b.start : b.end]) for a, b in context.pairs)
    return TranslatedExample(
        replace(made, answers=()), answers, tuple(waiting) if "align" in carry else (), pairs, len(example.answers)
    )


def _borders(text: str, start: int, part: str) -> tuple[bool, bool]:
    """Whether a part of a text begins, and whether it ends, within a word: "10" does in "2010"."""
    end = start + len(part)
    return text[start - 1 : start].isalnum() and part[0].isalnum(), text[end : end + 1].isalnum() and part[-1].isalnum()


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
    )
