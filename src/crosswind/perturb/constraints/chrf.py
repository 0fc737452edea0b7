"""The text stays close to its original by character n-grams."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings
from crosswind.perturb.damage import chrf
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    least = float(str(settings["least"]))

    def check(pairs: Sequence[tuple[Passage, Passage]]) -> Sequence[bool]:
        return [chrf(before.text, after.text) >= least for before, after in pairs]

    return Constraint(name, check=check)


CHRF_FLOOR = ConstraintKind(
    name="chrf",
    summary="chrF against the original, at least this much",
    source="Popović 2015; as a constraint, Michel et al. 2019 (On Evaluation of Adversarial Perturbations), §2",
    make=_make,
    params=(Param("least", "number", "chrF2, 0 to 100", default=80.0, low=0.0, high=100.0),),
)
