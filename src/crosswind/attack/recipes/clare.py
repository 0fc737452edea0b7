"""CLARE: replace, insert and merge by a masked language model, the change that hurts most first."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.recipes.bert_attack import proposals, proposer
from crosswind.attack.search import Search
from crosswind.attack.search.steepest import steepest


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [proposals(setting, mode) for mode in ("replace", "insert", "merge")]


def _search(setting: AttackSetting) -> Search:
    return steepest()


CLARE = Recipe(
    name="clare",
    summary="replace, insert, merge by a masked language model: of every place its worst change, the worst first",
    source="Li et al. 2021 (CLARE: Contextualized Perturbation for Textual Adversarial Attack), §2, algorithm 1",
    languages="all that the model knows; in tagged sentences it only replaces",
    specs=_specs,
    search=_search,
    params=proposer(20),
    differences=(
        "The model is multilingual; its candidates are the `top` likeliest, not those above a probability of 0.005.",
        "All places are filled once, on the original; the paper does so as well and changes each place once.",
        "The paper keeps a sentence similarity of 0.7: name a multilingual sentence encoder as the constraint "
        "`similarity(least=0.7)`.",
    ),
)
