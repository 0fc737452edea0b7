"""Tasks whose words are single characters: nothing within a word changes there, and no word stands in a lexicon."""

from __future__ import annotations

from crosswind.perturb.perturbation import Setting
from crosswind.perturb.words import base_language

_TASKS = frozenset({"panx"})  # Pan et al. 2017 as XTREME cuts it: a word of zh and ja is a character
_LANGUAGES = frozenset({"zh", "ja"})


def single_characters(name: str, setting: Setting) -> str | None:
    """Why a perturbation within words, or of whole ones, has nothing in a task whose words are characters."""
    if setting.task in _TASKS and base_language(setting.language) in _LANGUAGES:
        return f"{name} has no words in {setting.task} {setting.language}: its words are single characters"
    return None
