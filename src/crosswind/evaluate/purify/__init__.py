"""Input defences: what is put right in a text before the model reads it. One file a purifier, which declares itself.

A purifier needs no training. It says which parts of a text become what, so that an answer found in the purified
text is given in the words of the text as it was, and each word of a tagged sentence keeps its tag. Some can be told a
masked language model that chooses among what they would write: `NAME(model=…)`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, assert_never

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    text_fields,
)
from crosswind.perturb.perturbation import Param, Value
from crosswind.perturb.pieces import Keep, Placement
from crosswind.perturb.rewrite import Edit, Rewrite
from crosswind.perturb.spec import parsed_call, printed_call
from crosswind.registry import Registry
from crosswind.tasks.base import TASKS, kept_texts

Cleaning = Callable[[str], Sequence[Edit]]
"""What becomes of a text of one language: (start, end, replacement), without overlap; nothing is inserted."""

_CHUNK = 2000  # examples whose texts are made known together
_MODEL = Param("model", "text", "a masked language model that chooses: a hub's id or a folder", default="")


class Contextual(ABC):
    """A cleaning that reads what stands around a word: a tagged sentence is one text to it, words joined by blanks.

    What it answers for a text does not depend on which texts were made known to it, or together with which.
    """

    @abstractmethod
    def __call__(self, text: str) -> Sequence[Edit]:
        """As any cleaning; each edit lies in one word."""

    @abstractmethod
    def ahead(self, texts: Sequence[str]) -> None:
        """Make texts known that will be asked for: together they cost less."""


class MaskedScores(Protocol):
    """A masked language model, as purifiers see it."""

    def likelihoods(self, places: Sequence[tuple[str, int, int]], words: Sequence[Sequence[str]]) -> list[list[float]]:
        """For each place (text, start, end) how likely each of its words is there, the greater the likelier."""
        ...


@dataclass(frozen=True)
class Purifier:
    """A declaration.

    `prepare` makes the cleanings of a language, one pass after another, from the folder of word lists that the study
    names (None: none); it raises a `UserError` where it needs one. `prepare_with` makes those of `NAME(model=…)`, from
    the masked language model too. `resources` are what the result depends on, by SHA-256 or version. `made_for` names
    the perturbations that it is meant to undo: results tell them from others.
    """

    name: str
    summary: str
    source: str
    prepare: Callable[[str, str | None], Sequence[Cleaning]]
    resources: Callable[[str, str | None], Mapping[str, str]] = lambda language, words: {}
    made_for: frozenset[str] = frozenset()
    prepare_with: Callable[[str, str | None, MaskedScores], Sequence[Cleaning]] | None = None


PURIFIERS: Registry[Purifier] = Registry("input defence", "crosswind.evaluate.purify", "crosswind.purifiers", Purifier)


@dataclass(frozen=True)
class PurifierCall:
    """A purifier with the parameters that were written."""

    purifier: str
    params: tuple[tuple[str, Value], ...] = ()

    @property
    def declaration(self) -> Purifier:
        """The purifier that it names."""
        return PURIFIERS[self.purifier]

    @property
    def model(self) -> str:
        """The masked language model that chooses, as it was written; empty without one."""
        return str(dict(self.params).get(_MODEL.name, ""))

    def __str__(self) -> str:
        return printed_call(self.purifier, self.params)


def parse_purifier(text: str, *, where: str | None = None) -> PurifierCall:
    """The purifier that `NAME` or `NAME(model=…)` names.

    Raises a `UserError` for an unknown one ("did you mean") and for a model that nothing would ask.
    """

    def params_of(name: str) -> tuple[Param, ...]:
        chooses = PURIFIERS.get(name, where=where).prepare_with is not None
        return (_MODEL,) if chooses else ()

    if "(" not in text:  # Names of purifiers may hold what the grammar of parameters does not know.
        return PurifierCall(PURIFIERS.get(text, where=where).name)
    name, params = parsed_call(text, params_of, what="input defence", where=where)
    return PurifierCall(name, params)


class Purification:
    """Purifiers one after another, ready for examples of any language.

    `models` are the masked language models of those that have one, by the names that they were written with.
    """

    def __init__(
        self, names: Sequence[str], words: str | None = None, models: Mapping[str, MaskedScores] | None = None
    ) -> None:
        self._calls = [parse_purifier(name) for name in names]
        self._words, self._models = words, models or {}
        self._of: dict[str, list[Cleaning]] = {}

    def ahead(self, examples: Iterable[Example], fixed: Collection[str] = ()) -> None:
        """Make the texts of examples known that will be read (`fixed` as of `example`): together they cost less."""
        self._ahead(part for example in examples for part in _parts(example, fixed))

    def example(self, example: Example, fixed: Collection[str] = ()) -> Example:
        """The example as the model shall read it; `fixed` are questions of the task's own, in no language of the data.

        XCOPA asks in English of every language, and lists of words of that language would correct the question.
        """
        match example:
            case PairExample():
                first, second = (self._text(t, example.language) for t in (example.first, example.second))
                return replace(example, first=first, second=second)
            case ChoiceExample():
                question = example.question
                return replace(
                    example,
                    context=self._text(example.context, example.language),
                    question=question if question in fixed else self._text(question, example.language),
                    choices=tuple(self._text(choice, example.language) for choice in example.choices),
                )
            case TaggingExample():
                return replace(example, words=self._sentence(example.words, example.language))
            case SpanExample():
                language = example.context_language or example.language
                question = self._text(example.question, example.language)
                # The gold answers belong to the text as it was: a model that reads has no use for them.
                return replace(example, question=question, context=self._text(example.context, language), answers=None)
            case QueryExample():
                query = self._text(example.query, example.language)
                context = self._text(example.context, example.language)
                if example.span is None:
                    return replace(example, query=query, context=context)
                span = self.span(example.context, example.language, example.span)
                mention = context[span.start : span.end]
                return replace(example, query=query, context=context, mention=mention, span=span)
            case _:
                assert_never(example)

    def dataset(self, data: Dataset) -> Dataset:
        """The data set as the model shall read it."""
        pool = None if data.pool is None else self.pool(data.pool)
        fixed = kept_texts(TASKS[data.task]) if data.task in TASKS else frozenset()
        read: list[Example] = []
        for start in range(0, len(data), _CHUNK):
            some = data.examples[start : start + _CHUNK]
            self.ahead(some, fixed)
            read += [self.example(example, fixed) for example in some]
        return replace(data, examples=tuple(read), pool=pool)

    def pool(self, pool: Pool) -> Pool:
        """The pool as the model shall read it."""
        read: list[Candidate] = []
        for start in range(0, len(pool.candidates), _CHUNK):
            some = pool.candidates[start : start + _CHUNK]
            self._ahead((c.language, text) for c in some for text in (c.text, c.context))
            read += [self._candidate(candidate) for candidate in some]
        return Pool(tuple(read))

    def answer(self, example: SpanExample, start: int, end: int) -> tuple[str, int, int]:
        """An answer in the purified context as a part of the context as it was: text, start, end."""
        language = example.context_language or example.language
        rewrite = self.rewrite(example.context, language)
        sources = Placement(rewrite.pieces).origin([Keep(start, end)])
        kept = [source for source in sources if isinstance(source, Keep)]
        at, until = min(source.start for source in kept), max(source.end for source in kept)
        # What a backspace has deleted belongs to the letter before it.
        pieces = [s for p in rewrite.pieces for s in ((p,) if isinstance(p, Keep) else p.over) if isinstance(s, Keep)]
        after = min((max(s.start, until) for s in pieces if s.end > until), default=len(example.context))
        until += example.context[until:after].rfind("\b") + 1
        return example.context[at:until], at, until

    def rewrite(self, text: str, language: str) -> Rewrite:
        """What becomes of a text."""
        whole = Rewrite.identity(text)
        for cleaning in self._cleanings(language):
            now = whole.apply(text)
            if edits := cleaning(now):
                whole = whole.then(Rewrite.from_edits(now, edits))
        return whole

    def span(self, text: str, language: str, span: Span) -> Span:
        """Where a span of a text lies in the purified one: all that stands for a part of it; empty if nothing does."""
        covered: list[int] = []
        at = 0
        for piece in self.rewrite(text, language).pieces:
            if isinstance(piece, Keep):
                low, high = max(piece.start, span.start), min(piece.end, span.end)
                if low < high:
                    covered += [at + low - piece.start, at + high - piece.start]
                at += piece.end - piece.start
                continue
            if any(isinstance(s, Keep) and s.start < span.end and span.start < s.end for s in piece.over):
                covered += [at, at + len(piece.text)]
            at += len(piece.text)
        return Span(min(covered), max(covered)) if covered else Span(0, 0)

    def _text(self, text: str, language: str) -> str:
        return self.rewrite(text, language).apply(text)

    def _candidate(self, candidate: Candidate) -> Candidate:
        language = candidate.language
        text, context = self._text(candidate.text, language), self._text(candidate.context, language)
        return replace(candidate, text=text, context=context)

    def _sentence(self, words: tuple[str, ...], language: str) -> tuple[str, ...]:
        """The words of a tagged sentence, one for each; a word of which nothing would be left stays."""
        if not self._contextual(language):
            return tuple(self._text(word, language) or word for word in words)
        for cleaning in self._cleanings(language):
            words = _cleaned_sentence(cleaning, words)
        return words

    def _contextual(self, language: str) -> bool:
        return any(isinstance(cleaning, Contextual) for cleaning in self._cleanings(language))

    def _ahead(self, parts: Iterable[tuple[str, str | tuple[str, ...]]]) -> None:
        """Make texts, and tagged sentences as their words, known by their languages."""
        if not self._models:
            return
        by_language: defaultdict[str, dict[str | tuple[str, ...], None]] = defaultdict(dict)
        for language, part in parts:
            by_language[language][part] = None
        for language, some in by_language.items():
            if not self._contextual(language):
                continue
            now = [*some]
            for cleaning in self._cleanings(language):
                if isinstance(cleaning, Contextual):
                    cleaning.ahead([text if isinstance(text, str) else " ".join(text) for text in now])
                now = [
                    _cleaned(cleaning, text) if isinstance(text, str) else _cleaned_sentence(cleaning, text)
                    for text in now
                ]

    def _cleanings(self, language: str) -> list[Cleaning]:
        if language not in self._of:
            self._of[language] = [c for call in self._calls for c in self._prepared(call, language)]
        return self._of[language]

    def _prepared(self, call: PurifierCall, language: str) -> Sequence[Cleaning]:
        declared = call.declaration
        if not call.model:
            return declared.prepare(language, self._words)
        assert declared.prepare_with is not None
        return declared.prepare_with(language, self._words, self._models[call.model])


def _parts(example: Example, fixed: Collection[str]) -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """The texts of an example with their languages, as `Purification.example` reads them."""
    match example:
        case TaggingExample():
            yield example.language, example.words
        case SpanExample():
            yield example.language, example.question
            yield example.context_language or example.language, example.context
        case PairExample() | ChoiceExample() | QueryExample():
            # A mention is a part of its context.
            yield from ((example.language, text) for text in text_fields(example).values() if text not in fixed)
        case _:
            assert_never(example)


def _cleaned(cleaning: Cleaning, text: str) -> str:
    edits = cleaning(text)
    return Rewrite.from_edits(text, edits).apply(text) if edits else text


def _cleaned_sentence(cleaning: Cleaning, words: tuple[str, ...]) -> tuple[str, ...]:
    """Each word of a sentence after a cleaning, or as it was if nothing would be left."""
    if not isinstance(cleaning, Contextual):
        return tuple(_cleaned(cleaning, word) or word for word in words)
    edits = [*cleaning(" ".join(words))]
    changed, at = [*words], 0
    for i, word in enumerate(words):
        inside = [(s - at, e - at, new) for s, e, new in edits if at <= s and e <= at + len(word)]
        if inside:
            changed[i] = Rewrite.from_edits(word, inside).apply(word) or word
        at += len(word) + 1
    return tuple(changed)
