"""HotFlip: changes of characters in the order of what the gradient says of them."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.gradient_beam import gradient_beam
from crosswind.perturb.perturbation import Param


def _specs(setting: AttackSetting) -> Sequence[str]:
    return ["substitute", "insert", "delete", "swap"]


def _search(setting: AttackSetting) -> Search:
    return gradient_beam(int(setting.number("beam")), int(setting.number("edits")))


HOTFLIP = Recipe(
    name="hotflip",
    summary="substitutions, insertions, deletions and swaps of characters, those first that the gradient prefers",
    source="Ebrahimi et al. 2018 (HotFlip: White-Box Adversarial Examples for Text Classification), §3",
    languages="every script with an alphabet",
    access="gradient",
    specs=_specs,
    search=_search,
    params=(
        Param("beam", "integer", "states of the beam", default=10, low=1),
        Param("edits", "integer", "most changes", default=10, low=1),
    ),
    most_edits=lambda setting: float("inf"),
    most_changes=lambda setting: int(setting.number("edits")),
    published={"beam": 10},
    differences=(
        "The model reads sub-words, the paper's characters: the gradient is that of the pieces that change.",
        "The beam is ordered by estimates alone, and its states are then asked about; a gradient costs two queries.",
        "A letter keeps its case (the paper's mood, mooP is moop here).",
        "A change is not refused for the similarity of its word: name a constraint.",
    ),
)
