"""Input defences: what is put right in a text before the model reads it. One file a purifier, which declares itself.

A purifier needs no training. It says which parts of a text become what, so that an answer found in the purified
text is given in the words of the text as it was, and each word of a tagged sentence keeps its tag.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

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
)
from crosswind.perturb.pieces import Keep, Placement
from crosswind.perturb.rewrite import Edit, Rewrite
from crosswind.registry import Registry
from crosswind.tasks.base import TASKS, kept_texts

Cleaning = Callable[[str], Sequence[Edit]]
"""What becomes of a text of one language: (start, end, replacement), without overlap; nothing is inserted."""


@dataclass(frozen=True)
class Purifier:
    """A declaration.

    `prepare` makes the cleanings of a language, one pass after another, from the folder of word lists that the study
    names (None: none); it raises a `UserError` where it needs one. `resources` are what the result depends on, by
    SHA-256 or version. `made_for` names the perturbations that it is meant to undo: results tell them from others.
    """

    name: str
    summary: str
    source: str
    prepare: Callable[[str, str | None], Sequence[Cleaning]]
    resources: Callable[[str, str | None], Mapping[str, str]] = lambda language, words: {}
    made_for: frozenset[str] = frozenset()


PURIFIERS: Registry[Purifier] = Registry("input defence", "crosswind.evaluate.purify", "crosswind.purifiers", Purifier)


class Purification:
    """Purifiers one after another, ready for examples of any language."""

    def __init__(self, names: Sequence[str], words: str | None = None) -> None:
        self._purifiers = [PURIFIERS[name] for name in names]
        self._words = words
        self._of: dict[str, list[Cleaning]] = {}

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
                words = tuple(self._text(word, example.language) or word for word in example.words)
                return replace(example, words=words)
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
        return replace(data, examples=tuple(self.example(example, fixed) for example in data.examples), pool=pool)

    def pool(self, pool: Pool) -> Pool:
        """The pool as the model shall read it."""
        return Pool(tuple(self._candidate(candidate) for candidate in pool.candidates))

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

    def _cleanings(self, language: str) -> list[Cleaning]:
        if language not in self._of:
            self._of[language] = [c for p in self._purifiers for c in p.prepare(language, self._words)]
        return self._of[language]
