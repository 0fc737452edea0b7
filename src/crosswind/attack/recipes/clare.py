"""CLARE: replace, insert and merge by a masked language model, the change that hurts most first."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.recipes.bert_attack import proposals, proposer
from crosswind.attack.search import Search
from crosswind.attack.search.steepest import steepest
from crosswind.attack.similar import ENCODER_NEEDED, kept_similar, similar_texts
from crosswind.perturb.perturbation import Param


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
    params=(
        *proposer(20),
        Param("probability", "number", "the least probability of a word", default=0.0, low=0.0, high=1.0),
        *kept_similar(0.7),
    ),
    named_constraints=similar_texts,
    # At most 200 words have a probability of 0.005: their number is no limit then.
    published={"top": 200, "probability": 0.005, "cosine": 0.7},
    published_needs={"similarity": ENCODER_NEEDED},
    differences=(
        "The model is multilingual; its candidates are the `top` likeliest, with setting=published those of a "
        "probability of 0.005 or more (as we remember the paper: not checked).",
        "All places are filled once, on the original; the paper does so as well and changes each place once.",
        "The paper keeps a similarity of 0.7 by USE (English), by its code's formula a cosine of 0.905 (TextAttack's "
        "recipe); here 0.7 is the cosine of the encoder that is named, of the whole text.",
    ),
)
