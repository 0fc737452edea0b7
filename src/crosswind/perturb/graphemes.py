"""Grapheme clusters: the smallest unit of every perturbation (UAX #29, `\\X` of the regex module)."""

from __future__ import annotations

from functools import lru_cache

import regex

_CLUSTER = regex.compile(r"\X")
# A text without any of these has one code point a cluster (UAX #29, the rules that join).
_JOINS = regex.compile(
    r"[\p{GCB=CR}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=ZWJ}"
    r"\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Regional_Indicator}]"
)

# A border between two code points is sure unless the second is of those that join, or the first of those that
# something may follow in a cluster (after a linker or a joiner that may be any letter or sign: GB9c, GB11).
_JOINS_BEFORE = regex.compile(
    r"[\n\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Regional_Indicator}]"
)
_JOINS_AFTER = regex.compile(r"[\p{GCB=Prepend}\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=L}\p{GCB=Regional_Indicator}]")


def is_simple(text: str) -> bool:
    """Whether every code point of `text` is a grapheme cluster of its own."""
    return (text.isascii() and "\r" not in text) or _JOINS.search(text) is None


def clusters(text: str) -> list[str]:
    """The grapheme clusters of `text`, in order; joined they are `text`."""
    return list(text) if is_simple(text) else _CLUSTER.findall(text)


def positioned(text: str) -> tuple[list[str], list[int]]:
    """The clusters of `text` and their offsets."""
    parts = clusters(text)
    if len(parts) == len(text):
        return parts, list(range(len(text)))
    starts, at = [], 0
    for cluster in parts:
        starts.append(at)
        at += len(cluster)
    return parts, starts


def is_border(text: str, at: int) -> bool:
    """Whether a grapheme cluster of `text` ends, or the first one begins, at an offset."""
    if not 0 < at < len(text) or not _may_join(text[at - 1], text[at]):
        return True
    start = at - 1
    while start > 0 and _may_join(text[start - 1], text[start]):
        start -= 1
    while start < at:
        cluster = _CLUSTER.match(text, start)
        start = cluster.end() if cluster else at
    return start == at


def whole_clusters(text: str, start: int, end: int) -> tuple[int, int]:
    """The span `start:end` with the whole of the clusters in which it begins and ends."""
    while not is_border(text, start):
        start -= 1
    while not is_border(text, end):
        end += 1
    return start, end


@lru_cache(maxsize=65536)
def _may_join(before: str, after: str) -> bool:
    return _JOINS_BEFORE.match(after) is not None or _JOINS_AFTER.match(before) is not None
