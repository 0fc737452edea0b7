"""Word alignment of parallel text by expectation maximisation: which word stands for which.

The model is IBM model 1 with a prior that prefers the diagonal (Dyer, Chahuneau & Smith 2013, "A Simple, Fast, and
Effective Reparameterization of IBM Model 2", §2) and variational Bayes over the translation tables (§3.2 there). It
is run in both directions, and the two are made one by a heuristic of Och & Ney 2003 ("A Systematic Comparison of
Various Statistical Alignment Models", §6) or Koehn, Och & Marcu 2003 ("Statistical Phrase-Based Translation", §3.1).

Nothing is drawn at random, so the same pairs give the same links. A cell (source word, target word of one pair) takes
about 60 bytes: 10,000 pairs of 25 words each take 400 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, assert_never, get_args

import numpy as np
import numpy.typing as npt
from scipy.special import digamma

from crosswind.errors import unknown

_Ints = npt.NDArray[np.int64]
_Floats = npt.NDArray[np.float64]

Link = tuple[int, int]
"""(index of the source word, index of the target word)."""

WordPair = tuple[Sequence[str], Sequence[str]]
"""The words of a sentence, and those of its translation."""

Symmetrisation = Literal["intersection", "grow-diag", "grow-diag-final-and", "union"]

# fast_align's defaults (Dyer et al. 2013, §4): probability of the null word, tension λ, Dirichlet prior α.
_NULL, _TENSION, _ALPHA = 0.08, 4.0, 0.01
_NEIGHBOURS = ((-1, 0), (0, -1), (1, 0), (0, 1), (-1, -1), (-1, 1), (1, -1), (1, 1))


def align(
    pairs: Sequence[WordPair],
    *,
    symmetrise: Symmetrisation = "grow-diag",
    iterations: int = 5,
    tension: float = _TENSION,
    null: float = _NULL,
    alpha: float = _ALPHA,
) -> list[list[Link]]:
    """The links of each pair, ascending; none for a pair of which a side has no words.

    The words are compared as they are: a caller who wants "The" and "the" to be one lower-cases them. More pairs
    make better links: a word that occurs once is aligned by its place alone. `tension` 0 is IBM model 1,
    `alpha` 0 plain maximum likelihood. Raises a `UserError` for an unknown symmetrisation.
    """
    if symmetrise not in get_args(Symmetrisation):
        raise unknown("symmetrisation", symmetrise, get_args(Symmetrisation))
    settings = _Settings(iterations, tension, null, alpha)
    there = _viterbi(pairs, settings)
    back = [[(i, j) for j, i in links] for links in _viterbi([(t, s) for s, t in pairs], settings)]
    return [symmetrised(a, b, symmetrise) for a, b in zip(there, back, strict=True)]


def symmetrised(there: Iterable[Link], back: Iterable[Link], how: Symmetrisation) -> list[Link]:
    """One set of links, ascending, of those of the two directions (both as (source, target))."""
    a, b = set(there), set(back)
    match how:
        case "intersection":
            return sorted(a & b)
        case "union":
            return sorted(a | b)
        case "grow-diag":
            return sorted(_grown(a, b))
        case "grow-diag-final-and":
            return sorted(_finished(_grown(a, b), a, b))
        case _:
            assert_never(how)


def translation_table(pairs: Sequence[WordPair], *, iterations: int = 5) -> dict[tuple[str, str], float]:
    """p(target word | source word) after EM in the one direction, for the word pairs that share a sentence pair.

    The empty string as source word is the null word.
    """
    model = _Cells.of(pairs)
    if model is None:
        return {}
    table = _trained(model, _Settings(iterations, _TENSION, _NULL, _ALPHA))
    sources = ["", *model.source_words]
    return {
        (sources[s], model.target_words[t]): float(p)
        for s, t, p in zip(model.type_source.tolist(), model.type_target.tolist(), table.tolist(), strict=True)
    }


@dataclass(frozen=True, slots=True)
class _Settings:
    iterations: int
    tension: float
    null: float
    alpha: float


@dataclass(frozen=True, slots=True)
class _Cells:
    """All (target word, source word or null) cells of a corpus in one array, a row a target word.

    `rows[r]` is where row r begins. `kind` is the index of a cell's (source type, target type) among the types
    that occur, whose members are `type_source` (0 is null) and `type_target`.
    """

    rows: _Ints
    row_of: _Ints
    source_index: _Ints  # -1 is null
    kind: _Ints
    type_source: _Ints
    type_target: _Ints
    distance: _Floats  # |i/m - j/n|, of null 0
    pair_of_row: _Ints
    target_index: _Ints  # of a row
    source_words: list[str]
    target_words: list[str]

    @classmethod
    def of(cls, pairs: Sequence[WordPair]) -> _Cells | None:
        """The cells of the pairs that have words on both sides; `None` if none has."""
        usable = [k for k, (s, t) in enumerate(pairs) if len(s) and len(t)]
        if not usable:
            return None
        source_ids, source_words = _numbered([pairs[k][0] for k in usable])
        target_ids, target_words = _numbered([pairs[k][1] for k in usable])
        n = np.array([len(pairs[k][0]) for k in usable], dtype=np.int64)
        m = np.array([len(pairs[k][1]) for k in usable], dtype=np.int64)
        source_start = np.concatenate(([0], np.cumsum(n)[:-1]))
        target_start = np.concatenate(([0], np.cumsum(m)[:-1]))
        of_pair = np.repeat(np.arange(len(usable)), m)
        target_index = np.arange(len(target_ids)) - target_start[of_pair]
        widths = n[of_pair] + 1
        rows = np.concatenate(([0], np.cumsum(widths)[:-1]))
        row_of = np.repeat(np.arange(len(widths)), widths)
        source_index = np.arange(int(widths.sum())) - rows[row_of] - 1
        at = source_start[of_pair[row_of]] + np.maximum(source_index, 0)
        source = np.where(source_index < 0, 0, source_ids[at] + 1)
        kinds, kind = np.unique(source * len(target_words) + target_ids[row_of], return_inverse=True)
        i = (target_index + 1) / m[of_pair]
        j = (source_index + 1) / n[of_pair][row_of]
        distance = np.where(source_index < 0, 0.0, np.abs(i[row_of] - j))
        return cls(
            rows=rows,
            row_of=row_of,
            source_index=source_index,
            kind=kind.reshape(-1),
            type_source=kinds // len(target_words),
            type_target=kinds % len(target_words),
            distance=distance,
            pair_of_row=np.array(usable, dtype=np.int64)[of_pair],
            target_index=target_index,
            source_words=source_words,
            target_words=target_words,
        )

    def prior(self, settings: _Settings) -> _Floats:
        """p(source index | target index, lengths): `null` for the null word, the rest by the distance."""
        real = self.source_index >= 0
        weight = np.where(real, np.exp(-settings.tension * self.distance), 0.0)
        total = np.add.reduceat(weight, self.rows)
        scaled: _Floats = np.where(real, (1 - settings.null) * weight / total[self.row_of], settings.null)
        return scaled


def _numbered(sentences: Iterable[Sequence[str]]) -> tuple[_Ints, list[str]]:
    """The words of all sentences in a row as numbers, and the words by number."""
    numbers: dict[str, int] = {}
    flat = [numbers.setdefault(w, len(numbers)) for sentence in sentences for w in sentence]
    return np.array(flat, dtype=np.int64), list(numbers)


def _trained(cells: _Cells, settings: _Settings) -> _Floats:
    """p(target type | source type) of each type pair after EM from a uniform table."""
    table = np.ones(len(cells.type_source))
    prior = cells.prior(settings)
    sources, targets = len(cells.source_words) + 1, len(cells.target_words)
    for _ in range(settings.iterations):
        posterior = table[cells.kind] * prior
        posterior /= np.add.reduceat(posterior, cells.rows)[cells.row_of]
        counts = np.bincount(cells.kind, weights=posterior, minlength=len(table))
        totals = np.bincount(cells.type_source, weights=counts, minlength=sources)
        if settings.alpha:
            table = np.exp(
                digamma(counts + settings.alpha) - digamma(totals + settings.alpha * targets)[cells.type_source]
            )
        else:
            table = counts / np.maximum(totals[cells.type_source], np.finfo(np.float64).tiny)
    return table


def _viterbi(pairs: Sequence[WordPair], settings: _Settings) -> list[list[Link]]:
    """The likeliest source word of each target word; none where that is null. Ties go to the lower index."""
    links: list[list[Link]] = [[] for _ in pairs]
    cells = _Cells.of(pairs)
    if cells is None:
        return links
    score = _trained(cells, settings)[cells.kind] * cells.prior(settings)
    best = np.maximum.reduceat(score, cells.rows)
    at = np.flatnonzero(score == best[cells.row_of])
    _, first = np.unique(cells.row_of[at], return_index=True)
    chosen = at[first]
    chosen = chosen[cells.source_index[chosen] >= 0]
    row = cells.row_of[chosen]
    for pair, source, target in zip(
        cells.pair_of_row[row].tolist(),
        cells.source_index[chosen].tolist(),
        cells.target_index[row].tolist(),
        strict=True,
    ):
        links[pair].append((source, target))
    return links


def _grown(a: set[Link], b: set[Link]) -> set[Link]:
    """The intersection, and what of the union touches it and aligns a word that had no link (grow-diag)."""
    grown, union = a & b, a | b
    sources, targets = {s for s, _ in grown}, {t for _, t in grown}
    added = True
    while added:
        added = False
        for s, t in sorted(grown):
            for ds, dt in _NEIGHBOURS:
                link = (s + ds, t + dt)
                if link in union and link not in grown and (link[0] not in sources or link[1] not in targets):
                    grown.add(link)
                    sources.add(link[0])
                    targets.add(link[1])
                    added = True
    return grown


def _finished(grown: set[Link], a: set[Link], b: set[Link]) -> set[Link]:
    """And the links of either direction between two words that have none yet (final-and)."""
    sources, targets = {s for s, _ in grown}, {t for _, t in grown}
    for link in [*sorted(a), *sorted(b)]:
        if link[0] not in sources and link[1] not in targets:
            grown.add(link)
            sources.add(link[0])
            targets.add(link[1])
    return grown
