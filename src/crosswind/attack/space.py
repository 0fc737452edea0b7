"""What an attack may do to one example: its sites, what each may become, and the texts that a choice of them gives.

A search deals in states: which sites change, and to which of their options. Two equal states are one text.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from crosswind.data.examples import Example, Span
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.alternatives import Option
from crosswind.perturb.applied import Change, Liberties, applied
from crosswind.perturb.example import rebuild
from crosswind.perturb.passage import Passage, Written
from crosswind.perturb.words import words as words_of

State = tuple[tuple[int, int], ...]
"""(site, option) pairs in ascending order of sites; `()` is the clean example. Site `-1 - w` takes word w away."""


class GoalVerdict(NamedTuple):
    """What the victim says of a text: the loss of the gold answer, how right it still is in [0, 1], and its prediction
    where it gives one."""

    loss: float
    right: float
    prediction: Prediction | None = None

    @property
    def badness(self) -> tuple[float, float]:
        """By which an attack prefers one text to another: less right first, then the higher loss."""
        return (-self.right, self.loss)


class Origin(NamedTuple):
    """Where an option stands in a translation: its language, and its words `start:end` there."""

    language: str
    start: int
    end: int


class AttackSite(NamedTuple):
    """A region of a passage that may change; `word` is the number of the word that it begins in.

    `origins` says of options that stand in a translation where; empty where their order is free.
    """

    passage: int
    start: int
    end: int
    options: tuple[Option, ...]
    liberties: Liberties
    word: int
    group: tuple[int, int, int] | None = None
    most: int = 1
    origins: tuple[tuple[Origin, ...], ...] = ()


class Trial:
    """A text that a state gives: the example, its passages that changed by number, and edits per word.

    The edits are counted where they are asked for: most of what a gradient orders is never looked at again.
    """

    __slots__ = ("_rate", "_space", "example", "state", "written")

    def __init__(
        self, space: Space, state: State, example: Example, written: tuple[tuple[int, Written], ...], rate: float | None
    ) -> None:
        self._space, self.state, self.example, self.written, self._rate = space, state, example, written, rate

    @property
    def edit_rate(self) -> float:
        """Edits per word over all passages."""
        if self._rate is None:
            self._rate = self._space.edit_rate(self.written)
        return self._rate


@dataclass
class Space:
    """The sites of one example, in the order of its passages and of their starts.

    `refused` counts by reason what is no site (protected, beyond the window, a constraint's mask). `clean` is what the
    victim says of the unchanged example. `most_edits` is the largest edit rate that a text may have, `most_changes`
    the largest number of sites that change. `probe` is what a word becomes where a search measures its importance.
    """

    example: Example
    passages: tuple[Passage, ...]
    sites: tuple[AttackSite, ...]
    clean: GoalVerdict
    most_edits: float = 1.0
    most_changes: int | None = None
    probe: str = ""
    refused: Counter[str] = field(default_factory=Counter)

    @cached_property
    def words(self) -> tuple[tuple[int, Span], ...]:
        """The words of all passages: (passage, span)."""
        return tuple((i, w) for i, p in enumerate(self.passages) for w in attackable_words(p))

    @cached_property
    def by_word(self) -> dict[int, list[int]]:
        """The sites of each word, in order of the words."""
        groups: dict[int, list[int]] = {}
        for i, site in enumerate(self.sites):
            groups.setdefault(site.word, []).append(i)
        return dict(sorted(groups.items()))

    @property
    def positions(self) -> int:
        """The number of sites that may change: what a budget is compared with across languages."""
        return len(self.sites)

    @property
    def size(self) -> int:
        """The number of single changes."""
        return sum(len(s.options) for s in self.sites)

    def singles(self) -> Iterator[State]:
        """Every state of one change."""
        return (((i, o),) for i, site in enumerate(self.sites) for o in range(len(site.options)))

    def fits(self, state: State, site: int) -> bool:
        """Whether a site can change beside those of a state: it overlaps none, and the limits allow it."""
        new = self.sites[site]
        if self.most_changes is not None and len(state) >= self.most_changes:
            return False
        in_group = 0
        for other, _ in state:
            old = self.sites[other]
            if other == site:
                return False
            if old.passage == new.passage and _overlap(old, new):
                return False
            in_group += new.group is not None and old.group == new.group
        return in_group < new.most or new.group is None

    def extended(self, state: State, site: int, option: int) -> State | None:
        """The state with one more change; `None` where it does not fit."""
        return tuple(sorted((*state, (site, option)))) if self.fits(state, site) else None

    def without(self, state: State, site: int) -> State:
        """The state without the change of a site."""
        return tuple(pair for pair in state if pair[0] != site)

    def probes(self, word: int) -> State:
        """The state that takes a word away, to measure its importance."""
        return ((-1 - word, 0),)

    def trial(self, state: State) -> Trial | None:
        """The text of a state; `None` where a label, a word or the normal form does not survive, where nothing
        changes, where more would be edited than may be, or where neighbouring phrases go backwards."""
        if not self.forward(state):
            return None
        changes: dict[int, list[Change]] = {}
        liberties: dict[int, Liberties] = {}
        for index, option in state:
            if index < 0:
                passage, word = self.words[-1 - index]
                text = self.probe or ("_" if self.passages[passage].words else "")
                changes.setdefault(passage, []).append((word.start, word.end, text, 0.0))
                continue
            site = self.sites[index]
            changes.setdefault(site.passage, []).append((site.start, site.end, site.options[option], 0.0))
            before = liberties.get(site.passage, Liberties())
            new = site.liberties
            liberties[site.passage] = Liberties(before.words or new.words, before.form or new.form)
        written: list[tuple[int, Written]] = []
        for number, some in sorted(changes.items()):
            some.sort(key=lambda c: (c[0], c[1]))
            result = applied(self.passages[number], some, liberties.get(number, Liberties()))
            if result is None:
                return None
            if result.passage.text != self.passages[number].text:
                written.append((number, result))
        if not written:
            return None
        rate = None if self.most_edits == math.inf else self.edit_rate(written)
        if rate is not None and rate > self.most_edits and state[0][0] >= 0:
            return None
        return Trial(self, state, self.rebuilt(w for _, w in written), tuple(written), rate)

    def rebuilt(self, written: Iterable[Written]) -> Example:
        """The example with what became of its passages."""
        return rebuild(self.example, written)

    def forward(self, state: State) -> bool:
        """Whether no phrase stands wholly before its left neighbour in the translation that both are from.

        Neighbours have no word between them. It is the equivalence constraint of Tan & Joty 2021, §3.2: such a jump
        would exchange the two. A phrase that stands at several points may be any of them.
        """
        before: AttackSite | None = None
        possible: tuple[Origin, ...] = ()
        for index, option in sorted(state, key=lambda pair: self._at(pair[0])):
            if index < 0 or not self.sites[index].origins:
                before, possible = None, ()
                continue
            site = self.sites[index]
            mine = site.origins[option]
            if before is not None and before.passage == site.passage:
                gap = self.passages[site.passage].text[before.end : site.start]
                if not any(c.isalnum() for c in gap):
                    mine = tuple(o for o in mine if any(_onward(b, o) for b in possible))
                    if not mine:
                        return False
            before, possible = site, mine
        return True

    def _at(self, index: int) -> tuple[int, int]:
        if index < 0:
            passage, word = self.words[-1 - index]
            return passage, word.start
        return self.sites[index].passage, self.sites[index].start

    def edit_rate(self, written: Iterable[tuple[int, Written]]) -> float:
        """Edits per word over all passages."""
        total = max(1, len(self.words))
        edits = 0.0
        for number, result in written:
            spans = self._spans[number]
            edits += result.rewrite.edit_rate(spans) * max(1, len(spans))
        return edits / total

    @cached_property
    def _spans(self) -> tuple[list[Span], ...]:
        return tuple(attackable_words(p) for p in self.passages)


def attackable_words(passage: Passage) -> list[Span]:
    """The words of a passage: of a tagged sentence its own."""
    return list(passage.words) if passage.words else words_of(passage.text, passage.language)


def word_numbers(passages: Sequence[Passage]) -> list[list[tuple[int, int]]]:
    """For each passage (start, number) of its words, numbered over all passages."""
    numbered, at = [], 0
    for passage in passages:
        spans = attackable_words(passage)
        numbered.append([(span.start, at + i) for i, span in enumerate(spans)])
        at += len(spans)
    return numbered


def _onward(before: Origin, after: Origin) -> bool:
    return before.language != after.language or after.end > before.start


def _overlap(a: AttackSite, b: AttackSite) -> bool:
    """Whether two regions of one passage cannot both change: they share a character, or begin at one border."""
    if a.start == b.start:
        return True
    first, second = (a, b) if a.start < b.start else (b, a)
    return second.start < first.end
