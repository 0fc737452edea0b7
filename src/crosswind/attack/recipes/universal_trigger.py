"""Universal triggers: the same few words before every example."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.single import singles
from crosswind.attack.universal import TriggerSearch
from crosswind.data.examples import Kind
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.perturbation import Param

SEARCHED_ON = "dev"  # the split that a trigger is searched on

_FIELDS: dict[Kind, str] = {"pair": "second", "choice": "context", "span": "context"}


def _applies(setting: AttackSetting) -> str | None:
    task = setting.task
    if SEARCHED_ON not in task.splits:
        return f"a trigger is searched on a development split, which {task.name} does not have"
    if _FIELDS[task.kind] not in task.perturbed:
        return f"the {_FIELDS[task.kind]} of {task.name} may not change"
    return None


def _universal(setting: AttackSetting) -> TriggerSearch:
    words, candidates, examples = (int(setting.number(name)) for name in ("words", "candidates", "examples"))
    return TriggerSearch(_FIELDS[setting.task.kind], words, candidates, examples)


def _search(setting: AttackSetting) -> Search:
    values = _universal(setting)
    settings = (("words", values.words), ("candidates", values.candidates), ("examples", values.examples))
    return Search("trigger", singles().run, settings=settings)


def _no_specs(setting: AttackSetting) -> Sequence[str]:
    return ()


UNIVERSAL_TRIGGER = Recipe(
    name="universal-trigger",
    summary="the same few words before every text, searched on development data by gradients",
    source="Wallace et al. 2019 (Universal Adversarial Triggers for Attacking and Analyzing NLP), §2",
    kinds=("pair", "choice", "span"),
    languages="all with a development split",
    access="gradient",
    specs=_no_specs,
    search=_search,
    universal=_universal,
    needs=lambda setting: (DataNeed("development", split=SEARCHED_ON),),
    applies=_applies,
    params=(
        Param("words", "integer", "length of the trigger", default=3, low=1, high=16),
        Param("candidates", "integer", "words that are asked about for a position", default=40, low=1),
        Param("examples", "integer", "development examples that it is searched on", default=64, low=1),
    ),
    most_edits=lambda setting: float("inf"),
    most_changes=lambda setting: 1,
    published={"words": 3, "candidates": 40},
    differences=(
        "It raises the loss of the gold answer (untargeted); the paper also aims at a class or an answer.",
        "The trigger's words are those of the language's development data, so that its control draws from the same.",
        "It begins with the most frequent of them three times; the paper with `the the the`.",
        "One trigger is kept (the paper's beam is 1 in its released code), and one is searched for all classes.",
        "The budget is what the search may ask for each development example; of a test example one text is asked.",
    ),
)
