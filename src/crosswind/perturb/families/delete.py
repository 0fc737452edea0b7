"""Deleted letters: a letter of a word is missing. A word keeps its first one, so that none vanishes.

Of a Korean syllable with a final consonant that consonant goes, as when its key is not hit.
"""

from __future__ import annotations

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import ClusterTable, is_letter
from crosswind.perturb.columns import ByCluster
from crosswind.perturb.hangul import without_tail
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.single_characters import single_characters


def _options(cluster: str) -> tuple[str, ...]:
    return (without_tail(cluster),) if is_letter(cluster) else ()


def _prepare(setting: Setting, given: Given) -> Alternatives:
    table = ClusterTable(_options)
    return ByCluster(table, lambda cluster: table[cluster] == ("",))


DELETE = Perturbation(
    name="delete",
    nature="preserving",
    summary="a letter of a word (a grapheme cluster, not the first) is missing; in Korean a final consonant",
    source="Karpukhin et al. 2019 (Training on Synthetic Noise Improves Robustness to Natural Noise in MT), §3",
    unit="letter",
    languages="all",
    applies=lambda setting: single_characters("delete", setting),
    prepare=_prepare,
)
