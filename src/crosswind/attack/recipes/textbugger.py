"""TextBugger: spaces, deletions, swaps and look-alikes in the words that matter most."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.perturb.perturbation import Param


def _specs(setting: AttackSetting) -> Sequence[str]:
    return ["whitespace(mode=split)", "delete", "swap", "homoglyph", "keyboard"]


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


TEXTBUGGER = Recipe(
    name="textbugger",
    summary="a space, a deletion, a swap, a look-alike or a neighbouring key in the words that matter most",
    source="Li et al. 2019 (TextBugger), §III-B: Insert, Delete, Swap, Sub-C",
    languages="every script that one of its character changes knows",
    specs=_specs,
    search=_search,
    params=(Param("edits", "number", "most edits, as a share of the words", default=1.0, low=0.0, high=1.0),),
    most_edits=lambda setting: setting.number("edits"),
    differences=(
        "Sub-W, a neighbour by English word vectors, is left out: it exists in one language.",
        "Sub-C takes look-alikes of UTS #39 and neighbours on the keyboard.",
        "Every alternative of a word is tried, not one of each kind; the similarity of the sentence is a constraint "
        "that a study adds.",
    ),
)
