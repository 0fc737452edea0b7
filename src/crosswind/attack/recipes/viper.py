"""VIPER: letters become letters that look like them, each with one probability."""

from __future__ import annotations

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.random_draws import random_draws
from crosswind.perturb.perturbation import Param


def _search(setting: AttackSetting) -> Search:
    return random_draws(share=setting.number("p"))


VIPER = Recipe(
    name="viper",
    summary="letters become visual neighbours with probability p; the worst of as many draws as the budget allows",
    source="Eger et al. 2019 (Text Processing Like Humans Do), §4: VIPER(p, DCES)",
    languages="scripts whose letters have visual neighbours",
    specs=lambda setting: [f"visual(neighbours={int(setting.number('neighbours'))})"],
    search=_search,
    blind=True,
    params=(
        Param("p", "number", "probability of a letter to change", default=0.4, low=0.0, high=1.0),
        Param("neighbours", "integer", "most neighbours of a letter", default=20, low=1),
    ),
    published={"p": 0.4, "neighbours": 20},
    differences=(
        "A neighbour is drawn uniformly; in the released code nearer ones are likelier. At least one letter changes.",
        "The paper draws once; here the worst of several draws counts, and a budget of 1 is the paper's.",
        "Neighbours are found by the names of characters (DCES); those by images (ICES) need a font.",
    ),
)
