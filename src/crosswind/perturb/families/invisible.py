"""Invisible characters: a zero-width one comes between two letters of a word.

ZWNJ and ZWJ shape letters or spell words in Arabic script (Persian, Urdu, …) and in the scripts of South and
Southeast Asia: there they are no noise and are left out.
"""

from __future__ import annotations

import itertools

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.clusterwise import is_letter
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pieces import Between, Keep, New
from crosswind.perturb.words import script

_CHARACTERS = {"zwsp": "\u200b", "zwnj": "\u200c", "zwj": "\u200d", "wj": "\u2060"}
_JOINERS = ("zwnj", "zwj")
# Scripts in which neither joiner has an effect on letters.
_PLAIN = frozenset({"Latn", "Cyrl", "Grek", "Armn", "Geor", "Hebr", "Ethi", "Hans", "Hant", "Hani", "Jpan", "Kore"})


def _characters(setting: Setting) -> list[str]:
    names = setting.params["characters"]
    assert isinstance(names, tuple)
    plain = script(setting.language) in _PLAIN
    return [_CHARACTERS[name] for name in names if plain or name not in _JOINERS]


def _applies(setting: Setting) -> str | None:
    if _characters(setting):
        return None
    return f"ZWNJ and ZWJ are spelling in {setting.language} ({script(setting.language)}), no noise"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    characters = _characters(setting)

    def sites(passage: Passage) -> Sites:
        units, offsets = positioned(passage.text)
        letters = [is_letter(u) for u in units]
        at = [i for i, (before, after) in enumerate(itertools.pairwise(letters)) if before and after]

        def options(index: int) -> tuple[Option, ...]:
            i = at[index]
            start, end = offsets[i], offsets[i + 1]
            # A joiner belongs to the cluster before it: it replaces that cluster. The others stand alone.
            return tuple(
                units[i] + c
                if c in "\u200c\u200d"
                else (Keep(start, end), New(c, (Between((Keep(end - 1, end), Keep(end, end + 1))),)))
                for c in characters
            )

        return Sites([offsets[i] for i in at], [offsets[i + 1] for i in at], options)

    return Listed(sites)


INVISIBLE = Perturbation(
    name="invisible",
    nature="preserving",
    summary="a zero-width character between two letters of a word: nothing is seen of it",
    source="Boucher et al. 2022 (Bad Characters), §IV; Unicode Standard, §23.2 (joiners)",
    unit="gap between two letters",
    languages="all; ZWNJ and ZWJ only where they are no spelling",
    applies=_applies,
    prepare=_prepare,
    params=(
        Param(
            "characters",
            "list",
            "which: zwsp (U+200B), zwnj (U+200C), zwj (U+200D), wj (U+2060)",
            default=("zwsp", "zwnj", "zwj"),
            choices=tuple(_CHARACTERS),
        ),
    ),
)
