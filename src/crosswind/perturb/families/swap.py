"""Swapped neighbours: two adjacent letters of a word change places.

Ours (the default) takes every pair of adjacent letters within a word. `model=belinkov` is the swap of Belinkov &
Bisk 2018, §3.2: once in a word of four or more letters, whose first and last letter stay.

Where a letter is a syllable or a whole word (Hangul, the Indic scripts, Khmer, Burmese, Ethiopic, Chinese
characters) no slip of a finger swaps two of them: not applicable, unless `scripts=all` asks for it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import numpy as np

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.codes import CodeSlices, CodeTable, Integers, Pairs, TextBatch
from crosswind.perturb.columns import Columned, Columns
from crosswind.perturb.draw import Words
from crosswind.perturb.graphemes import clusters, may_reach, positioned
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pieces import Keep
from crosswind.perturb.single_characters import single_characters
from crosswind.perturb.words import is_unspaced, script, segmentation, tokens, word_columns, words

_JAPANESE = frozenset({"CJK", "HIRAGANA", "KATAKANA", "IDEOGRAPHIC"})

# Scripts of which a grapheme cluster is a syllable or a word (Unicode Standard, chapters 12, 13, 16, 18, 19).
# fmt: off
_SYLLABIC = frozenset({
    "Beng", "Bopo", "Cans", "Cher", "Deva", "Ethi", "Gujr", "Guru", "Hang", "Hani", "Hans", "Hant", "Jpan", "Khmr",
    "Knda", "Kore", "Mlym", "Mymr", "Orya", "Sinh", "Taml", "Telu", "Tibt", "Yiii",
})
# fmt: on


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    if setting.params["scripts"] == "all" or written not in _SYLLABIC:
        return single_characters("swap", setting)
    return (
        f"swap has no letters to swap in {setting.language} ({written}): its characters are syllables or words, which "
        "no slip of a finger exchanges; swap(scripts=all) swaps them all the same"
    )


def _names() -> CodeTable:
    numbers: dict[str, int] = {"": 0}
    return CodeTable(lambda char: numbers.setdefault(_script(char), len(numbers)))


@lru_cache(maxsize=65536)
def _script(cluster: str) -> str:
    """The script of a letter by its name's first word; nothing for digits, signs and lone marks."""
    char = cluster[0]
    if not unicodedata.category(char).startswith("L"):
        return ""
    name = unicodedata.name(char, "").partition(" ")[0]
    return "CJK" if name in _JAPANESE else name


class _Pairs(Columned):
    """Every pair of adjacent letters of one script within a word."""

    def __init__(self, language: str) -> None:
        super().__init__(self._columns)
        self._language, self._unspaced = language, is_unspaced(language)
        self._scripts = _names()

    def _columns(self, batch: TextBatch) -> Columns:
        text, codes = batch.text, batch.codes
        if batch.simple and not self._unspaced:
            at = batch.asked_offsets
            at = at[at < len(codes) - 1]
            scripts = self._scripts(codes[at])
            at, scripts = at[scripts > 0], scripts[scripts > 0]
            at = at[(scripts == self._scripts(codes[at + 1])) & (codes[at] != codes[at + 1])]
            return _exchanged(batch, Pairs(at, at + 1, at + 2))
        starts, ends = batch.clusters
        at = batch.asked(starts[:-1])
        at = at[ends[at] == starts[at + 1]]
        first, second = codes[starts[at]], codes[starts[at + 1]]
        scripts = self._scripts(first)
        pairs = (scripts > 0) & (scripts == self._scripts(second))
        if self._unspaced:
            inside = np.ones(len(codes), dtype=np.bool_)
            inside[word_columns(batch, self._language, glued=True, addresses=False)[0]] = False
            pairs &= inside[starts[at + 1]]
        long = ends[at] - starts[at] > 1, ends[at + 1] - starts[at + 1] > 1
        pairs &= (first != second) | long[0] | long[1]
        both = (long[0] & long[1])[pairs]
        at = at[pairs]
        if both.any():
            edges = zip(starts[at[both]].tolist(), ends[at[both]].tolist(), ends[at[both] + 1].tolist(), strict=True)
            both[both] = [text[a:b] == text[b:c] for a, b, c in edges]  # two equal clusters
            at = at[~both]
        # A cluster that would join others where it moves to: one of the two or of those around them.
        around = at[:, None] + np.arange(-1, 3)
        clipped = np.clip(around, 0, len(starts) - 1)
        reach = may_reach(codes, starts[clipped].ravel(), ends[clipped].ravel()).reshape(-1, 4) & (clipped == around)
        unsure = reach.any(axis=1)
        if unsure.any():
            good = np.ones(len(at), dtype=np.bool_)
            good[unsure] = [_stays_whole(text, starts, ends, i) for i in at[unsure].tolist()]
            at = at[good]
        return _exchanged(batch, Pairs(starts[at], ends[at], ends[at + 1]))


def _exchanged(batch: TextBatch, pairs: Pairs) -> Columns:
    """Sites that are pairs of clusters, which change places."""

    def options(i: int, first: int) -> tuple[Option, ...]:
        a, b, c = (int(column[i]) - first for column in pairs)
        return ((Keep(b, c), Keep(a, b)),)

    def become(chosen: Integers, bits: Words) -> CodeSlices:
        low, middle, high = (column[chosen] for column in pairs)
        return CodeSlices.of_parts(batch.codes, (middle, high - middle), (low, middle - low))

    return Columns(pairs.starts, pairs.ends, options, become, pieces=True)


def _stays_whole(text: str, starts: Integers, ends: Integers, i: int) -> bool:
    """Whether two clusters stay clusters where they change places."""
    first, second = text[starts[i] : ends[i]], text[starts[i + 1] : ends[i + 1]]
    moved = [second, first]
    if i and ends[i - 1] == starts[i]:
        moved.insert(0, text[starts[i - 1] : ends[i - 1]])
    if i + 2 < len(starts) and ends[i + 1] == starts[i + 2]:
        moved.append(text[starts[i + 2] : ends[i + 2]])
    return _are_clusters(tuple(moved))


@lru_cache(maxsize=65536)
def _are_clusters(units: tuple[str, ...]) -> bool:
    return clusters("".join(units)) == list(units)


def _inner_swaps(language: str) -> Listed:
    """A word of four or more letters, of which two neighbours other than the first and the last change places."""

    def sites(passage: Passage) -> Sites:
        text = passage.text
        starts: list[int] = []
        ends: list[int] = []
        swaps: list[tuple[Option, ...]] = []
        for word in tokens(text, language, addresses=False) if is_unspaced(language) else words(text, language):
            units, offsets = positioned(text[word.start : word.end])
            if len(units) < 4 or not all(_script(u) for u in units):
                continue
            edges = [word.start + at for at in [*offsets, word.end - word.start]]
            inner = [
                i
                for i in range(1, len(units) - 2)
                if units[i] != units[i + 1] and _are_clusters((units[i - 1], units[i + 1], units[i], units[i + 2]))
            ]
            if inner:
                starts.append(edges[1])
                ends.append(edges[-2])
                swaps.append(tuple(_exchange(edges, i) for i in inner))
        return Sites(starts, ends, lambda i: swaps[i])

    return Listed(sites)


def _exchange(edges: list[int], i: int) -> Option:
    """The letters of a word other than its first and last, of which i and i + 1 change places."""
    around = (edges[1], edges[i]), (edges[i + 1], edges[i + 2]), (edges[i], edges[i + 1]), (edges[i + 2], edges[-2])
    return tuple(Keep(start, end) for start, end in around if start < end)


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _inner_swaps(setting.language) if setting.params["model"] == "belinkov" else _Pairs(setting.language)


def _resources(setting: Setting) -> dict[str, str]:
    return segmentation(setting.language)


SWAP = Perturbation(
    name="swap",
    nature="preserving",
    summary="two adjacent letters of a word (grapheme clusters of one script) change places",
    source="own; model=belinkov: Belinkov & Bisk 2018 (Synthetic and Natural Noise Both Break Neural MT), §3.2 Swap",
    unit="adjacent pair (model=belinkov: word of four or more letters)",
    languages="scripts with letters; those of syllables and words with scripts=all; words of Thai and Lao by ICU",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    params=(
        Param("model", "text", "any: every pair; belinkov: once a word", default="any", choices=("any", "belinkov")),
        Param("scripts", "text", "letters, or all scripts", default="letters", choices=("letters", "all")),
    ),
)
