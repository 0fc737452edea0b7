"""TextBugger: spaces, deletions, swaps and look-alikes in the words that matter most."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.attack.similar import ENCODER_NEEDED, kept_similar, similar_texts
from crosswind.perturb.perturbation import Param

LOOK_ALIKES = {"unicode": "homoglyph", "printed": "ocr"}
"""What of the bug Sub-C looks alike -> the perturbation."""


def _specs(setting: AttackSetting) -> Sequence[str]:
    return ["whitespace(mode=split)", "delete", "swap", LOOK_ALIKES[str(setting.params["lookalikes"])], "keyboard"]


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


TEXTBUGGER = Recipe(
    name="textbugger",
    summary="a space, a deletion, a swap, a look-alike or a neighbouring key in the words that matter most",
    source="Li et al. 2019 (TextBugger), §III-B: Insert, Delete, Swap, Sub-C",
    languages="every script that one of its character changes knows",
    specs=_specs,
    search=_search,
    params=(
        Param("edits", "number", "most edits, as a share of the words", default=1.0, low=0.0, high=1.0),
        Param(
            "lookalikes",
            "text",
            "letters of another script (UTS #39), or what looks alike in print (o and 0, l and 1)",
            default="unicode",
            choices=tuple(LOOK_ALIKES),
        ),
        *kept_similar(0.8),
    ),
    most_edits=lambda setting: setting.number("edits"),
    named_constraints=similar_texts,
    published={"lookalikes": "printed", "cosine": 0.8},
    published_needs={"similarity": ENCODER_NEEDED},
    differences=(
        "Sub-W, a neighbour by English word vectors, is left out: it exists in one language.",
        "Sub-C takes look-alikes of UTS #39 and neighbours on the keyboard; with setting=published those in print, "
        "as the paper's o and 0, l and 1 (its a and @ are not among them).",
        "Every alternative of a word is tried, not one of each kind; first and last letters change as well.",
        "The paper keeps a similarity of 0.8 by USE (English; quoted in TextAttack's recipe): name a multilingual "
        "sentence encoder as `similarity`.",
    ),
)
