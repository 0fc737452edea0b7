"""What an attack's search gains over random draws: the control's score minus the attack's, within a system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from crosswind.analysis.condition import Condition, control_of, is_searched
from crosswind.analysis.contrasted import Contrast, ContrastScope
from crosswind.analysis.influence import Influence, mean_influence, weighted_sum
from crosswind.analysis.maker import ContrastMaker, Part
from crosswind.analysis.scored import System, under_common_seeds
from crosswind.analysis.shared_cells import SharedCells


def attacks_over_draws(
    maker: ContrastMaker, scope: ContrastScope, within: str, members: Sequence[SharedCells], systems: Sequence[System]
) -> Iterator[Contrast]:
    """A row for each attack and system: what random draws from the same alternatives leave minus what the attack does,
    at an equal budget, on the same items, in the languages that have both; of a score that is better when lower, the
    other way round. Over all targets where several were attacked so, have their draws, and have no system at its floor.
    """
    for name in dict.fromkeys(_name(c) for x in members for c in x.attacks if is_searched(c.attack)):
        attacked = [part for x in members if (part := _part(x, name)) is not None]
        # As in every mean of what is lost: a target where a system is at its floor has nothing to lose.
        parts = [p for p in attacked if scope == "target" or not set(systems) & p.shared.floored]
        if not parts or (scope == "all" and len(parts) == 1):  # of one target its own row says it
            continue
        excluded = [f"{p.shared.cells.target} (at the floor)" for p in attacked if p not in parts]
        for s in systems:
            gaps = under_common_seeds([_gap(maker, part, s) for part in parts])
            value = maker.estimated([(1.0, mean_influence(gaps, maker.numbers))], (s,))
            said = f"{maker.label(s)}: random draws − {name}"
            table = f"attacks by {scope}"
            yield maker.contrast("attack", "perturbed", scope, within, (s,), parts, value, table, excluded, name=said)


def _name(condition: Condition) -> str:
    """What targets may attack alike: how many of their items are attacked is their own."""
    return replace(condition, rows="all", selection="english").label


def _drawn(condition: Condition) -> Condition:
    return replace(condition, attack=control_of(condition.attack))


def _part(shared: SharedCells, name: str) -> Part | None:
    """The cells of a target with this attack that have their draws beside them."""
    searched = [c for c in shared.attacks if is_searched(c.attack) and _name(c) == name]
    conditions = tuple(c for c in searched if _drawn(c) in shared.attacks)
    languages = shared.languages([x for c in conditions for x in (c, _drawn(c))]) if conditions else ()
    return Part(shared, languages, conditions) if languages else None


def _gap(maker: ContrastMaker, part: Part, system: System) -> Influence:
    shared, languages, conditions = part
    drawn = shared.influence(system, "perturbed", languages, tuple(map(_drawn, conditions)))
    left = shared.influence(system, "perturbed", languages, conditions)
    drawn, left = under_common_seeds([drawn, left])
    sign = float(shared.cells.gain)
    return weighted_sum([(sign, drawn), (-sign, left)], maker.numbers)


def attack_of(contrast: Contrast) -> str:
    """The attack of a row, in words: `deepwordbug, 24 queries`."""
    return _name(contrast.conditions[0])
