"""BAE: words that matter are replaced, or others inserted behind them, by a masked language model."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.recipes.bert_attack import proposals, proposer
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.attack.similar import ENCODER_NEEDED, kept_similar, similar_texts


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [proposals(setting, "replace"), proposals(setting, "insert")]


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


BAE = Recipe(
    name="bae",
    summary="words that matter are replaced, or others inserted behind them, by a masked language model",
    source="Garg & Ramakrishnan 2020 (BAE), §3, algorithm 1: each word is replaced or has one inserted (BAE-R/I)",
    languages="all that the model knows; in tagged sentences it only replaces",
    specs=_specs,
    search=_search,
    params=(*proposer(50), *kept_similar(0.936)),
    named_constraints=similar_texts,
    published={"top": 50, "cosine": 0.936},
    published_needs={"similarity": ENCODER_NEEDED},
    differences=(
        "The model is multilingual.",
        "All places are filled once, on the original; the paper fills each in the text at hand.",
        "A word is inserted behind the one that is visited; the paper also tries the place before it.",
        "Of several changes that succeed the one of the highest loss counts; the paper takes the most similar text.",
        "The paper keeps a similarity of 0.8 by USE (English), by the code's formula a cosine of 0.936 (TextAttack's "
        "recipe), within 15 words around the change; here it is the whole text's, where an encoder is named.",
        "No tagger knows all languages: where the constraint `part-of-speech` is named, replaced words are compared by "
        "treebanks.",
    ),
)
