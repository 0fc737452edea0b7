"""No change touches a gold answer of span question answering."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings, clear_of
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given


def _mask(passage: Passage, sites: Sites) -> Sequence[bool]:
    answers = passage.labels if passage.kind in ("span", "candidate") else ()
    return clear_of(sites, [(s.start, s.end) for s in answers])


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    return Constraint(name, mask=_mask)


GOLD_ANSWER = ConstraintKind(
    name="gold-answer",
    summary="gold answers, and the answers within the contexts of candidates, stay as they are",
    source="the usual constraint of attacks on question answering (Jia & Liang 2017, §3)",
    make=_make,
)
