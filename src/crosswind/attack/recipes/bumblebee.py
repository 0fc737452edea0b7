"""Bumblebee: phrases become what stands for them in the item's own translations, by a beam from left to right."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.beam import beam
from crosswind.perturb.perturbation import Param, Value
from crosswind.perturb.spec import printed_call


def _specs(setting: AttackSetting) -> Sequence[str]:
    params: list[tuple[str, Value]] = [("embed", setting.listing("embed")), ("model", str(setting.params["model"]))]
    return [printed_call("translated-phrase", params)]


def _search(setting: AttackSetting) -> Search:
    return beam(int(setting.number("beam")))


BUMBLEBEE = Recipe(
    name="bumblebee",
    summary="phrases become what stands for them in the item's own translations, by a beam from left to right",
    source="Tan & Joty 2021 (Code-Mixing on Sesame Street: Dawn of the Adversarial Polyglots), §3.2, algorithm 2",
    kinds=("pair", "choice", "span"),
    languages="languages of parallel tasks with a translation into an embedded one",
    specs=_specs,
    search=_search,
    params=(
        Param("embed", "list", "embedded languages: embed=de,zh"),
        Param("model", "text", "a multilingual encoder whose hidden states align words: a hub's id or a folder"),
        Param("beam", "integer", "states that are kept; 0 is all", default=4, low=0),
    ),
    oracle="it reads the test set's own translations of each item",
    forward=True,
    published={"beam": 1},
    differences=(
        "Words are aligned where each is the other's nearest (SimAlign's `argmax`); the paper matches by `mwmf`.",
        "The equivalence constraint (no backward jump between neighbouring phrases of one language) holds for all "
        "languages; the released code exempts Arabic and Hebrew.",
        "Changes accumulate in both texts and the beam is cut once a position: the released code does neither.",
        "The beam of setting=published is the default of the released script (run_bumblebee_nli.py); it embeds the 14 "
        "other languages of XNLI.",
        "An attack without oracle access has phrase tables, or a lexicon: `bumblebee-derived`, `polygloss`.",
    ),
)
