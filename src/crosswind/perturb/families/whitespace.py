"""Spaces in the wrong places: a word is split in two, or two words are joined.

In writing systems without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) a space comes between two
letters. Digits are not split. The words of a tagged sentence are given: there is nothing to split or join.
"""

from __future__ import annotations

import itertools

from crosswind.perturb.alternatives import Alternatives, Listed, Sites
from crosswind.perturb.clusterwise import is_letter
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import is_unspaced


def _applies(setting: Setting) -> str | None:
    if setting.kind == "tagging":
        return "the words of a tagged sentence are given: none is split or joined"
    if is_unspaced(setting.language) and setting.params["mode"] == "join":
        return f"{setting.language} is written without spaces: there are none to leave out"
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    mode = setting.params["mode"]
    split, join = mode != "join", mode != "split"

    def sites(passage: Passage) -> Sites:
        units, offsets = positioned(passage.text)
        letters = [is_letter(u) for u in units]
        starts, ends = [], []
        for i, (before, after) in enumerate(itertools.pairwise(letters), 1):
            if before and after and split:
                starts.append(offsets[i])
                ends.append(offsets[i])
            elif join and before and units[i] == " " and i + 1 < len(units) and letters[i + 1]:
                starts.append(offsets[i])
                ends.append(offsets[i] + 1)
        return Sites(starts, ends, lambda i: (" ",) if starts[i] == ends[i] else ("",))

    return Listed(sites)


WHITESPACE = Perturbation(
    name="whitespace",
    nature="preserving",
    summary="a space inside a word, or none between two",
    source="Náplava et al. 2021 (KaziText), white space",
    unit="gap between letters or words",
    languages="all; without spaces between words a space comes between two letters",
    applies=_applies,
    prepare=_prepare,
    params=(
        Param("mode", "text", "split words, join them, or both", default="both", choices=("both", "split", "join")),
    ),
)
