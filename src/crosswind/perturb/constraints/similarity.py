"""The text stays close to its original for a multilingual sentence encoder."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import ConstraintKind, Settings, Similarity
from crosswind.perturb.needs import ModelNeed, Need
from crosswind.perturb.passage import SEPARATOR, Passage
from crosswind.perturb.perturbation import Given, Param


def _needs(settings: Settings) -> tuple[Need, ...]:
    return (ModelNeed("similarity", str(settings["model"])),)


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    least = float(str(settings["least"]))
    similarity: Similarity = given["similarity"]

    def check(pairs: Sequence[tuple[Passage, Passage]]) -> Sequence[bool]:
        texts = [(a.text.replace(SEPARATOR, "\n"), b.text.replace(SEPARATOR, "\n")) for a, b in pairs]
        return [cosine >= least for cosine in similarity(texts)]

    return Constraint(name, check=check)


SIMILARITY = ConstraintKind(
    name="similarity",
    summary="cosine of the sentence vectors of the original and the result, at least this much",
    source="TextFooler's and BAE's constraint (Jin et al. 2020, §3; Garg & Ramakrishnan 2020, §3)",
    make=_make,
    needs=_needs,
    params=(
        Param("model", "text", "a sentence encoder: a hub's id or a folder"),
        Param("least", "number", "cosine, -1 to 1", default=0.84, low=-1.0, high=1.0),
    ),
)
