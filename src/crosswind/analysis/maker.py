"""What makes a row of the table of contrasts: quantities of systems, and the comparison of some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from crosswind.analysis.condition import Condition
from crosswind.analysis.contrast import PRIMARY, Comparisons, RouteFacts, declared_pairs, system_label
from crosswind.analysis.contrasted import Contrast, ContrastKind, ContrastScope, Measure, SecondInterval
from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, mean_influence, weighted_sum
from crosswind.analysis.material import material_seen
from crosswind.analysis.scored import System, under_common_seeds
from crosswind.analysis.second import languages_random, seeds_pooled
from crosswind.analysis.shared_cells import SharedCells, mean_shares
from crosswind.data.families import family_of_pair
from crosswind.errors import UserError

_LEVELS: tuple[Measure, ...] = ("clean", "before", "everywhere", "official", "perturbed")
_BY_LANGUAGE: tuple[Measure, ...] = ("clean", "before", "everywhere", "perturbed", "drop")
"""The measures that are means over languages."""
_WIDE: tuple[ContrastScope, ...] = ("all", "target", "perturbation")
"""The scopes that have second intervals."""


class Part(NamedTuple):
    """The cells of one target that a comparison is over."""

    shared: SharedCells
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]


class ContrastMaker:
    """Makes the rows of one table of results; `notes` is what it adds to for the reader."""

    def __init__(
        self,
        numbers: ClusterNumbers,
        systems: Sequence[System],
        comparisons: Comparisons,
        facts: RouteFacts,
        notes: list[str],
    ) -> None:
        self.numbers, self.systems, self.comparisons = numbers, systems, comparisons
        self.facts, self.notes = facts, notes
        self.pairs = declared_pairs(systems, comparisons)
        self._quantities: dict[tuple[object, ...], Influence] = {}

    def label(self, system: System) -> str:
        """What a system is called."""
        return system_label(system, self.systems)

    def pairs_of(self, systems: Sequence[System]) -> list[tuple[System, System]]:
        """The compared pairs of which both are among these systems."""
        return [(a, b) for a, b in self.pairs if a in systems and b in systems]

    def quantity(self, parts: Sequence[Part], system: System, measure: Measure) -> Influence:
        """A measure of a system, the mean over targets."""
        name = (tuple((id(p.shared), p.languages, p.conditions) for p in parts), system, measure)
        if name not in self._quantities:
            of_targets = [p.shared.influence(system, measure, p.languages, p.conditions) for p in parts]
            self._quantities[name] = mean_influence(under_common_seeds(of_targets), self.numbers)
        return self._quantities[name]

    def measured(
        self,
        measures: Sequence[Measure],
        scope: ContrastScope,
        within: str,
        parts: Sequence[Part],
        systems: Sequence[System],
        family: str = "",
        excluded: Sequence[str] = (),
    ) -> Iterator[Contrast]:
        """The level of every system and the difference of every pair."""
        if not parts:
            return
        for measure in measures:
            primary = family == PRIMARY and measure in self.comparisons.measures
            for s in systems:
                of_drop = "drops by " + scope if measure == "drop" else ""
                yield self.row("level", measure, scope, within, ((1.0, s),), parts, of_drop, excluded, systems)
            for a, b in self.pairs_of(systems):
                table = PRIMARY if primary else f"differences by {scope}"
                signed = ((1.0, a), (-1.0, b))
                yield self.row("difference", measure, scope, within, signed, parts, table, excluded, systems)

    def row(
        self,
        kind: ContrastKind,
        measure: Measure,
        scope: ContrastScope,
        within: str,
        signed: Sequence[tuple[float, System]],
        parts: Sequence[Part],
        family: str,
        excluded: Sequence[str] = (),
        pool: Sequence[System] = (),
    ) -> Contrast:
        """The sum of a measure over systems with their coefficients; `pool` are those that vary alike between seeds."""
        terms = [(a, self.quantity(parts, s, measure)) for a, s in signed]
        systems = tuple(s for _, s in signed)
        second: list[SecondInterval] = []
        level = kind == "level" and measure in _LEVELS
        value = self.estimated(terms, systems, level=level)
        if scope in _WIDE and not self.comparisons.paired_seeds:
            pooled = seeds_pooled(value, terms, [self.quantity(parts, s, measure) for s in pool], level=level)
            second += [pooled] if pooled is not None else []
        if scope in _WIDE and self.comparisons.random_languages and measure in _BY_LANGUAGE:
            wider = self._languages_random(value, signed, parts, measure, level)
            second += [wider] if wider is not None else []
        return self.contrast(
            kind, measure, scope, within, systems, parts, value, family, excluded, second=tuple(second)
        )

    def row_of(
        self,
        kind: ContrastKind,
        measure: Measure,
        scope: ContrastScope,
        within: str,
        systems: tuple[System, ...],
        parts: Sequence[Part],
        terms: Sequence[tuple[float, Influence]],
        family: str,
        excluded: Sequence[str] = (),
    ) -> Contrast:
        """The sum of quantities that are no plain measures."""
        value = self.estimated(terms, systems)
        return self.contrast(kind, measure, scope, within, systems, parts, value, family, excluded)

    def estimated(
        self, terms: Sequence[tuple[float, Influence]], systems: Sequence[System], *, level: bool = False
    ) -> Estimate:
        """The estimate of a sum of quantities; a `UserError` where paired systems have no seed in common."""
        try:
            return estimate(terms, self.numbers, level=level, paired=self.comparisons.paired_seeds)
        except ValueError as error:
            raise UserError(
                f"{' and '.join(map(self.label, systems))} have {error}", where="compare.paired_seeds"
            ) from error

    def contrast(
        self,
        kind: ContrastKind,
        measure: Measure,
        scope: ContrastScope,
        within: str,
        systems: tuple[System, ...],
        parts: Sequence[Part],
        value: Estimate,
        family: str,
        excluded: Sequence[str] = (),
        name: str = "",
        second: tuple[SecondInterval, ...] = (),
    ) -> Contrast:
        """An estimate with all that stands beside it."""
        noisy = [p for p in parts if p.conditions and measure not in ("everywhere", "official")]
        shares = [p.shared.shares(s, p.languages, p.conditions) for p in noisy for s in systems]
        items, tokens = mean_shares(shares) if shares else (None, None)
        conditions = tuple(dict.fromkeys(c for p in noisy for c in p.conditions))
        routes = tuple(s.route for s in systems)
        floored = {s for p in parts for s in systems if s in p.shared.floored}
        return Contrast(
            name=name or " − ".join(self.label(s) for s in systems),
            kind=kind,
            measure=measure,
            scope=scope,
            within=within,
            systems=tuple(self.label(s) for s in systems),
            targets=tuple(dict.fromkeys(p.shared.cells.target for p in parts)),
            languages=tuple(sorted({x for p in parts for x in p.languages})),
            conditions=conditions,
            estimate=value,
            better=parts[0].shared.cells.metric.better,
            draws=max(p.shared.draws for p in parts) if noisy else 1,
            family=family,
            margin=self.comparisons.margin if kind == "difference" else None,
            excluded=tuple(excluded),
            floored=tuple(self.label(s) for s in systems if s in floored),
            changed_items=items,
            changed_tokens=tokens,
            differs=self.facts.differing(*routes) if len(routes) == 2 else "",
            material=material_seen(conditions, dict.fromkeys(routes), self.facts.seen),
            second=second,
        )

    def _languages_random(
        self,
        value: Estimate,
        signed: Sequence[tuple[float, System]],
        parts: Sequence[Part],
        measure: Measure,
        level: bool,
    ) -> SecondInterval | None:
        """The interval over other languages of the same families: each language's own part of the mean."""
        weights: dict[str, list[tuple[float, Part]]] = {}
        for part in parts:
            share = 1 / (len(parts) * len(part.languages))
            for x in part.languages:
                weights.setdefault(x, []).append((share, part._replace(languages=(x,))))
        by_language = {}
        for language, members in weights.items():
            total = sum(w for w, _ in members)
            terms = []
            for a, system in signed:
                of_targets = under_common_seeds([self.quantity([p], system, measure) for _, p in members])
                mean = [(w / total, x) for (w, _), x in zip(members, of_targets, strict=True)]
                terms.append((a, weighted_sum(mean, self.numbers)))
            by_language[language] = (total, terms)
        families = {language: family_of_pair(language) for language in by_language}
        return languages_random(value, by_language, families, self.numbers, level=level)
