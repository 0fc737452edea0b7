"""Morpheus: words take another inflection of theirs, the one that hurts most."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.coordinate import greedy_coordinate
from crosswind.perturb.brought import FILE_LANGUAGE
from crosswind.perturb.perturbation import Param
from crosswind.perturb.spec import printed_call


def _specs(setting: AttackSetting) -> Sequence[str]:
    given = ((name, setting.params.get(name)) for name in ("tables", FILE_LANGUAGE.name))
    return [printed_call("inflect", [(name, str(value)) for name, value in given if value])]


def _search(setting: AttackSetting) -> Search:
    return greedy_coordinate()


MORPHEUS = Recipe(
    name="morpheus",
    summary="words take the inflection that hurts most, from the first word to the last and back",
    source="Tan et al. 2020 (It's Morphin' Time!), §3, algorithm 1",
    languages="languages with inflection tables (UniMorph, UD)",
    specs=_specs,
    search=_search,
    params=(
        Param("tables", "text", "folder of UniMorph tables or UD treebanks, or a file", location=True),
        FILE_LANGUAGE,
    ),
    published={},
    differences=(
        "Forms come from the tables of a language, for the words that they hold; the paper inflects English by rules.",
        "Parts of speech are those of the tables; no tagger is asked.",
    ),
)
