"""PolyGloss: words become their translations into embedded languages, by a best-first search."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.best_first import best_first
from crosswind.perturb.alternatives import Sites
from crosswind.perturb.applied import Constraint
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Param, Value
from crosswind.perturb.senses import REFERENCE
from crosswind.perturb.spec import printed_call
from crosswind.perturb.words import base_language

ALL = "all"
STOP_WORDS = frozenset({"is", "was", "am", "are", "were", "the", "a", "that"})
"""English words that stay, of the released code (salesforce/adversarial-polyglots, attacks/polygloss.py)."""


def _embedded(setting: AttackSetting) -> tuple[str, ...]:
    """The languages that are embedded: of `all` those of the task to which a lexicon leads."""
    given = setting.listing("embed")
    lexicons = setting.environment.lexicons
    if given != (ALL,) or lexicons is None:
        return tuple(sorted({base_language(c) for c in setting.task.languages})) if given == (ALL,) else given
    matrix = base_language(setting.language)
    others = dict.fromkeys(base_language(code) for code in setting.task.languages)
    return tuple(e for e in others if e != matrix and lexicons.lacking(matrix, e) is None)


def _specs(setting: AttackSetting) -> Sequence[str]:
    embedded = _embedded(setting)
    if not embedded:
        return ()
    params: list[tuple[str, Value]] = [("embed", embedded), ("translations", int(setting.number("translations")))]
    if setting.params.get("senses") == REFERENCE:
        params.append(("senses", REFERENCE))
    if "lexicon" in setting.params:
        params.append(("lexicon", str(setting.params["lexicon"])))
    return [printed_call("codemix", params)]


def _stop(setting: AttackSetting) -> tuple[Constraint, ...]:
    if setting.params["stop"] == "none" or base_language(setting.language) != "en":
        return ()
    return (Constraint("stop-word", mask=_no_stop_word),)


def _no_stop_word(passage: Passage, sites: Sites) -> Sequence[bool]:
    spans = zip(sites.starts, sites.ends, strict=True)
    return [passage.text[start:end].lower() not in STOP_WORDS for start, end in spans]


def _search(setting: AttackSetting) -> Search:
    return best_first(int(setting.number("beam")))


POLYGLOSS = Recipe(
    name="polygloss",
    summary="words become their translations, by a lexicon",
    source="Tan & Joty 2021 (Code-Mixing on Sesame Street: Dawn of the Adversarial Polyglots), §3.1, algorithm 1",
    kinds=("pair", "choice", "tagging", "span", "query"),
    languages="languages with a lexicon to the embedded ones",
    specs=_specs,
    search=_search,
    params=(
        Param("embed", "list", "embedded languages: embed=de,zh; all: those of the task", default=(ALL,)),
        Param("beam", "integer", "states that the queue keeps; 0 is all", default=4, low=0),
        Param("translations", "integer", "most translations a language, best first; 0 is all", default=0, low=0),
        Param(
            "senses",
            "text",
            "reference: only translations that stand in the item's own translation (oracle access)",
            default="all",
            choices=("all", REFERENCE),
        ),
        Param("stop", "text", "none: no English word is left alone", default="english", choices=("english", "none")),
        Param("lexicon", "text", "folder of lexicons en-de.txt, …", location=True),
    ),
    constraints=_stop,
    published={"beam": 0, "translations": 0, "stop": "english"},
    oracle="it reads the test set's own translations of each item",
    oracle_with=("senses", REFERENCE),
    differences=(
        "The stop list is that of the released code, eight English words in any case; other languages have none.",
        "The sense filter (senses=reference, oracle access) asks for whole words; the released code for characters.",
        "Words are those of the writing system (dictionaries of ICU for zh, ja, th), not what a tokenizer gives.",
        "The beam of setting=published, none, is the default of the released script (run_polygloss_nli.py); it embeds "
        "zh, hi, fr, de and tr.",
        "A state that brought no loss is compared with the others by how right the victim still is, then by the loss.",
    ),
)
