"""No change touches a named entity of a tagged sentence."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings, clear_of
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given


def _mask(passage: Passage, sites: Sites) -> Sequence[bool]:
    entities = passage.labels if passage.kind == "tagging" else ()
    return clear_of(sites, [(s.start, s.end) for s in entities])


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    return Constraint(name, mask=_mask)


ENTITY = ConstraintKind(
    name="entity",
    summary="the words of named entities stay as they are",
    source="RockNER leaves contexts or entities alone (Lin et al. 2021, §3)",
    make=_make,
)
