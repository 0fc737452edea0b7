"""Genetic: a population of texts whose words a masked language model proposes, crossed and mutated."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.recipes.bert_attack import proposals, proposer
from crosswind.attack.search import Search
from crosswind.attack.search.genetic import genetic
from crosswind.perturb.perturbation import Param


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [proposals(setting, "replace")]


def _search(setting: AttackSetting) -> Search:
    return genetic(int(setting.number("population")), int(setting.number("generations")))


GENETIC = Recipe(
    name="genetic",
    summary="a population of texts with words of a masked language model, crossed and mutated; the worst is kept",
    source="Alzantot et al. 2018 (Generating Natural Language Adversarial Examples), §3, algorithm 1",
    languages="all that the model knows",
    specs=_specs,
    search=_search,
    params=(
        *proposer(8),
        Param("population", "integer", "members of a generation", default=60, low=2, high=1024),
        Param("generations", "integer", "generations", default=20, low=1, high=1000),
        Param("edits", "number", "most edited words, as a share", default=0.2, low=0.0, high=1.0),
    ),
    most_edits=lambda setting: setting.number("edits"),
    published={"top": 8, "population": 60, "generations": 20, "edits": 0.2},
    differences=(
        "Words are those that a multilingual masked language model finds likely there; the paper takes the 8 nearest "
        "English word vectors (counter-fitted), of which a language model keeps 4.",
        "In inference the paper changes the hypothesis alone: limit it, as `genetic(…)@hypothesis`.",
        "A mutation draws one of a word's alternatives; the paper takes the one that hurts most.",
        "At most 0.2 of the words change; the paper's limits are 0.2 for sentiment and 0.25 for inference (§4: 20% and "
        "25% for the two tasks): give `edits=0.25` there.",
    ),
)
