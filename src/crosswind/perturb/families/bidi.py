"""Reordering controls: two neighbours stand in the wrong order, and bidirectional controls show them in the right one.

What is displayed is the text as it was; what a program reads has the two exchanged and ten controls around
them. Arabic script is left out: an isolated letter has another shape there.
"""

from __future__ import annotations

import numpy as np

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.codes import BETWEEN_TEXTS, CodeSlices, Integers, TextBatch, code_points
from crosswind.perturb.columns import Columned, Columns
from crosswind.perturb.draw import Words
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.single_characters import single_characters
from crosswind.perturb.words import script

# UAX #9: overrides (LRO, RLO, ended by PDF) and isolates (LRI, RLI, ended by PDI).
_LRO, _RLO, _PDF, _LRI, _RLI, _PDI = "\u202d", "\u202e", "\u202c", "\u2066", "\u2067", "\u2069"
_JOINING = frozenset({"Arab", "Syrc", "Mong", "Thaa", "Nkoo", "Adlm"})
_RIGHT_TO_LEFT = frozenset({"Hebr"})


def reordered(first: str, second: str, *, right_to_left: bool = False) -> str:
    """A text that is displayed as `first` and `second` in this order, and holds `second` before `first`."""
    override, back = (_RLO, _LRO) if right_to_left else (_LRO, _RLO)
    isolate = _RLI if right_to_left else _LRI
    # Two isolates under an override against the direction of the text are shown from its end to its start.
    inner = f"{isolate}{second}{_PDI}{isolate}{first}{_PDI}"
    return f"{override}{isolate}{back}{inner}{_PDF}{_PDI}{_PDF}"


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    if written in _JOINING:
        return f"letters of {setting.language} ({written}) join: one in an isolate has another shape"
    return single_characters("bidi", setting)


class _Pairs(Columned):
    """Pairs of adjacent letters that differ."""

    def __init__(self, *, right_to_left: bool) -> None:
        super().__init__(self._columns)
        self._right_to_left = right_to_left
        parts = reordered(BETWEEN_TEXTS, BETWEEN_TEXTS, right_to_left=right_to_left).split(BETWEEN_TEXTS)
        self._codes = code_points("".join(parts))
        ends = np.cumsum([len(part) for part in parts]).tolist()
        self._controls = [(end - len(part), len(part)) for end, part in zip(ends, parts, strict=True)]

    def _columns(self, batch: TextBatch) -> Columns:
        text = batch.text
        low, middle, high = batch.letter_pairs()
        same = (middle - low == high - middle) & (batch.codes[low] == batch.codes[middle])
        for i in np.flatnonzero(same & (middle - low > 1)).tolist():
            same[i] = text[low[i] : middle[i]] == text[middle[i] : high[i]]
        low, middle, high = low[~same], middle[~same], high[~same]

        def exchanged(i: int) -> str:
            a, b, c = int(low[i]), int(middle[i]), int(high[i])
            return reordered(text[a:b], text[b:c], right_to_left=self._right_to_left)

        def become(chosen: Integers, bits: Words) -> CodeSlices:
            a, b, c = low[chosen], middle[chosen], high[chosen]
            before, between, after = ((np.full_like(a, at), np.full_like(a, size)) for at, size in self._controls)
            codes = np.concatenate((self._codes, batch.codes))
            shift = len(self._codes)
            return CodeSlices.of_parts(codes, before, (b + shift, c - b), between, (a + shift, b - a), after)

        return Columns(low, high, lambda i, first: (exchanged(i),), become)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Pairs(right_to_left=script(setting.language) in _RIGHT_TO_LEFT)


BIDI = Perturbation(
    name="bidi",
    nature="preserving",
    summary="two neighbours exchanged, and bidirectional controls that display them as they were",
    source="Boucher et al. 2022 (Bad Characters), §IV; Unicode Standard Annex #9",
    unit="adjacent pair",
    languages="all but those whose letters join (Arabic script)",
    applies=_applies,
    prepare=_prepare,
)
