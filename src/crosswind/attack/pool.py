"""Attacks on a pool: a query meets a wrong candidate that is its right one but for a few words.

The texts of a query stay as they are. A state says which words of its first right candidate become others; the
candidate that this gives is added to the pool, where it is wrong. Words come from other candidates of its language.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from crosswind.attack.space import AttackSite, GoalVerdict, Space, attackable_words
from crosswind.data.examples import Candidate, Example, Pool, QueryExample
from crosswind.perturb.applied import Liberties
from crosswind.perturb.donors import Donors
from crosswind.perturb.draw import key
from crosswind.perturb.example import candidate_passage, rebuild_candidate
from crosswind.perturb.passage import Passage, Written
from crosswind.perturb.replay import replay_candidate
from crosswind.perturb.rewrite import Rewrite

LEAST_LETTERS = 4  # of a word that becomes another: function words would leave the candidate right


@dataclass(frozen=True)
class DistractedQuery(QueryExample):
    """A query whose pool has further candidates, which are wrong."""

    negatives: tuple[Candidate, ...] = ()


@dataclass
class PoolSpace(Space):
    """The space of a query: the words of its first right candidate."""

    candidate: Candidate | None = None

    def rebuilt(self, written: Iterable[Written]) -> Example:
        """The query beside the candidate that a state gives."""
        assert isinstance(self.example, QueryExample)
        assert self.candidate is not None
        (one,) = written
        negative = replace(rebuild_candidate(self.candidate, one), id=negative_id(self.example, self.candidate))
        query = self.example
        texts = query.context, query.mention, query.span
        return DistractedQuery(query.id, query.cluster, query.language, query.query, query.gold, *texts, (negative,))


class PoolSpaceMaker:
    """Makes the spaces of queries of one pool: `sites` words of the right candidate, `options` others for each."""

    def __init__(self, pool: Pool, sites: int, options: int, changes: int) -> None:
        self.pool, self.sites, self.options, self.changes = pool, sites, options, changes
        lent: dict[str, dict[str, None]] = {}
        for candidate in pool.candidates:
            passage = candidate_passage(candidate)
            lent.setdefault(candidate.language, {}).update(dict.fromkeys(_long_words(passage)))
        self._donors = {language: Donors([*some], [*some]) for language, some in lent.items()}

    def __call__(self, examples: Sequence[tuple[int, Example, GoalVerdict]]) -> list[Space]:
        """The spaces of (number, query, clean verdict)."""
        return [self._space(example, clean) for _, example, clean in examples]

    def _space(self, example: Example, clean: GoalVerdict) -> Space:
        assert isinstance(example, QueryExample)
        candidate = first_right(example, self.pool)
        if candidate is None:
            return Space(example, (), (), clean)
        passage = candidate_passage(candidate)
        sites = []
        for number, word in enumerate(attackable_words(passage)):
            text = passage.text[word.start : word.end]
            if len(text) >= LEAST_LETTERS and all(s.start <= word.start and word.end <= s.end for s in passage.labels):
                ranked = self._donors[candidate.language].ranked(key(candidate.id, text))
                others = (other for other in ranked if other.casefold() != text.casefold())
                options = tuple(other for _, other in zip(range(self.options), others, strict=False))
                if options:
                    sites.append(AttackSite(0, word.start, word.end, options, Liberties(), number))
        longest = sorted(sites, key=lambda s: (s.start - s.end, s.start))[: self.sites]
        chosen = tuple(sorted(longest, key=lambda s: s.start))
        refused = (
            Counter({"beyond the longest words": len(sites) - len(chosen)}) if len(sites) > len(chosen) else Counter()
        )
        return PoolSpace(example, (passage,), chosen, clean, float("inf"), self.changes, "", refused, candidate)


def first_right(query: QueryExample, pool: Pool) -> Candidate | None:
    """The first right candidate of a query that its pool holds."""
    return next((pool.candidates[pool.index[name]] for name in query.gold if name in pool.index), None)


def negative_id(query: QueryExample, candidate: Candidate) -> str:
    """The id of what is added to the pool for a query."""
    return f"{candidate.id}/negative/{query.id}/attack"


def added_candidate(query: QueryExample, pool: Pool, rewrites: dict[str, Rewrite]) -> Candidate | None:
    """The candidate that an attack of a query added, from its stored rewrite; `None` where it added none."""
    candidate = first_right(query, pool)
    if candidate is None or not rewrites:
        return None
    stored = {field.partition(".")[2]: rewrite for field, rewrite in rewrites.items()}
    return replace(replay_candidate(candidate, stored).example, id=negative_id(query, candidate))


def _long_words(passage: Passage) -> list[str]:
    spans = attackable_words(passage)
    return [w for s in spans if len(w := passage.text[s.start : s.end]) >= LEAST_LETTERS]
