"""BERT-Attack: the words that matter most become what a masked language model finds likely there."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.attack.recipe import AttackSetting, Recipe
from crosswind.attack.search import Search
from crosswind.attack.search.greedy import greedy_by_importance
from crosswind.perturb.perturbation import Param, Value
from crosswind.perturb.spec import printed_call

_VICTIM = Param(
    "victim", "text", "whether the proposing model is another than the attacked", "other", ("other", "same")
)


def proposals(setting: AttackSetting, mode: str, least: float = 0.0) -> str:
    """The alternatives of a masked language model in one of its modes: words of at least this probability."""
    params: list[tuple[str, Value]] = [("model", str(setting.params["model"])), ("mode", mode)]
    params.append(("top", int(setting.number("top"))))
    if least:
        params.append(("least", least))
    params.append(("victim", str(setting.params["victim"])))
    return printed_call("mlm", params)


def proposer(top: int) -> tuple[Param, ...]:
    """The parameters of recipes whose alternatives a masked language model proposes."""
    return (
        Param("model", "text", "a masked language model: a hub's id or a folder"),
        Param("top", "integer", "its likeliest words at a place", default=top, low=1, high=1000),
        _VICTIM,
    )


def _specs(setting: AttackSetting) -> Sequence[str]:
    return [proposals(setting, "replace")]


def _search(setting: AttackSetting) -> Search:
    return greedy_by_importance()


BERT_ATTACK = Recipe(
    name="bert-attack",
    summary="the words that matter most become what a multilingual masked language model finds likely there",
    source="Li et al. 2020 (BERT-ATTACK), §3-4.2",
    languages="all that the model knows",
    specs=_specs,
    search=_search,
    params=(
        *proposer(48),
        Param("edits", "number", "most edited words, as a share", default=0.4, low=0.0, high=1.0),
        Param(
            "probe",
            "text",
            "what stands for a word whose importance is measured; mask: the victim's mask token",
            default="nothing",
            choices=("nothing", "mask"),
        ),
    ),
    most_edits=lambda setting: setting.number("edits"),
    masks=lambda setting: setting.params["probe"] == "mask",
    published={"top": 48, "edits": 0.4, "probe": "mask"},
    differences=(
        "The model is multilingual and sees a mask in place of the word; the paper shows it the word itself.",
        "A word of several pieces becomes a word of one piece; the paper combines the candidates of its pieces.",
        "No list of stop words and no filter of antonyms: they exist in English.",
        "Importance is the loss without the word; with setting=published or probe=mask behind the victim's mask token, "
        "as in the paper. A function or an address shows none.",
    ),
)
