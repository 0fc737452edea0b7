"""The text stays close to its original by character n-grams."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosswind.perturb.constraint import ConstraintKind, Settings, Threshold
from crosswind.perturb.damage import chrf
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param


def _measure(settings: Settings, given: Given) -> Callable[[Sequence[tuple[Passage, Passage]]], Sequence[float]]:
    return lambda pairs: [chrf(before.text, after.text) for before, after in pairs]


_THRESHOLD = Threshold("least", _measure, decimals=2)

CHRF_FLOOR = ConstraintKind(
    name="chrf",
    summary="chrF against the original, at least this much",
    source="Popović 2015; as a constraint, Michel et al. 2019 (On Evaluation of Adversarial Perturbations), §2",
    make=_THRESHOLD.constraint,
    threshold=_THRESHOLD,
    params=(Param("least", "number", "chrF2, 0 to 100", default=80.0, low=0.0, high=100.0),),
)
