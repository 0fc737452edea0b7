"""Duplicated letters: a key is hit twice. Of a Korean syllable the last jamo comes twice."""

from __future__ import annotations

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise, is_letter
from crosswind.perturb.hangul import last_key
from crosswind.perturb.perturbation import Given, Perturbation, Setting


def _options(cluster: str) -> tuple[str, ...]:
    return (cluster + (last_key(cluster) or cluster),) if is_letter(cluster) else ()


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return clusterwise(_options)


DUPLICATE = Perturbation(
    name="duplicate",
    nature="preserving",
    summary="a letter (a grapheme cluster) comes twice; in Korean the last jamo of a syllable",
    source="own: a key that is hit twice",
    unit="letter",
    languages="all",
    prepare=_prepare,
)
