"""Distraction of NLI: a tautology or a negated falsehood at the end of a hypothesis, or a premise made long by five.

The label holds: what is added is true whatever the premise says. It raises the share of words that premise and
hypothesis do not have in common, brings a negation word, or the length, which models take for evidence.
The strings are in `distract_nli/strings.json`, which lists the languages that a native speaker has checked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import regex

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import base_language
from crosswind.tasks.base import TASKS

_END = regex.compile(r"[\s.!?。！？।۔؟…]*$")
_TIMES = 5  # "and true is true" five times (Naik et al. 2018, §3.2)


def _data() -> bytes:
    return files(__package__).joinpath("distract_nli", "strings.json").read_bytes()


@lru_cache(maxsize=1)
def _strings() -> Mapping[str, Mapping[str, str]]:
    strings: Mapping[str, Mapping[str, str]] = json.loads(_data())["strings"]
    return strings


def _field(setting: Setting) -> str:
    return "first" if setting.params["mode"] == "length" else "second"


def _applies(setting: Setting) -> str | None:
    if setting.kind != "pair" or setting.task not in TASKS or TASKS[setting.task].group != "nli":
        return "only natural language inference has a hypothesis to distract"
    if _field(setting) not in setting.fields:
        return f"the field {_field(setting)!r} of this task may not change"
    if base_language(setting.language) not in _strings():
        return f"there is no sentence for {setting.language}: only for {', '.join(_strings())}"
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    mode, field = str(setting.params["mode"]), _field(setting)
    strings = _strings()[base_language(setting.language)]
    added = strings["joint"] + strings["negation" if mode == "negation" else "tautology"]
    option: tuple[Option, ...] = (added * (_TIMES if mode == "length" else 1),)

    def sites(passage: Passage) -> Sites:
        end = _END.search(passage.text)
        at = [end.start()] if passage.field == field and end is not None and end.start() else []
        return Sites(at, at, lambda i: option)

    return Listed(sites)


DISTRACT_NLI = Perturbation(
    name="distract-nli",
    nature="preserving",
    summary='"and true is true" or "and false is not true" ends the hypothesis, or five times the premise',
    source="Naik et al. 2018 (Stress Test Evaluation for NLI), §3.2: word overlap, negation, length",
    unit="example",
    languages="the languages of XNLI, of NLI tasks",
    applies=_applies,
    prepare=_prepare,
    resources=lambda setting: {"distract-nli/strings": hashlib.sha256(_data()).hexdigest()},
    params=(
        Param(
            "mode",
            "text",
            "tautology or negation at the hypothesis, length at the premise",
            default="tautology",
            choices=("tautology", "negation", "length"),
        ),
    ),
)
