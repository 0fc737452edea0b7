"""Grapheme clusters: the smallest unit of every perturbation (UAX #29, `\\X` of the regex module)."""

from __future__ import annotations

import regex

_CLUSTER = regex.compile(r"\X")
# A text without any of these has one code point a cluster (UAX #29, the rules that join).
_JOINS = regex.compile(
    r"[\p{GCB=CR}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=ZWJ}"
    r"\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Regional_Indicator}]"
)


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
