"""Hard negatives in the pool: a copy of the right candidate, wrong in a word, that the query finds nearer."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.perturb.perturbation import Param


def _no_specs(setting: AttackSetting) -> Sequence[str]:
    return ()


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


HARD_NEGATIVE_POOL = Recipe(
    name="hard-negative-pool",
    summary="a copy of the right candidate joins the pool, with words of other candidates in the place of its own",
    source="own; the perturbation `hard-negatives`, searched in place of drawn",
    kinds=("query",),
    languages="all, of retrieval tasks",
    specs=_no_specs,
    search=_search,
    pool=lambda setting: (int(setting.number("sites")), int(setting.number("options")), int(setting.number("changes"))),
    params=(
        Param("sites", "integer", "longest words of the candidate that may change", default=6, low=1),
        Param("options", "integer", "words that each may become", default=16, low=1),
        Param("changes", "integer", "most words that change", default=2, low=1),
    ),
    most_edits=lambda setting: float("inf"),
    most_changes=lambda setting: int(setting.number("changes")),
    differences=(
        "A copy counts as wrong because a word of at least four letters is another; nobody has read it.",
        "A query is attacked with its own copy alone; A' is the score in the pool with the copies for all attacked "
        "queries.",
    ),
)
