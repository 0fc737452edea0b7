"""Invisible characters: a zero-width one comes between two letters of a word.

ZWNJ and ZWJ shape letters or spell words in Arabic script (Persian, Urdu, …) and in the scripts of South and
Southeast Asia: there they are no noise and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crosswind.perturb.alternatives import Alternatives, Option
from crosswind.perturb.codes import CodeSlices, Integers, TextBatch, code_points
from crosswind.perturb.columns import Columned, Columns
from crosswind.perturb.draw import Words, below
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pieces import Between, Keep, New
from crosswind.perturb.single_characters import single_characters
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
        return single_characters("invisible", setting)
    return f"ZWNJ and ZWJ are spelling in {setting.language} ({script(setting.language)}), no noise"


class _Gaps(Columned):
    """Gaps between two letters, and the characters that come into them."""

    def __init__(self, characters: Sequence[str]) -> None:
        super().__init__(self._columns)
        self._characters = characters
        self._codes = code_points("".join(characters))

    def _columns(self, batch: TextBatch) -> Columns:
        text, codes = batch.text, batch.codes
        starts, ends, _ = batch.letter_pairs()

        def options(i: int, first: int) -> tuple[Option, ...]:
            start, end = int(starts[i]), int(ends[i])
            unit = text[start:end]
            return tuple(_behind(unit, start - first, end - first, c) for c in self._characters)

        def become(at: Integers, bits: Words) -> CodeSlices:
            chosen = below(bits, np.full(len(at), len(self._codes)))
            letters, characters = (starts[at], ends[at] - starts[at]), (chosen + len(codes), np.ones_like(chosen))
            return CodeSlices.of_parts(np.concatenate((codes, self._codes)), letters, characters)

        return Columns(starts, ends, options, become, pieces=True)


def _behind(unit: str, start: int, end: int, character: str) -> Option:
    """A letter with a character behind it."""
    # A joiner belongs to the cluster before it: it replaces that cluster. The others stand alone.
    if character in "\u200c\u200d":
        return unit + character
    return Keep(start, end), New(character, (Between((Keep(end - 1, end), Keep(end, end + 1))),))


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Gaps(_characters(setting))


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
