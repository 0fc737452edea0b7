"""Reordering controls: two neighbours stand in the wrong order, and bidirectional controls show them in the right one.

What is displayed is the text as it was; what a program reads has the two exchanged and ten controls around
them. Arabic script is left out: an isolated letter has another shape there.
"""

from __future__ import annotations

import itertools

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.clusterwise import is_letter
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
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
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    right_to_left = script(setting.language) in _RIGHT_TO_LEFT

    def sites(passage: Passage) -> Sites:
        units, offsets = positioned(passage.text)
        letters = [is_letter(u) for u in units]
        pairs = [i for i, (a, b) in enumerate(itertools.pairwise(letters)) if a and b and units[i] != units[i + 1]]

        def options(index: int) -> tuple[Option, ...]:
            i = pairs[index]
            return (reordered(units[i], units[i + 1], right_to_left=right_to_left),)

        return Sites([offsets[i] for i in pairs], [offsets[i + 1] + len(units[i + 1]) for i in pairs], options)

    return Listed(sites)


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
