"""AddSent: of several distracting sentences, at either end of the context, the worst."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.beam import beam
from crosswind.perturb.perturbation import Param


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [f"distract-qa(at={end})" if end != "end" else "distract-qa" for end in setting.listing("at")]


def _search(setting: AttackSetting) -> Search:
    return beam(int(setting.number("beam")))


ADD_SENT = Recipe(
    name="add-sent",
    summary="distracting sentences at the beginning and the end of the context, the worst of all",
    source="Jia & Liang 2017 (Adversarial Examples for Evaluating Reading Comprehension Systems), §3.3",
    kinds=("span",),
    languages="all",
    specs=_specs,
    search=_search,
    params=(
        Param("beam", "integer", "states that are kept", default=2, low=1),
        Param("at", "list", "where it stands", default=("start", "end"), choices=("start", "end")),
    ),
    published={"at": ("end",)},
    most_edits=lambda setting: float("inf"),
    differences=(
        "The sentences stand in the data: no question is mutated and no statement generated, which exist in English.",
        "One sentence at each end may be added together; the paper appends one, as setting=published does.",
        "No human filters what is added; the gold answer is in none of the sentences.",
    ),
)
