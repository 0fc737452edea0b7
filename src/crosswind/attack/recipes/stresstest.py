"""StressTest: a tautology or a negation at the hypothesis, or a long premise; the worst of the three."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.single import singles
from crosswind.perturb.perturbation import Param


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [f"distract-nli(mode={mode})" for mode in setting.listing("modes")]


def _search(setting: AttackSetting) -> Search:
    return singles()


STRESSTEST = Recipe(
    name="stresstest",
    summary='"and true is true", "and false is not true", or the first five times, each alone; the worst of them',
    source="Naik et al. 2018 (Stress Test Evaluation for NLI), §3.2",
    kinds=("pair",),
    languages="the languages of XNLI, of NLI tasks",
    specs=_specs,
    search=_search,
    blind=True,
    params=(
        Param(
            "modes",
            "list",
            "which of them",
            default=("tautology", "negation", "length"),
            choices=("tautology", "negation", "length"),
        ),
    ),
    most_edits=lambda setting: float("inf"),
    most_changes=lambda setting: 1,
    published={},
    differences=(
        "The paper reports each of the three apart (name one in `modes`); all of them give the worst.",
        "Its antonyms, numerical reasoning and spelling errors are no distractions and are left out here.",
    ),
)
