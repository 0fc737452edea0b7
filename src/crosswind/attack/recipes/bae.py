"""BAE: words that matter are replaced, and others inserted beside them, by a masked language model."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.recipes.bert_attack import proposals, proposer
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [proposals(setting, "replace"), proposals(setting, "insert")]


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


BAE = Recipe(
    name="bae",
    summary="words that matter are replaced, and others inserted beside them, by a masked language model",
    source="Garg & Ramakrishnan 2020 (BAE), §3: BAE-R and BAE-I together (BAE-R+I)",
    languages="all that the model knows; in tagged sentences it only replaces",
    specs=_specs,
    search=_search,
    params=proposer(50),
    published={"top": 50},
    differences=(
        "The model is multilingual.",
        "The paper keeps a sentence similarity of 0.936 (USE, English): name a multilingual sentence encoder as the "
        "constraint `similarity`.",
        "The part of speech of a replaced word is not compared: no tagger knows all languages.",
    ),
)
