"""Deleted letters: a letter of a word is missing. A word keeps its first one, so that none vanishes.

Of a Korean syllable with a final consonant that consonant goes, as when its key is not hit.
"""

from __future__ import annotations

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.clusterwise import ClusterTable, is_letter
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.hangul import without_tail
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting


def _options(cluster: str) -> tuple[Option, ...]:
    return (without_tail(cluster),) if is_letter(cluster) else ()


def _prepare(setting: Setting, given: Given) -> Alternatives:
    table = ClusterTable(_options)

    def sites(passage: Passage) -> Sites:
        units, offsets = positioned(passage.text)
        letters = [i for i, unit in enumerate(units) if table[unit]]
        at = [i for i in letters if (i and is_letter(units[i - 1])) or table[units[i]] != ("",)]
        return Sites([offsets[i] for i in at], [offsets[i] + len(units[i]) for i in at], lambda i: table[units[at[i]]])

    return Listed(sites)


DELETE = Perturbation(
    name="delete",
    nature="preserving",
    summary="a letter of a word (a grapheme cluster, not the first) is missing; in Korean a final consonant",
    source="Karpukhin et al. 2019 (Training on Synthetic Noise Improves Robustness to Natural Noise in MT), §3",
    unit="letter",
    languages="all",
    prepare=_prepare,
)
