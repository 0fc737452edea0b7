"""Every comparison that a table of results holds: levels, systems, drops, languages, perturbations; a row each.

Choosing the cells is `shared_cells`, estimating them `estimate`; here stand the kinds of comparisons, over which
targets and languages each is, and which of them are one family.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import NamedTuple

import numpy as np

from crosswind.analysis.axes import axes_of_gap
from crosswind.analysis.condition import Condition, is_control, is_transferred
from crosswind.analysis.contrasted import Contrast, ContrastKind, ContrastScope, Measure
from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.exposed import material_seen
from crosswind.analysis.influence import ClusterNumbers, Influence, mean_influence, weighted_sum
from crosswind.analysis.multiplicity import benjamini_hochberg, holm
from crosswind.analysis.results import FAMILIARITIES, NONE
from crosswind.analysis.scored import Scored, System, under_common_seeds
from crosswind.analysis.shared_cells import SharedCells, mean_shares, shared_cells, system_of
from crosswind.data.families import family_of
from crosswind.data.languages import script_of
from crosswind.errors import UserError, unknown
from crosswind.evaluate.metrics.base import Better

BASE = "none"
PRIMARY = "primary"
ATTACKS = " attacks"
"""Behind the familiarity that a comparison is within, where it is over attacks."""
ALWAYS = ("english", "multilingual")
"""The question that Crosswind was made for is always one of the comparisons."""
_NEEDED = 1.0  # points of error that a reference must have for others to be measured in per cent of it


@dataclass(frozen=True)
class Comparisons:
    """Which routes are compared: declared before a run. Without `pairs` all of them.

    `measures` are those of the primary family. `paired_seeds`: seeds of one number are one draw of what routes share.
    `margin`: effects smaller than so many points count as none.
    """

    pairs: tuple[tuple[str, str], ...] = ()
    measures: tuple[Measure, ...] = ("clean", "perturbed", "drop")
    paired_seeds: bool = False
    margin: float | None = None


@dataclass(frozen=True)
class RouteFacts:
    """What the study knows of its routes beside their scores: `factors` (route -> what -> text) that two routes can
    differ in, and `seen` (route -> language -> labelled or unlabelled)."""

    factors: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def differing(self, a: str, b: str) -> str:
        """What two routes differ in, `tasks: mnli | xnli; languages: en | de en`."""
        x, y = self.factors.get(a, {}), self.factors.get(b, {})
        names = [name for name in dict.fromkeys((*x, *y)) if x.get(name, NONE) != y.get(name, NONE)]
        return "; ".join(f"{name}: {x.get(name, NONE)} | {y.get(name, NONE)}" for name in names)


class _Part(NamedTuple):
    """The cells of one target that a comparison is over."""

    shared: SharedCells
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]


def contrasts(
    scored: Sequence[Scored],
    numbers: ClusterNumbers,
    routes: Sequence[str] = (),
    diagnostic: Collection[str] = (),
    comparisons: Comparisons | None = None,
    facts: RouteFacts | None = None,
) -> tuple[list[Contrast], list[str]]:
    """All comparisons, those over all targets first; and notes on what was left out of them.

    `diagnostic` perturbations need not preserve the label and do not enter. Raises `UserError` where a pair names a
    route that is not there.
    """
    rows = [row for cells in scored for row in cells.rows]
    names = [r for r in routes if any(row["route"] == r for row in rows)]
    names += sorted({row["route"] for row in rows} - set(names))
    systems = sorted(
        {system_of(row) for row in rows},
        key=lambda s: (s.encoder, names.index(s.route), s.defence != NONE, s.defence),
    )
    if not systems:
        return [], []
    notes: list[str] = []
    shared = [x for cells in scored if (x := shared_cells(cells, systems, diagnostic, notes)) is not None]
    study = _Study(numbers, systems, comparisons or Comparisons(), facts or RouteFacts(), notes)
    made = [*study.over_all(shared), *(c for x in shared for c in study.over_target(x))]
    return _with_adjusted(made), list(dict.fromkeys(notes))


def system_label(system: System, systems: Sequence[System]) -> str:
    """The route, with encoder and defence where they tell systems apart."""
    parts = [system.encoder] if len({s.encoder for s in systems}) > 1 else []
    parts.append(system.route)
    return " · ".join([*parts, *([system.defence] if system.defence != NONE else [])])


def _pairs(systems: Sequence[System], comparisons: Comparisons) -> list[tuple[System, System]]:
    """Each pair that differs in one thing, the encoder, the defence or the route; the base second."""
    base = next((s for s in systems if s.route == BASE and s.defence == NONE), systems[0])
    pairs = []
    for a, b in combinations(systems, 2):
        if sum(x != y for x, y in zip(a, b, strict=True)) == 1:
            is_base = a == base or (a.route == base.route and b.route != base.route)
            pairs.append((b, a) if is_base or a.route == b.route else (a, b))
    if not comparisons.pairs:
        return pairs
    routes = {s.route for s in systems}
    declared = [*comparisons.pairs, *([ALWAYS] if set(ALWAYS) <= routes else [])]
    for route in (r for named in declared for r in named):
        if route not in routes:
            raise unknown("route", route, sorted(routes), where="compare.pairs")
    asked = [
        (x, y) for named in declared for x in systems for y in systems
        if (x.route, y.route) == named and x.encoder == y.encoder and x.defence == y.defence
    ]  # fmt: skip
    asked += [(a, b) for a, b in pairs if a.route == b.route]
    unique: dict[frozenset[System], tuple[System, System]] = {}
    for pair in asked:
        unique.setdefault(frozenset(pair), pair)
    return list(unique.values())


class _Study:
    """The comparisons of one table of results."""

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
        self.pairs = _pairs(systems, comparisons)
        self._quantities: dict[tuple[object, ...], Influence] = {}

    # Over which cells

    def over_all(self, shared: Sequence[SharedCells]) -> Iterator[Contrast]:
        """The comparisons over all targets whose scores are better in one direction."""
        groups: dict[Better, list[SharedCells]] = {}
        for x in shared:
            groups.setdefault(x.cells.metric.better, []).append(x)
        if len(groups) > 1:
            lower = ", ".join(x.cells.target for x in groups["lower"])
            self.notes.append(
                f"{lower}: a lower score is better, so the means over targets do not mix them with the others."
            )
        for members in groups.values():
            if len(members) > 1 or len(groups) == 1:
                yield from self._of_group(members)

    def _of_group(self, members: Sequence[SharedCells]) -> Iterator[Contrast]:
        systems = []
        for s in self.systems:
            if all(s in x.systems for x in members):
                if set.intersection(*(x.seeds(s) for x in members)):
                    systems.append(s)
                else:
                    self.notes.append(
                        f"{self._label(s)} is not in the mean over targets: no pipeline seed has them all."
                    )
        for s in self.systems:
            if any(s in x.systems for x in members) and not all(s in x.systems for x in members):
                self.notes.append(f"{self._label(s)} is not in the mean over targets: some of them lack it.")
        if not systems:
            return
        parts = [self._noisy(x) for x in members]
        yield from self._scope("all", "", parts, systems, family=PRIMARY)
        everywhere = [_Part(x, x.languages(), ()) for x in members]
        wider = any(set(p.languages) != set(e.languages) for p, e in zip(parts, everywhere, strict=True))
        if wider or any(not p.conditions for p in parts):
            yield from self._measured(["everywhere"], "all", "", everywhere, systems)
        yield from self._by_condition(members, systems)
        yield from self._by_familiarity(members, systems)
        yield from self._by_language(members, parts, systems)
        yield from self._source_gaps("all", "", parts, systems)
        yield from self._between_perturbations(members, systems)
        yield from self._errors(members, systems)

    def over_target(self, shared: SharedCells) -> Iterator[Contrast]:
        """The comparisons in one target."""
        part, name = self._noisy(shared), shared.cells.target
        yield from self._scope("target", name, [part], shared.systems)
        if set(part.languages) != set(shared.languages()):
            everywhere = _Part(shared, shared.languages(), ())
            yield from self._measured(["everywhere"], "target", name, [everywhere], shared.systems)
        yield from self._source_gaps("target", name, [part], shared.systems)

    def _noisy(self, shared: SharedCells) -> _Part:
        """The conditions of a target and the languages that have all of them; without any, its clean cells."""
        conditions = shared.conditions
        languages = shared.languages(conditions)
        target = shared.cells.target
        if conditions and not languages:
            self.notes.append(f"{target}: its perturbations have no language in common, so there is no mean over them.")
            return _Part(shared, shared.languages(), ())
        lacking = sorted({x for c in conditions for x in shared.languages([c])} - set(languages))
        if lacking:
            self.notes.append(
                f"{target}: the mean over perturbations is over {', '.join(languages)}, which all of them have;"
                f" {', '.join(lacking)} stand with single perturbations."
            )
        return _Part(shared, languages, conditions)

    def _by_condition(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        conditions = sorted({c for x in members for c in x.conditions})
        for name in dict.fromkeys(c.perturbation for c in conditions):
            parts = []
            for x in members:
                chosen = tuple(c for c in x.conditions if c.perturbation == name)
                if chosen and (languages := x.languages(chosen)):
                    parts.append(_Part(x, languages, chosen))
            yield from self._scope("perturbation", name, parts, systems)
        for condition in sorted({c for x in members for c in (*x.conditions, *x.attacks)}):
            parts = [_Part(x, x.languages([condition]), (condition,)) for x in members
                     if condition in (*x.conditions, *x.attacks)]  # fmt: skip
            yield from self._scope("condition", condition.label, parts, systems)

    def _by_familiarity(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        """What a defence changes under the noise, and under the attacks, of its family and under those held out."""
        for pair in self.pairs:
            shielded, plain = pair
            if plain.defence != NONE or shielded.defence == NONE or not set(pair) <= set(systems):
                continue
            for familiarity in FAMILIARITIES[1:]:
                for suffix in ("", ATTACKS):
                    parts = []
                    for x in members:
                        among = [c for c in x.attacks if not is_control(c.attack) and not is_transferred(c.attack)]
                        chosen = tuple(
                            c for c in (among if suffix else x.conditions) if x.familiarity(shielded, c) == familiarity
                        )
                        if chosen and (languages := x.languages(chosen)):
                            parts.append(_Part(x, languages, chosen))
                    made = self._scope("familiarity", familiarity + suffix, parts, pair) if parts else ()
                    yield from (c for c in made if c.kind == "difference")

    def _by_language(
        self, members: Sequence[SharedCells], parts: Sequence[_Part], systems: Sequence[System]
    ) -> Iterator[Contrast]:
        for language in sorted({x for shared in members for x in shared.languages()}):
            of_language = [
                _Part(x, (language,), tuple(c for c in x.conditions if language in x.languages([c])))
                for x in members
                if language in x.languages()
            ]
            yield from self._scope("language", language, of_language, systems)
        groupings: list[tuple[ContrastScope, Callable[[str], str]]] = [("family", family_of), ("script", script_of)]
        for scope, group_of in groupings:
            groups: dict[str, set[str]] = {}
            for language in {x for part in parts for x in part.languages}:
                groups.setdefault(group_of(language), set()).add(language)
            for group, languages in sorted(groups.items()):
                chosen = [p._replace(languages=tuple(x for x in p.languages if x in languages)) for p in parts]
                if len(groups) > 1:
                    yield from self._scope(scope, group, [p for p in chosen if p.languages], systems)

    # What is compared

    def _scope(
        self, scope: ContrastScope, within: str, parts: Sequence[_Part], systems: Sequence[System], family: str = ""
    ) -> Iterator[Contrast]:
        """Levels and differences: clean where some system leaves its floor, the others where all of them do."""
        some = [p for p in parts if scope == "target" or not set(systems) <= p.shared.floored]
        every = [p for p in some if p.conditions and (scope == "target" or not set(systems) & p.shared.floored)]
        clean = [p for p in some if p.conditions] if any(p.conditions for p in parts) else some
        without = [
            f"{p.shared.cells.target} ({'not perturbed' if p in some else 'at the floor'})"
            for p in parts
            if p not in clean
        ]
        yield from self._measured(["clean"], scope, within, clean, systems, family, without)
        if scope == "all" and clean:
            self._correlations(clean, systems)
        if not every:
            return
        lost = [f"{p.shared.cells.target} (at the floor)" for p in parts if p.conditions and p not in every]
        if [p.shared for p in every] != [p.shared for p in clean]:
            yield from self._measured(["before"], scope, within, every, systems, "", lost)
        yield from self._measured(["perturbed", "drop"], scope, within, every, systems, family, lost)
        if scope in ("all", "target", "perturbation"):
            yield from self._consistency(scope, within, every, systems, lost)
        if scope in ("all", "target"):
            relative: list[Measure] = ["relative-drop"]
            if any(p.shared.cells.chance is not None for p in every):
                relative.append("normalised-drop")
            if not any(set(systems) & p.shared.floored for p in every):
                yield from self._relative(relative, scope, within, every, systems, lost)
            yield from self._residuals(scope, within, every, systems, lost)

    def _measured(
        self,
        measures: Sequence[Measure],
        scope: ContrastScope,
        within: str,
        parts: Sequence[_Part],
        systems: Sequence[System],
        family: str = "",
        excluded: Sequence[str] = (),
    ) -> Iterator[Contrast]:
        if not parts:
            return
        for measure in measures:
            primary = family == PRIMARY and measure in self.comparisons.measures
            for s in systems:
                of_drop = "drops by " + scope if measure == "drop" else ""
                quantity = [(1.0, self._quantity(parts, s, measure))]
                yield self._row("level", measure, scope, within, (s,), parts, quantity, of_drop, excluded)
            for a, b in self.pairs:
                if a not in systems or b not in systems:
                    continue
                terms = [(1.0, self._quantity(parts, a, measure)), (-1.0, self._quantity(parts, b, measure))]
                table = PRIMARY if primary else f"differences by {scope}"
                yield self._row("difference", measure, scope, within, (a, b), parts, terms, table, excluded)

    def _consistency(
        self,
        scope: ContrastScope,
        within: str,
        parts: Sequence[_Part],
        systems: Sequence[System],
        excluded: Sequence[str],
    ) -> Iterator[Contrast]:
        """How many predictions stay as they were, where predictions say so."""
        try:
            yield from list(self._measured(["consistency"], scope, within, parts, systems, "", excluded))
        except LookupError:
            return

    def _correlations(self, parts: Sequence[_Part], systems: Sequence[System]) -> None:
        """Note how seeds of one number correlate over systems: pairing three of them pays only above about .58."""
        for a, b in self.pairs:
            if a not in systems or b not in systems:
                continue
            x, y = self._quantity(parts, a, "clean"), self._quantity(parts, b, "clean")
            common = [s for s in x.seeds if s in y.seeds]
            if len(common) < 3 or x.fixed or y.fixed:
                continue
            u, v = x.of_seeds(common).theta, y.of_seeds(common).theta
            if u.std() > 0 and v.std() > 0:
                self.notes.append(
                    f"{self._label(a)} and {self._label(b)}: seeds of one number correlate by"
                    f" {np.corrcoef(u, v)[0, 1]:.2f} ({len(common)} seeds, clean); they count as"
                    f" {'one draw' if self.comparisons.paired_seeds else 'different trainings'}."
                )

    def _relative(
        self,
        measures: Sequence[Measure],
        scope: ContrastScope,
        within: str,
        parts: Sequence[_Part],
        systems: Sequence[System],
        excluded: Sequence[str],
    ) -> Iterator[Contrast]:
        """Drops in per cent of the clean score, or of what it is above chance; not where that is nothing."""
        try:
            yield from list(self._measured(measures, scope, within, parts, systems, "", excluded))
        except ZeroDivisionError:
            names = ", ".join(p.shared.cells.target for p in parts)
            self.notes.append(f"{names}: a clean score is 0, so no drop is measured in per cent of it.")

    def _residuals(
        self,
        scope: ContrastScope,
        within: str,
        parts: Sequence[_Part],
        systems: Sequence[System],
        excluded: Sequence[str],
    ) -> Iterator[Contrast]:
        """What differs beyond the line from clean to perturbed scores of all systems, targets and languages (after
        Taori et al. 2020, effective robustness); the line is taken as given."""
        points = np.array([
            (self._quantity([p._replace(languages=(x,))], s, "before").mean,
             self._quantity([p._replace(languages=(x,))], s, "perturbed").mean)
            for p in parts for s in systems for x in p.languages
        ])  # fmt: skip
        if len(points) < 3 or np.ptp(points[:, 0]) == 0:
            return
        slope = float(np.polyfit(points[:, 0], points[:, 1], 1)[0])
        for a, b in self.pairs:
            if a in systems and b in systems:
                terms = []
                for sign, s in ((1.0, a), (-1.0, b)):
                    after, before = under_common_seeds(
                        [self._quantity(parts, s, "perturbed"), self._quantity(parts, s, "before")]
                    )
                    terms.append((sign, weighted_sum([(1.0, after), (-slope, before)], self.numbers)))
                table = f"differences by {scope}"
                yield self._row("difference", "residual", scope, within, (a, b), parts, terms, table, excluded)

    def _source_gaps(
        self, scope: ContrastScope, within: str, parts: Sequence[_Part], systems: Sequence[System]
    ) -> Iterator[Contrast]:
        """The source language minus the mean of the others, where both have the same conditions."""
        chosen = [p for p in parts if not set(systems) & p.shared.floored]
        for measure in ("clean", "perturbed", "drop"):
            having = [p for p in chosen if (measure == "clean" or p.conditions) and _has_source(p, measure)]
            for s in systems if having else ():
                gaps = []
                for p in having:
                    source = (p.shared.cells.source,)
                    conditions = p.conditions if _has_source(p, "drop") else ()
                    english = p.shared.influence(s, measure, source, conditions, english=True)
                    others = p.shared.influence(s, measure, p.languages, conditions)
                    common = under_common_seeds([english, others])
                    gaps.append(weighted_sum([(1.0, common[0]), (-1.0, common[1])], self.numbers))
                terms = [(1.0, mean_influence(under_common_seeds(gaps), self.numbers))]
                table = f"source gaps by {scope}"
                row = self._row("source gap", measure, scope, within, (s,), having, terms, table)
                if measure == "drop":
                    damaged = [(p.shared, p.languages, p.conditions) for p in having]
                    row = replace(row, axes=axes_of_gap(damaged, s, row.estimate.score))
                yield row

    def _between_perturbations(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        """What one perturbation takes more than another, over the targets and languages that have both."""
        names = list(dict.fromkeys(c.perturbation for x in members for c in x.conditions))
        above = [x for x in members if not set(systems) & x.floored]
        for one, other in combinations(names, 2):
            both = []
            for x in above:
                chosen = [tuple(c for c in x.conditions if c.perturbation == n) for n in (one, other)]
                languages = x.languages([*chosen[0], *chosen[1]]) if all(chosen) else ()
                if languages:
                    both.append((_Part(x, languages, chosen[0]), _Part(x, languages, chosen[1])))
            for s in systems if both else ():
                first, second = [p for p, _ in both], [q for _, q in both]
                drops = under_common_seeds([self._quantity(first, s, "drop"), self._quantity(second, s, "drop")])
                terms = [(1.0, weighted_sum([(1.0, drops[0]), (-1.0, drops[1])], self.numbers))]
                within, table = f"{one} − {other}", "perturbations compared"
                row = self._row("perturbations", "drop", "all", within, (s,), first, terms, table)
                tokens = [
                    mean_shares([p.shared.shares(s, p.languages, p.conditions) for p in side])[1]
                    for side in (first, second)
                ]
                yield replace(row, differs=f"tokens changed: {100 * tokens[0]:.0f} % | {100 * tokens[1]:.0f} %")

    def _errors(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        """The error under each perturbation in per cent of the reference's, the mean over perturbations (Hendrycks and
        Dietterich 2019, section 4: the corruption error)."""
        names = list(dict.fromkeys(c.perturbation for x in members for c in x.conditions))
        above = [x for x in members if x.cells.gain > 0 and not set(systems) & x.floored]
        by_name = []
        for name in names:
            parts = []
            for x in above:
                chosen = tuple(c for c in x.conditions if c.perturbation == name)
                if chosen and x.languages(chosen):
                    parts.append(_Part(x, x.languages(chosen), chosen))
            if parts:
                by_name.append(parts)
        base = next((s for s in systems if s.route == BASE), systems[0])
        for s in systems if by_name else ():
            if s == base or s.encoder != base.encoder:
                continue
            mine = under_common_seeds([self._quantity(parts, s, "perturbed") for parts in by_name])
            theirs = under_common_seeds([self._quantity(parts, base, "perturbed") for parts in by_name])
            errors = [(100 - a.mean, 100 - b.mean) for a, b in zip(mine, theirs, strict=True)]
            if any(b < _NEEDED for _, b in errors):
                self.notes.append(f"{self._label(base)} makes too few errors to measure others in per cent of them.")
                return
            share = 1 / len(errors)
            score = share * sum(100 * a / b for a, b in errors)
            up = weighted_sum([(-100 * share / b, x) for x, (_, b) in zip(mine, errors, strict=True)], self.numbers)
            down = weighted_sum([(100 * share * a / b**2, x) for x, (a, b) in zip(theirs, errors, strict=True)],
                            self.numbers)  # fmt: skip
            value = estimate([(1.0, up), (1.0, down)], self.numbers, score=score, null=100.0)
            parts = [part for parts in by_name for part in parts]
            yield self._contrast("ratio", "error", "all", "", (s, base), parts, value, "errors against the base")

    # Rows

    def _quantity(self, parts: Sequence[_Part], system: System, measure: Measure) -> Influence:
        """A measure of a system, the mean over targets."""
        name = (tuple((id(p.shared), p.languages, p.conditions) for p in parts), system, measure)
        if name not in self._quantities:
            of_targets = [p.shared.influence(system, measure, p.languages, p.conditions) for p in parts]
            self._quantities[name] = mean_influence(under_common_seeds(of_targets), self.numbers)
        return self._quantities[name]

    def _row(
        self,
        kind: ContrastKind,
        measure: Measure,
        scope: ContrastScope,
        within: str,
        systems: tuple[System, ...],
        parts: Sequence[_Part],
        terms: Sequence[tuple[float, Influence]],
        family: str,
        excluded: Sequence[str] = (),
    ) -> Contrast:
        try:
            level = kind == "level" and measure in ("clean", "before", "everywhere", "perturbed")
            value = estimate(terms, self.numbers, level=level, paired=self.comparisons.paired_seeds)
        except ValueError as error:
            raise UserError(
                f"{' and '.join(map(self._label, systems))} have {error}", where="compare.paired_seeds"
            ) from error
        return self._contrast(kind, measure, scope, within, systems, parts, value, family, excluded)

    def _contrast(
        self,
        kind: ContrastKind,
        measure: Measure,
        scope: ContrastScope,
        within: str,
        systems: tuple[System, ...],
        parts: Sequence[_Part],
        value: Estimate,
        family: str,
        excluded: Sequence[str] = (),
    ) -> Contrast:
        noisy = [p for p in parts if p.conditions and measure not in ("everywhere",)]
        shares = [p.shared.shares(s, p.languages, p.conditions) for p in noisy for s in systems]
        items, tokens = mean_shares(shares) if shares else (None, None)
        conditions = tuple(dict.fromkeys(c for p in noisy for c in p.conditions))
        routes = tuple(s.route for s in systems)
        floored = {s for p in parts for s in systems if s in p.shared.floored}
        return Contrast(
            name=" − ".join(self._label(s) for s in systems),
            kind=kind,
            measure=measure,
            scope=scope,
            within=within,
            systems=tuple(self._label(s) for s in systems),
            targets=tuple(dict.fromkeys(p.shared.cells.target for p in parts)),
            languages=tuple(sorted({x for p in parts for x in p.languages})),
            conditions=conditions,
            estimate=value,
            better=parts[0].shared.cells.metric.better,
            draws=max(p.shared.draws() for p in parts) if noisy else 1,
            family=family,
            margin=self.comparisons.margin if kind == "difference" else None,
            excluded=tuple(excluded),
            floored=tuple(self._label(s) for s in systems if s in floored),
            changed_items=items,
            changed_tokens=tokens,
            differs=self.facts.differing(*routes) if len(routes) == 2 else "",
            material=material_seen(conditions, dict.fromkeys(routes), self.facts.seen),
        )

    def _label(self, system: System) -> str:
        return system_label(system, self.systems)


def _has_source(part: _Part, measure: Measure) -> bool:
    """Whether the source language was scored, under all conditions of a part where these count."""
    having = set(next(iter(part.shared.english.values()), {}))
    source = part.shared.cells.source
    clean = any(c.clean and x == source for c, x in having)
    return clean and (measure == "clean" or all((c, source) in having for c in part.conditions))


def _with_adjusted(made: Iterable[Contrast]) -> list[Contrast]:
    """The p-values adjusted within each family. What is not tested is no member."""
    rows = list(made)
    families: dict[str, list[int]] = {}
    for i, c in enumerate(rows):
        if c.family and not c.at_floor and not c.one_seed:
            families.setdefault(c.family, []).append(i)
    for name, members in families.items():
        adjust = holm if name == PRIMARY else benjamini_hochberg
        for i, p in zip(members, adjust([rows[i].estimate.p for i in members]), strict=True):
            rows[i] = replace(rows[i], adjusted=p)
    return rows
