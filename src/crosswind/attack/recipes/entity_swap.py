"""Entity swap: entities of NER become others of their type, those that the model knows least."""

from __future__ import annotations

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.beam import beam
from crosswind.perturb.perturbation import Param


def _search(setting: AttackSetting) -> Search:
    return beam(int(setting.number("beam")))


ENTITY_SWAPS = Recipe(
    name="entity-swap",
    summary="entities become others of their type and length; a beam from left to right",
    source="Lin et al. 2021 (RockNER), §3.1, searched in place of drawn",
    kinds=("tagging",),
    languages="all, of named-entity recognition",
    specs=lambda setting: ["entity-swap"],
    search=_search,
    params=(Param("beam", "integer", "states that are kept", default=4, low=1),),
    most_edits=lambda setting: float("inf"),
    differences=(
        "Entities come from the test set's own gold spans of the language; the paper takes them from Wikidata.",
        "The paper draws; here the entity that hurts most is searched for. The words around an entity stay.",
    ),
)
