"""The text stays close to its original for a multilingual sentence encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosswind.perturb.constraint import ConstraintKind, Settings, Similarity, Threshold
from crosswind.perturb.needs import ModelNeed, Need
from crosswind.perturb.passage import SEPARATOR, Passage
from crosswind.perturb.perturbation import Given, Param


def _needs(settings: Settings) -> tuple[Need, ...]:
    return (ModelNeed("similarity", str(settings["model"])),)


def _measure(settings: Settings, given: Given) -> Callable[[Sequence[tuple[Passage, Passage]]], Sequence[float]]:
    similarity: Similarity = given["similarity"]
    return lambda pairs: similarity(
        [(a.text.replace(SEPARATOR, "\n"), b.text.replace(SEPARATOR, "\n")) for a, b in pairs]
    )


_THRESHOLD = Threshold("least", _measure, decimals=4)

SIMILARITY = ConstraintKind(
    name="similarity",
    summary="cosine of the sentence vectors of the original and the result, at least this much",
    source="TextFooler's and BAE's constraint (Jin et al. 2020, §3; Garg & Ramakrishnan 2020, §3)",
    make=_THRESHOLD.constraint,
    threshold=_THRESHOLD,
    needs=_needs,
    params=(
        Param("model", "text", "a sentence encoder: a hub's id or a folder"),
        Param("least", "number", "cosine, -1 to 1", default=0.84, low=-1.0, high=1.0),
    ),
)
