"""Alternatives of single grapheme clusters, by a table that is filled as clusters come."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.graphemes import positioned
from crosswind.perturb.passage import Passage


@lru_cache(maxsize=65536)
def is_letter(cluster: str) -> bool:
    """Whether a grapheme cluster is a letter, with marks or without."""
    return unicodedata.category(cluster[0])[0] == "L"


class ClusterTable(dict[str, tuple[Option, ...]]):
    """Cluster -> what it may become, worked out on first use; never what it is."""

    def __init__(self, of: Callable[[str], tuple[Option, ...]]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, cluster: str) -> tuple[Option, ...]:
        self[cluster] = options = tuple(dict.fromkeys(o for o in self._of(cluster) if o != cluster))
        return options


def clusterwise(of: Callable[[str], tuple[Option, ...]], *, within: bool = False) -> Alternatives:
    """Every cluster with options is a site; `within` words only: those that follow a letter."""
    table = ClusterTable(of)

    def sites(passage: Passage) -> Sites:
        units, offsets = positioned(passage.text)
        at = [i for i, unit in enumerate(units) if table[unit]]
        if within:
            at = [i for i in at if i and is_letter(units[i - 1])]
        return Sites([offsets[i] for i in at], [offsets[i] + len(units[i]) for i in at], lambda i: table[units[at[i]]])

    return Listed(sites)
