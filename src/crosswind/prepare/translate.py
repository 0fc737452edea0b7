"""Data made from data: the examples of a task in another language, by whatever translates sentences.

Texts are translated sentence by sentence, every sentence once in a chunk. Answers of extractive QA are carried over
first by marks around them (`markers`), else by the word aligner (`align`); an example whose answers cannot be carried
is left out and counted. A chunk depends on nothing but its examples, so that work may stop between two chunks and go
on with the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, assert_never

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
from crosswind.perturb.retag import entities, of_entities
from crosswind.perturb.words import is_unspaced
from crosswind.prepare.carry import CARRIERS, Carrier, TranslatedExample, Waiting
from crosswind.prepare.markers import marked, unmarked
from crosswind.prepare.project import TranslatedPassage, aligned_words, sentence_words
from crosswind.prepare.sentences import TranslatedText, put_together, sentence_spans

CHUNK = 64
"""Examples of a chunk, a few more where the last ones share a passage."""


class SentenceTranslator(Protocol):
    """Translates sentences from one language into another; the same sentences in one call give the same answers."""

    @property
    def name(self) -> str:
        """What notes call it."""

    def translate(self, texts: Sequence[str]) -> list[str]:
        """The translation of each text, in order."""


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
    if gold and any(isinstance(e, TaggingExample) and not of_entities(e.tags or ()) for e in examples):
        raise UserError(
            "a tag for every word is lost when a model translates sentences",
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

    def unmarked(self, with_marks: tuple[str, tuple[str, str]] | None) -> tuple[str, Span] | None:
        """The translation of a sentence with marks, and what stands between them; `None` where they were lost."""
        return None if with_marks is None else unmarked(self.sentence(with_marks[0]), with_marks[1])

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
            answers = (example.answers or ()) if carry else ()
            return _wanted(texts, example.context, answers, (example.question, example.context), carry)
        case TaggingExample():
            text, spans = joined_words(example)
            groups = entities(example.tags or ()) if carry else []
            inside = [Span(spans[some[0]].start, spans[some[-1]].end) for some in groups]
            return _wanted(texts, text, inside, (text,), carry)
        case _:
            assert_never(example)


def _wanted(
    texts: _Texts, context: str, answers: Sequence[Span], whole: tuple[str, ...], carry: Collection[Carrier]
) -> _Wanted:
    """What is translated of a text with answers in it: whole texts, and the sentences of its answers with marks."""
    spans = texts.spans(context)
    groups = {i: _group(a, spans) for i, a in enumerate(answers) if _sentences_of(a, spans)}
    marks: dict[int, tuple[str, tuple[str, str]]] = {}
    for i, (first, last, span) in groups.items() if "markers" in carry else ():
        with_marks = marked(context[spans[first].start : spans[last].end], span)
        if with_marks is not None:
            marks[i] = with_marks
    return _Wanted(whole, groups, marks)


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
            return _translated_words(example, wanted, texts, target, carry, seen)
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


def _translated_words(
    example: TaggingExample,
    wanted: _Wanted,
    texts: _Texts,
    target: str,
    carry: Collection[Carrier] | None,
    seen: set[str],
) -> TranslatedExample:
    """A sentence of words, its entities where they stand in the plain translation as marks say.

    A translation without words has a dash.
    """
    text, spans = joined_words(example)
    whole = texts.whole(text)
    cut = sentence_words(whole.target, target)
    passage = TranslatedPassage(text, whole.target, spans, cut, whole.pairs)
    there = tuple(whole.target[s.start : s.end] for s in cut) or ("-",)
    made = replace(example, language=target, words=there, tags=None)
    groups = entities(example.tags or ()) if carry is not None else []
    if carry is None or example.tags is None:
        return TranslatedExample(made, passage=passage)
    answers: dict[int, tuple[int, int]] = {}
    waiting: list[Waiting] = []
    for i, group in wanted.groups.items():
        read = texts.unmarked(wanted.marks.get(i))
        region = _region(whole, group)
        span = None if read is None else _only_place(whole.target, region, *read)
        if span is not None:
            answers[i] = span
        else:
            waiting.append(_waiting(i, whole, group, region))
    pairs: tuple[tuple[str, str], ...] = ()
    if "align" in carry and text not in seen:
        seen.add(text)
        pairs = whole.sentence_pairs
    kinds = tuple(example.tags[some[0]][2:] for some in groups)
    left = tuple(waiting) if "align" in carry else ()
    return TranslatedExample(made, answers, left, pairs, len(groups), passage, kinds)


def _region(whole: TranslatedText, group: tuple[int, int, Span]) -> Span:
    """Where the sentences of an answer stand in the translation."""
    return Span(whole.pairs[group[0]][1].start, whole.pairs[group[1]][1].end)


def _only_place(target: str, region: Span, text: str, inner: Span) -> tuple[int, int] | None:
    """Where what stands between marks is in the plain translation, if it is there just once, at such borders."""
    plain = target[region.start : region.end]
    answer = text[inner.start : inner.end]
    if plain.count(answer) != 1:
        return None
    at = plain.index(answer)
    if _borders(plain, at, answer) != _borders(text, inner.start, answer):
        return None
    return region.start + at, region.start + at + len(answer)


def _waiting(number: int, whole: TranslatedText, group: tuple[int, int, Span], region: Span) -> Waiting:
    source = whole.source[whole.pairs[group[0]][0].start : whole.pairs[group[1]][0].end]
    inside = group[2]
    return Waiting(number, source, whole.target[region.start : region.end], inside.start, inside.end, region.start)


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
    for i, group in wanted.groups.items():
        region = _region(context, group)
        read = texts.unmarked(wanted.marks.get(i))
        if read is not None:
            span = _only_place(made.context, region, *read)
            if span is not None:
                answers[i] = span
                continue
            if alone:
                text, inner = read
                context_with = made.context[: region.start] + text + made.context[region.end :]
                start = region.start + inner.start
                moved = replace(made, context=context_with, answers=())
                both = dict.fromkeys(wanted.groups, (start, start + inner.end - inner.start))
                return TranslatedExample(moved, both, expected=len(example.answers))
        waiting.append(_waiting(i, context, group, region))
    pairs: tuple[tuple[str, str], ...] = ()
    if "align" in carry and example.context not in seen:
        seen.add(example.context)
        pairs = context.sentence_pairs
    return TranslatedExample(
        replace(made, answers=()), answers, tuple(waiting) if "align" in carry else (), pairs, len(example.answers)
    )


def _borders(text: str, start: int, part: str) -> tuple[bool, bool]:
    """Whether a part of a text begins, and whether it ends, within a word: "10" does in "2010"."""
    end = start + len(part)
    return text[start - 1 : start].isalnum() and part[0].isalnum(), text[end : end + 1].isalnum() and part[-1].isalnum()
