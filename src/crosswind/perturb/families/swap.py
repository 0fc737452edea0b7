"""Swapped neighbours: two adjacent graphemes of a word change places."""

from __future__ import annotations

import itertools
import unicodedata
from functools import lru_cache

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.graphemes import clusters, positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep
from crosswind.perturb.words import is_unspaced, segmentation, words

_JAPANESE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC"})


@lru_cache(maxsize=65536)
def _script(cluster: str) -> str:
    """The script of a letter by its name's first word; nothing for digits, signs and lone marks."""
    char = cluster[0]
    if not unicodedata.category(char).startswith("L"):
        return ""
    name = unicodedata.name(char, "").partition(" ")[0]
    return "CJK" if name in _JAPANESE else name


def _prepare(setting: Setting, given: Given) -> Alternatives:
    language, unspaced = setting.language, is_unspaced(setting.language)

    def sites(passage: Passage) -> Sites:
        text = passage.text
        units, offsets = positioned(text)
        simple = len(units) == len(text)
        borders = {s.start for s in words(text, language)} if unspaced else frozenset()
        scripts = [_script(u) for u in units]
        pairs = [
            i
            for i, (a, b) in enumerate(itertools.pairwise(scripts))
            if a and a == b and units[i] != units[i + 1] and offsets[i + 1] not in borders
        ]
        if not simple:
            pairs = [i for i in pairs if _stays_whole(units, i)]
        offsets.append(len(text))

        def options(index: int) -> tuple[Option, ...]:
            i = pairs[index]
            return ((Keep(offsets[i + 1], offsets[i + 2]), Keep(offsets[i], offsets[i + 1])),)

        return Sites([offsets[i] for i in pairs], [offsets[i + 2] for i in pairs], options)

    return Listed(sites)


def _stays_whole(units: list[str], i: int) -> bool:
    """Whether the swapped clusters stay clusters (a final virama would join what follows it)."""
    moved = [*units[max(0, i - 1) : i], units[i + 1], units[i], *units[i + 2 : i + 3]]
    return clusters("".join(moved)) == moved


def _resources(setting: Setting) -> dict[str, str]:
    return segmentation(setting.language)


SWAP = Perturbation(
    name="swap",
    nature="preserving",
    summary="two adjacent letters of a word (grapheme clusters of one script) change places",
    source="Belinkov & Bisk 2018 (Synthetic and Natural Noise Both Break Neural MT), §3.2",
    unit="adjacent pair",
    languages="all; words of Chinese, Japanese and Thai by ICU",
    prepare=_prepare,
    resources=_resources,
)
