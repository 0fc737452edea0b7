"""Every comparison that a table of results holds: over which targets, languages and conditions each kind is.

Choosing the cells is `shared_cells`, estimating them `estimate`; the kinds of comparisons are in files of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from crosswind.analysis.attack_gains import attacks_over_draws
from crosswind.analysis.condition import Condition, is_searched
from crosswind.analysis.contrast import ATTACKS, PRIMARY, Comparisons, RouteFacts
from crosswind.analysis.contrasted import Contrast, ContrastKind, ContrastScope, Measure
from crosswind.analysis.gaps import between_perturbations, source_gaps
from crosswind.analysis.influence import ClusterNumbers
from crosswind.analysis.maker import ContrastMaker, Part
from crosswind.analysis.material import by_material
from crosswind.analysis.multiplicity import benjamini_hochberg, holm
from crosswind.analysis.relative import errors_against_base, relative_drops, residuals, where_said
from crosswind.analysis.results import FAMILIARITIES, NONE
from crosswind.analysis.scored import Scored, System
from crosswind.analysis.selections import between_selections
from crosswind.analysis.shared_cells import SharedCells, shared_cells, system_of
from crosswind.analysis.slopes import slopes
from crosswind.data.families import family_of
from crosswind.data.languages import script_of
from crosswind.evaluate.metrics.base import Better


def contrasts(
    scored: Sequence[Scored],
    numbers: ClusterNumbers,
    routes: Sequence[str] = (),
    diagnostic: Collection[str] = (),
    comparisons: Comparisons | None = None,
    facts: RouteFacts | None = None,
    *,
    primary_only: bool = False,
) -> tuple[list[Contrast], list[str]]:
    """All comparisons, those over all targets first; and notes on what was left out of them.

    `diagnostic` perturbations need not preserve the label and do not enter. `primary_only`: those of the primary family
    alone. Raises `UserError` where a pair names a route that is not there.
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
    maker = ContrastMaker(numbers, systems, comparisons or Comparisons(), facts or RouteFacts(), notes)
    study = _Study(maker)
    made = [
        *study.over_all(shared, primary_only),
        *(c for x in shared if not primary_only for c in study.over_target(x)),
    ]
    return _with_adjusted(made), list(dict.fromkeys(notes))


_OF_ITEMS: tuple[Measure, ...] = ("consistency", "right-drop")
"""The measures of what a run keeps of single items."""


class _Study:
    """Over which cells the comparisons of one table of results are."""

    def __init__(self, maker: ContrastMaker) -> None:
        self.maker, self.systems, self.notes = maker, maker.systems, maker.notes

    def over_all(self, shared: Sequence[SharedCells], primary_only: bool = False) -> Iterator[Contrast]:
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
                yield from self._of_group(members, primary_only)

    def _of_group(self, members: Sequence[SharedCells], primary_only: bool) -> Iterator[Contrast]:
        systems = []
        for s in self.systems:
            if all(s in x.systems for x in members):
                if set.intersection(*(x.seeds(s) for x in members)):
                    systems.append(s)
                else:
                    self.notes.append(
                        f"{self.maker.label(s)} is not in the mean over targets: no pipeline seed has them all."
                    )
        for s in self.systems:
            if any(s in x.systems for x in members) and not all(s in x.systems for x in members):
                self.notes.append(f"{self.maker.label(s)} is not in the mean over targets: some of them lack it.")
        if not systems:
            return
        parts = [self._noisy(x) for x in members]
        rows = self._scope("all", "", parts, systems, family=PRIMARY)
        if primary_only:
            yield from (c for c in rows if c.family == PRIMARY)
            return
        yield from rows
        everywhere = [Part(x, x.languages(), ()) for x in members]
        wider = any(set(p.languages) != set(e.languages) for p, e in zip(parts, everywhere, strict=True))
        # Clean means are without targets at the floor; claims ask for all of them.
        floored = sum(set(systems) <= x.floored for x in members)
        if wider or any(not p.conditions for p in parts) or 0 < floored < len(members):
            yield from self.maker.measured(["everywhere"], "all", "", everywhere, systems)
        yield from self._official("all", "", members, systems)
        yield from self._by_condition(members, systems)
        yield from self._by_familiarity(members, systems)
        yield from self._by_material(members, systems)
        yield from self._by_language(members, parts, systems)
        yield from source_gaps(self.maker, "all", "", parts, systems)
        yield from between_perturbations(self.maker, members, systems)
        yield from errors_against_base(self.maker, members, systems)
        yield from between_selections(self.maker, "all", "", members, systems)
        yield from attacks_over_draws(self.maker, "all", "", members, systems)

    def over_target(self, shared: SharedCells) -> Iterator[Contrast]:
        """The comparisons in one target."""
        part, name = self._noisy(shared), shared.cells.target
        yield from self._scope("target", name, [part], shared.systems)
        if set(part.languages) != set(shared.languages()):
            everywhere = Part(shared, shared.languages(), ())
            yield from self.maker.measured(["everywhere"], "target", name, [everywhere], shared.systems)
        yield from self._official("target", name, [shared], shared.systems)
        yield from source_gaps(self.maker, "target", name, [part], shared.systems)
        yield from between_selections(self.maker, "target", name, [shared], shared.systems)
        yield from attacks_over_draws(self.maker, "target", name, [shared], shared.systems)

    def _official(
        self, scope: ContrastScope, within: str, members: Sequence[SharedCells], systems: Sequence[System]
    ) -> Iterator[Contrast]:
        """The clean scores over every language, with those that zero-shot means are without."""
        if any(set(x.official_languages) != set(x.languages()) for x in members):
            parts = [Part(x, x.official_languages, ()) for x in members]
            yield from self.maker.measured(["official"], scope, within, parts, systems)

    def _noisy(self, shared: SharedCells) -> Part:
        """The conditions of a target and the languages that have all of them; without any, its clean cells."""
        conditions = shared.conditions
        languages = shared.languages(conditions)
        target = shared.cells.target
        if conditions and not languages:
            self.notes.append(f"{target}: its perturbations have no language in common, so there is no mean over them.")
            return Part(shared, shared.languages(), ())
        lacking = sorted({x for c in conditions for x in shared.languages([c])} - set(languages))
        if lacking:
            self.notes.append(
                f"{target}: the mean over perturbations is over {', '.join(languages)}, which all of them have;"
                f" {', '.join(lacking)} stand with single perturbations."
            )
        return Part(shared, languages, conditions)

    def _by_condition(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        conditions = sorted({c for x in members for c in x.conditions})
        for name in dict.fromkeys(c.perturbation for c in conditions):
            of_name = [(x, [c for c in x.conditions if c.perturbation == name]) for x in members]
            yield from self._scope("perturbation", name, _parts(of_name), systems)
        # Targets may have it under other rows (a limit of their own) or an untrained encoder: by its label it is one.
        for label in dict.fromkeys(c.label for c in sorted({c for x in members for c in (*x.conditions, *x.attacks)})):
            of_label = [(x, [c for c in (*x.conditions, *x.attacks) if c.label == label]) for x in members]
            yield from self._scope("condition", label, _parts(of_label), systems)

    def _by_familiarity(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        """What a defence changes under the noise, and under the attacks, of its family and under those held out."""
        for pair in self.maker.pairs_of(systems):
            shielded, plain = pair
            if plain.defence != NONE or shielded.defence == NONE:
                continue
            for familiarity in FAMILIARITIES[1:]:
                for suffix in ("", ATTACKS):
                    of_target = []
                    for x in members:
                        searched = [c for c in x.attacks if is_searched(c.attack)]
                        among = searched if suffix else x.conditions
                        of_target.append((x, [c for c in among if x.familiarity(shielded, c) == familiarity]))
                    parts = _parts(of_target)
                    made = self._scope("familiarity", familiarity + suffix, parts, pair) if parts else ()
                    yield from (c for c in made if c.kind == "difference")

    def _by_material(self, members: Sequence[SharedCells], systems: Sequence[System]) -> Iterator[Contrast]:
        """Levels and differences split by what the routes have seen of the words that are put in."""
        above = [x for x in members if not set(systems) & x.floored]
        conditions = sorted({c for x in above for c in x.conditions})
        for signed in [((1.0, s),) for s in systems] + [((1.0, a), (-1.0, b)) for a, b in self.maker.pairs_of(systems)]:
            routes = [s.route for _, s in signed]
            for name, chosen in by_material(conditions, routes, self.maker.facts.seen):
                parts = _parts((x, [c for c in chosen if c in x.conditions]) for x in above)
                measures: tuple[Measure, ...] = ("clean", "perturbed", "drop")
                for measure in measures if parts else ():
                    kind: ContrastKind = "level" if len(signed) == 1 else "difference"
                    of_drop = "drops by material" if measure == "drop" else ""
                    table = "differences by material" if kind == "difference" else of_drop
                    yield self.maker.row(kind, measure, "material", name, signed, parts, table)

    def _by_language(
        self, members: Sequence[SharedCells], parts: Sequence[Part], systems: Sequence[System]
    ) -> Iterator[Contrast]:
        for language in sorted({x for shared in members for x in shared.languages()}):
            of_language = [
                Part(x, (language,), tuple(c for c in x.conditions if language in x.languages([c])))
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
                    of_group = [p for p in chosen if p.languages]
                    yield from self._scope(scope, group, of_group, systems)
                    yield from source_gaps(self.maker, scope, group, of_group, systems)

    def _scope(
        self, scope: ContrastScope, within: str, parts: Sequence[Part], systems: Sequence[System], family: str = ""
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
        yield from self.maker.measured(["clean"], scope, within, clean, systems, family, without)
        if scope in ("all", "target"):
            yield from slopes(self.maker, ["clean"], scope, within, clean, systems, family, without)
        if scope == "all" and clean:
            self._correlations(clean, systems)
        if not every:
            return
        lost = [f"{p.shared.cells.target} (at the floor)" for p in parts if p.conditions and p not in every]
        if [p.shared for p in every] != [p.shared for p in clean]:
            yield from self.maker.measured(["before"], scope, within, every, systems, "", lost)
        yield from self.maker.measured(["perturbed", "drop"], scope, within, every, systems, family, lost)
        if scope in ("all", "target", "perturbation"):
            for measure in _OF_ITEMS:
                yield from where_said(self.maker, measure, scope, within, every, systems, lost)
        if scope in ("all", "target"):
            yield from slopes(self.maker, ["perturbed", "drop"], scope, within, every, systems, family, lost)
            relative: list[Measure] = ["relative-drop"]
            if any(p.shared.cells.chance is not None for p in every):
                relative.append("normalised-drop")
            if not any(set(systems) & p.shared.floored for p in every):
                yield from relative_drops(self.maker, relative, scope, within, every, systems, lost)
            yield from residuals(self.maker, scope, within, every, systems, lost)

    def _correlations(self, parts: Sequence[Part], systems: Sequence[System]) -> None:
        """Note how seeds of one number correlate over systems: pairing three of them pays only above about .58."""
        for a, b in self.maker.pairs_of(systems):
            x, y = self.maker.quantity(parts, a, "clean"), self.maker.quantity(parts, b, "clean")
            common = [s for s in x.seeds if s in y.seeds]
            if len(common) < 3 or x.fixed or y.fixed:
                continue
            u, v = x.of_seeds(common).theta, y.of_seeds(common).theta
            if u.std() > 0 and v.std() > 0:
                self.notes.append(
                    f"{self.maker.label(a)} and {self.maker.label(b)}: seeds of one number correlate by"
                    f" {np.corrcoef(u, v)[0, 1]:.2f} ({len(common)} seeds, clean); they count as"
                    f" {'one draw' if self.maker.comparisons.paired_seeds else 'different trainings'}."
                )


def _parts(chosen: Iterable[tuple[SharedCells, Sequence[Condition]]]) -> list[Part]:
    """Targets with conditions and the languages that have all of these; without those that have none."""
    return [Part(x, languages, tuple(c)) for x, c in chosen if c and (languages := x.languages(c))]


def _with_adjusted(made: Iterable[Contrast]) -> list[Contrast]:
    """The p-values of a difference, and of none, adjusted within each family. What is not tested is no member."""
    rows = list(made)
    families: dict[str, list[int]] = {}
    for i, c in enumerate(rows):
        if c.family and not c.at_floor and not c.one_seed:
            families.setdefault(c.family, []).append(i)
    for name, members in families.items():
        adjust = holm if name == PRIMARY else benjamini_hochberg
        differ = adjust([rows[i].estimate.p for i in members])
        alike = adjust([rows[i].within_margin for i in members])
        for i, p, q in zip(members, differ, alike, strict=True):
            rows[i] = replace(rows[i], adjusted=p, equivalence=q)
    return rows
