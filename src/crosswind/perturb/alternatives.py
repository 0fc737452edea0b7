"""Alternatives: which sites of a passage may change, and what each may become."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, Protocol, overload, runtime_checkable

import regex

from crosswind.perturb.passage import Passage
from crosswind.perturb.pieces import New, Piece

Option = str | tuple[Piece, ...]
"""What a region may become: a text, or pieces of the same text in another order (a local permutation)."""

_SPACE = regex.compile(r"\s")


class Site(NamedTuple):
    """A region `start:end` of a text that may change, and what it may become (never what it is)."""

    start: int
    end: int
    options: tuple[Option, ...]


def _no_options(index: int) -> tuple[Option, ...]:
    return ()


class Sites(Sequence[Site]):
    """The sites of one passage, in ascending order of their starts; several may begin at one offset.

    * `options(i)` lists what site i may become. It is called for the few sites that noise drew. Leave
      it out where `Alternatives.draw` makes options without listing them.
    * `counters[i]` is, beside the key of the passage, what decides the draw of site i: a number that no
      other site of the passage has. By default it is the start, which suits one site an offset.
    * `groups[i]` is the group of site i: at most `most` sites of a group change, those of lowest u.
    * `weights(i)` are the weights of `options(i)`; without them each is as likely.

    `passage` is set by who makes the sites of a batch.
    """

    __slots__ = ("_options", "counters", "ends", "groups", "most", "passage", "starts", "weights")

    def __init__(
        self,
        starts: Sequence[int],
        ends: Sequence[int],
        options: Callable[[int], tuple[Option, ...]] = _no_options,
        *,
        counters: Sequence[int] | None = None,
        groups: Sequence[int] | None = None,
        most: int = 1,
        weights: Callable[[int], Sequence[float]] | None = None,
        passage: Passage | None = None,
    ) -> None:
        self.starts, self.ends, self._options = starts, ends, options
        self.counters = starts if counters is None else counters
        self.groups, self.most, self.weights = groups, most, weights
        self.passage = passage

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Site]:
        return (self._site(i) for i in range(len(self.starts)))

    @overload
    def __getitem__(self, index: int) -> Site: ...

    @overload
    def __getitem__(self, index: slice) -> list[Site]: ...

    def __getitem__(self, index: int | slice) -> Site | list[Site]:
        if isinstance(index, slice):
            return [self._site(i) for i in range(*index.indices(len(self.starts)))]
        return self._site(range(len(self.starts))[index])

    def options(self, index: int) -> tuple[Option, ...]:
        """What a site may become."""
        return self._options(index)

    def _site(self, index: int) -> Site:
        return Site(self.starts[index], self.ends[index], self._options(index))


SiteAddress = tuple[Sites, int]
"""A site of a batch: the sites of its passage, and its index among them."""

DrawnSite = tuple[Sites, int, int]
"""A site that was drawn: the sites of its passage, its index, and 64 random bits to choose by."""


class Alternatives(Protocol):
    """What a perturbation offers for passages of one language, kind and set of parameters.

    Calls are made in batches of hundreds, so that a model can fill all sites at once. A result depends
    on its own passage, site and bits alone, never on the other members of the batch.
    """

    def sites(self, passages: Sequence[Passage]) -> Sequence[Sites]:
        """The sites of each passage; each has its `passage` set."""
        ...

    def draw(self, at: Sequence[DrawnSite]) -> Iterable[Option | None]:
        """What each drawn site becomes, chosen by its bits; `None` where nothing fits (it is counted)."""
        ...

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> Sequence[Sequence[Option]]:
        """What each site may become, the likeliest first, at most `most` of them."""
        ...


@runtime_checkable
class Refusing(Protocol):
    """Alternatives that may find nothing to change in texts of a kind and language to which they apply."""

    def lacking(self, passages: Sequence[Passage]) -> str | None:
        """What all of these passages lack, so that none of them can change; `None` where one can."""
        ...


@runtime_checkable
class Traced(Protocol):
    """Alternatives whose options stand in translations of the text, and which say where."""

    def origins(self, sites: Sites, index: int) -> Mapping[Option, Sequence[tuple[str, int, int]]]:
        """Of each option of a site the (language, first word, one behind the last word) where it stands."""
        ...


class Listed:
    """Alternatives that a function of the passage lists: all that a simple perturbation needs.

    In a tagged sentence an option with white space would be another word: it is left out unless it
    carries the tag of what it inserts (`New.tag`).
    """

    def __init__(self, of: Callable[[Passage], Sites]) -> None:
        self._of = of

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        """The sites of each passage."""
        every = []
        for passage in passages:
            sites = self._of(passage)
            sites.passage = passage
            every.append(sites)
        return every

    def draw(self, at: Iterable[DrawnSite]) -> Iterator[Option | None]:
        """An option of each site, evenly or by its weights."""
        for sites, index, bits in at:
            options = sites._options(index)
            if sites.weights is None and (sites.passage is None or not sites.passage.words):
                yield options[bits * len(options) >> 64] if options else None
            else:
                yield _fitting(sites, index, options, bits)

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[Sequence[Option]]:
        """The options of each site in the order of its function, by falling weight where it has weights."""
        every: list[Sequence[Option]] = []
        for sites, index in at:
            options: Sequence[Option] = sites.options(index)
            if sites.weights is not None:
                weights = sites.weights(index)
                options = [options[i] for i in sorted(range(len(options)), key=lambda i: -weights[i])]
            if sites.passage is not None and sites.passage.words:
                options = [option for option in options if not breaks_words(option)]
            every.append(options[:most])
        return every


def _fitting(sites: Sites, index: int, options: tuple[Option, ...], bits: int) -> Option | None:
    """The option that bits choose by weight, in a tagged sentence among those that break no words."""
    weights = None if sites.weights is None else sites.weights(index)
    if sites.passage is not None and sites.passage.words and any(map(breaks_words, options)):
        fit = [i for i, option in enumerate(options) if not breaks_words(option)] or range(len(options))
        options = tuple(options[i] for i in fit)
        weights = None if weights is None else [weights[i] for i in fit]
    if not options:
        return None
    return options[bits * len(options) >> 64] if weights is None else weighted(options, weights, bits)


def weighted(options: Sequence[Option], weights: Sequence[float], bits: int) -> Option | None:
    """The option that 64 random bits choose by weight; `None` if all weights are 0."""
    sums = list(accumulate(weights))
    if not sums or sums[-1] <= 0:
        return None
    return options[min(bisect_right(sums, (bits >> 11) * 2.0**-53 * sums[-1]), len(sums) - 1)]


def breaks_words(option: Option) -> bool:
    """Whether an option brings white space into a tagged sentence without a tag for what it inserts."""
    if isinstance(option, str):
        return bool(_SPACE.search(option))
    return any(isinstance(p, New) and not p.tag and _SPACE.search(p.text) for p in option)
