"""CLARE: replace, insert and merge by a masked language model, the change that hurts most first."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.recipes.bert_attack import proposals, proposer
from crosswind.attack.search import Search
from crosswind.attack.search.steepest import steepest
from crosswind.attack.similar import ENCODER_NEEDED, kept_similar, similar_texts
from crosswind.perturb.perturbation import Param

_LEAST = {"replace": "replacing", "insert": "inserting", "merge": "merging"}
"""What the model proposes -> the parameter that says the least probability of its words."""


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [proposals(setting, mode, setting.number(name)) for mode, name in _LEAST.items()]


def _search(setting: AttackSetting) -> Search:
    return steepest()


CLARE = Recipe(
    name="clare",
    summary="replace, insert, merge by a masked language model: of every position its worst change, the worst first",
    source="Li et al. 2021 (CLARE: Contextualized Perturbation for Textual Adversarial Attack), §2, algorithm 1",
    languages="all that the model knows; in tagged sentences it only replaces",
    specs=_specs,
    search=_search,
    params=(
        *proposer(20),
        Param("replacing", "number", "least probability of a word that replaces one", default=0.0, low=0.0, high=1.0),
        Param("inserting", "number", "least probability of a word that is put in", default=0.0, low=0.0, high=1.0),
        Param("merging", "number", "least probability of a word that stands for two", default=0.0, low=0.0, high=1.0),
        *kept_similar(0.7),
    ),
    named_constraints=similar_texts,
    # Of the authors' code (github.com/cookielee77/CLARE): config.py has 50 words, utils/hyper_parameters.py the rest
    # (those of MNLI, QNLI, Yelp and others; of AG News and SST-2 the similarities are lower).
    published={"top": 50, "replacing": 0.0005, "inserting": 0.0, "merging": 0.005, "cosine": 0.7},
    published_needs={"similarity": ENCODER_NEEDED},
    differences=(
        "The model is multilingual; with setting=published its candidates are those of the authors' code: of the 50 "
        "likeliest words those of at least 0.0005 replace a word, those of 0.005 merge two, and any is inserted.",
        "An action is applied as it was scored on the original. The released code fills its place again in the text at "
        "hand, keeps the best of each of the three actions of a position, and takes what lowers the gold label's "
        "probability there; the paper keeps one action a position and applies it.",
        "The paper ends after a limit of actions; here with the budget or the positions, and as many edits as words.",
        "Any two neighbouring words merge and any word may change; the released code asks English parts of speech and "
        "a list of stop words. In scripts without spaces an insertion belongs to the position behind it.",
        "The paper keeps a similarity of 0.7 by USE (English) of 15 words around the change (in its code 0.7 for MNLI, "
        "0.6 for some other tasks), by its formula a cosine of 0.905 (TextAttack's recipe); here 0.7 is the cosine of "
        "the encoder that is named, of the whole text.",
    ),
)
