"""Ways of choosing a checkpoint: those that are reported apart minus the usual one, within a system."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from crosswind.analysis.condition import APART, Condition
from crosswind.analysis.contrasted import Contrast, ContrastScope, Measure
from crosswind.analysis.influence import Influence, mean_influence, weighted_sum
from crosswind.analysis.maker import ContrastMaker, Part
from crosswind.analysis.results import NONE
from crosswind.analysis.scored import System, condition_of, under_common_seeds
from crosswind.analysis.shared_cells import Key, SharedCells, keeps_label, system_of

_MEASURES: tuple[Measure, ...] = ("everywhere", "perturbed")


def between_selections(
    maker: ContrastMaker, scope: ContrastScope, within: str, members: Sequence[SharedCells], systems: Sequence[System]
) -> Iterator[Contrast]:
    """What another way of choosing a system's checkpoints changes, over the languages that both have: when clean, and
    under the perturbations that all of these have.

    Over several targets those alone in which the other way was asked for. What no pipeline seed has of both is left
    out: an incomplete run has all of its other comparisons.
    """
    for way in APART:
        for s in systems:
            for measure in _MEASURES:
                made = [(x, *gap) for x in members if (gap := _gap(maker, x, s, way, measure)) is not None]
                if not made or not set.intersection(*(set(gap.seeds) for _, _, gap, _ in made)):
                    continue
                usual = " or ".join(sorted({chosen for *_, chosen in made}))
                gaps = under_common_seeds([gap for _, _, gap, _ in made])
                value = maker.estimated([(1.0, mean_influence(gaps, maker.numbers))], (s,))
                parts = [part for _, part, _, _ in made]
                name = f"{maker.label(s)}: {way} − {usual}"
                table = f"selections by {scope}"
                yield maker.contrast("selection", measure, scope, within, (s,), parts, value, table, name=name)


def _gap(
    maker: ContrastMaker, shared: SharedCells, system: System, way: str, measure: Measure
) -> tuple[Part, Influence, str] | None:
    """The other way minus the usual one in one target, with the cells that it is over and the usual one's name."""
    if system not in shared.rows:
        return None
    usual, other = _of_usual(shared.rows[system]), _of_way(shared, system, way)
    having = [c for c in {c for c, _ in other} if any(c == u for u, _ in usual)]
    asked = [c for c in having if c.clean] if measure == "everywhere" else sorted(c for c in having if not c.clean)
    both = [{x for c, x in other if c == condition} & {x for c, x in usual if c == condition} for condition in asked]
    languages = tuple(sorted(set.intersection(*both))) if both else ()
    if not languages or not _common_seeds(
        shared, [table[c, x] for table in (usual, other) for c in asked for x in languages]
    ):
        return None

    def mean(table: Mapping[Key, list[int]]) -> Influence:
        of_conditions = [shared.cells.average([table[c, x] for x in languages]) for c in asked]
        return mean_influence(under_common_seeds(of_conditions), maker.numbers)

    after, before = under_common_seeds([mean(other), mean(usual)])
    gap = weighted_sum([(1.0, after), (-1.0, before)], maker.numbers)
    first = next(iter(shared.rows[system].values()))[0]
    conditions = tuple(sorted(c for c in shared.conditions if _plain(c) in asked)) if measure == "perturbed" else ()
    return Part(shared, languages, conditions), gap, str(shared.cells.rows[first]["selection"])


def _common_seeds(shared: SharedCells, members: Sequence[Sequence[int]]) -> set[int]:
    """The seeds of which all of these are there; of an incomplete run there may be none."""
    return set.intersection(*({shared.cells.rows[i]["pipeline_seed"] for i in some} for some in members))


def _plain(condition: Condition) -> Condition:
    """A condition without the way in which the checkpoint was chosen."""
    return replace(condition, selection="")


def _of_usual(rows: Mapping[Key, list[int]]) -> dict[Key, list[int]]:
    return {(_plain(condition), language): members for (condition, language), members in rows.items()}


def _of_way(shared: SharedCells, system: System, way: str) -> dict[Key, list[int]]:
    """The cells of another selection that could be compared: noise that keeps labels, of one language."""
    rows: dict[Key, list[int]] = {}
    for i, row in enumerate(shared.cells.rows):
        noise = row["attack"] == NONE and keeps_label(row, shared.diagnostic)
        if noise and row["selection"] == way and system_of(row) == system:
            rows.setdefault((_plain(condition_of(row)), row["language"]), []).append(i)
    return rows
