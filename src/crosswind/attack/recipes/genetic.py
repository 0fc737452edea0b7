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
    population, generations = (int(setting.number(name)) for name in ("population", "generations"))
    return genetic(population, generations, worst=setting.params["mutation"] == "worst")


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
        Param(
            "mutation",
            "text",
            "what a word becomes: one of its alternatives, drawn, or the one that hurts most, each asked about",
            default="drawn",
            choices=("drawn", "worst"),
        ),
        Param("edits", "number", "most edited words, as a share", default=0.2, low=0.0, high=1.0),
    ),
    most_edits=lambda setting: setting.number("edits"),
    published={"top": 8, "population": 60, "generations": 20, "mutation": "worst", "edits": 0.2},
    differences=(
        "Words are those that a multilingual masked language model finds likely there; the paper takes the 8 nearest "
        "English word vectors (counter-fitted), of which a language model keeps 4.",
        "In inference the paper changes the hypothesis alone: limit it, as `genetic(…)@hypothesis`.",
        "A mutation draws one of a word's alternatives, or changes one back; with setting=published (mutation=worst) "
        "it takes of a word that is as it was the one that hurts most, as the paper does. The released code takes it "
        "only where it hurts more than the word as it was, and leaves out frequent words.",
        "The paper aims at a class, whose probability is the fitness; here any other class counts: 1 - p(gold).",
        "At most 0.2 of the words change; the paper's limits are 0.2 for sentiment and 0.25 for inference (§4: 20% and "
        "25% for the two tasks): give `edits=0.25` there.",
    ),
)
