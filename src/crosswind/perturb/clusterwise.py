"""Alternatives of single grapheme clusters, by a table that is filled as clusters come."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.columns import ByCluster


@lru_cache(maxsize=65536)
def is_letter(cluster: str) -> bool:
    """Whether a grapheme cluster is a letter, with marks or without."""
    return unicodedata.category(cluster[0])[0] == "L"


class ClusterTable(dict[str, tuple[str, ...]]):
    """Cluster -> what it may become, worked out on first use; never what it is."""

    def __init__(self, of: Callable[[str], tuple[str, ...]]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, cluster: str) -> tuple[str, ...]:
        self[cluster] = options = tuple(dict.fromkeys(o for o in self._of(cluster) if o != cluster))
        return options


def clusterwise(of: Callable[[str], tuple[str, ...]], *, within: bool = False) -> Alternatives:
    """Every cluster with options is a site; `within` words only: those that follow a letter."""
    return ByCluster(ClusterTable(of), lambda cluster: within)
