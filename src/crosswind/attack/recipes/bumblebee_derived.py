"""Bumblebee without oracle access: phrases become their translations by a phrase table from other text."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.beam import beam
from crosswind.perturb.perturbation import Param, Value
from crosswind.perturb.spec import printed_call


def _specs(setting: AttackSetting) -> Sequence[str]:
    params: list[tuple[str, Value]] = [("embed", setting.listing("embed"))]
    if "phrases" in setting.params:
        params.append(("phrases", str(setting.params["phrases"])))
    return [printed_call("codemix-phrase", params)]


def _search(setting: AttackSetting) -> Search:
    return beam(int(setting.number("beam")))


BUMBLEBEE_DERIVED = Recipe(
    name="bumblebee-derived",
    summary="phrases become their translations by a phrase table, by a beam from left to right",
    source="Tan & Joty 2021 (Code-Mixing on Sesame Street: Dawn of the Adversarial Polyglots), §3.2, algorithm 2",
    kinds=("pair", "choice", "span", "query"),
    languages="languages with a phrase table from or to an embedded one",
    specs=_specs,
    search=_search,
    params=(
        Param("embed", "list", "embedded languages: embed=de,zh"),
        Param("beam", "integer", "states that are kept; 0 is all", default=4, low=0),
        Param("phrases", "text", "folder of phrase tables en-de.phrases.tsv, …", location=True),
    ),
    published={"beam": 1},
    differences=(
        "Phrases come from tables of aligned parallel text (`crosswind lexicon bilingual`), the paper's from the "
        "item's own translations. Tables made of the test set's text are oracle access all the same.",
        "From the left the longest phrase of a table is a site; `bumblebee` has every aligned phrase.",
        "A table does not say where a phrase stands in a sentence, so there is no equivalence constraint.",
        "The beam of setting=published is the default of the released script (run_bumblebee_nli.py).",
    ),
)
