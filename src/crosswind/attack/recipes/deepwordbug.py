"""DeepWordBug: small changes of characters in the words that matter most."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.perturb.perturbation import Param
from crosswind.perturb.spec import printed_call

SUBSTITUTED = {"keyboard": "keyboard", "alphabet": "substitute"}
"""What a letter becomes -> the perturbation."""


def _specs(setting: AttackSetting) -> Sequence[str]:
    return ["swap", SUBSTITUTED[str(setting.params["letters"])], "insert", "delete"]


def _within_distance(setting: AttackSetting) -> Sequence[str]:
    most = int(setting.number("distance"))
    return (printed_call("edit-distance", [("most", most)]),) if most else ()


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


DEEPWORDBUG = Recipe(
    name="deepwordbug",
    summary="swaps, substitutions, insertions and deletions of characters in the words that matter most",
    source="Gao et al. 2018 (Black-box Generation of Adversarial Text Sequences), §III",
    languages="every script that one of its character changes knows",
    specs=_specs,
    search=_search,
    params=(
        Param("edits", "number", "most edits, as a share of the words", default=1.0, low=0.0, high=1.0),
        Param(
            "letters",
            "text",
            "what a letter becomes: its neighbours on the keyboard, or any letter of the alphabet",
            default="keyboard",
            choices=tuple(SUBSTITUTED),
        ),
        Param("distance", "integer", "most edits of characters in a text (Levenshtein); 0: no limit", default=0, low=0),
    ),
    most_edits=lambda setting: setting.number("edits"),
    named_constraints=_within_distance,
    published={"letters": "alphabet", "distance": 30},
    differences=(
        "The importance of a word is the loss without it (their Replace-1 score), for any kind of task.",
        "Of a word every change that the alternatives list is tried and the worst one kept; the paper draws one.",
        "A substituted letter is a neighbour on the language's keyboard, with setting=published any of its alphabet; "
        "the paper draws any Latin letter.",
        "The distance of at most 30 (setting=published) is of each text of an example; the paper's have one.",
    ),
)
