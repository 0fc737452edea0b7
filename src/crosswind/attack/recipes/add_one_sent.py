"""AddOneSent: a sentence with an answer of the same type, from another paragraph, in the context."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.single import singles
from crosswind.perturb.perturbation import Param


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [f"distract-qa(at={end})" if end != "end" else "distract-qa" for end in setting.listing("at")]


def _search(setting: AttackSetting) -> Search:
    return singles(shuffled=True)


ADD_ONE_SENT = Recipe(
    name="add-one-sent",
    summary="one sentence of another paragraph, in random order until one makes the answer wrong",
    source="Jia & Liang 2017 (Adversarial Examples for Evaluating Reading Comprehension Systems), §3.3",
    kinds=("span",),
    languages="all",
    specs=_specs,
    search=_search,
    blind=True,
    params=(Param("at", "list", "where it stands", default=("end",), choices=("end", "start")),),
    most_edits=lambda setting: float("inf"),
    most_changes=lambda setting: 1,
    published={"at": ("end",)},
    differences=(
        "The sentence stands in the data: no question is mutated and no statement generated, which exist in English.",
        "Its answer has the type of the gold answer as far as every script shows it: a number, capitals, other words.",
        "The paper's AddOneSent takes one sentence without asking the model: that is a budget of 1.",
        "No human filters what is added; the gold answer is in none of the sentences.",
    ),
)
