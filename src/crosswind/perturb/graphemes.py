"""Grapheme clusters: the smallest unit of every perturbation (UAX #29, `\\X` of the regex module)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import regex

_CLUSTER = regex.compile(r"\X")
# A text without any of these has one code point a cluster (UAX #29, the rules that join).
_JOINS = regex.compile(
    r"[\p{GCB=CR}\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=Prepend}\p{GCB=ZWJ}"
    r"\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Regional_Indicator}\p{InCB=Linker}]"
)

# A border between two code points is sure unless the second is of those that join, or the first of those that
# something may follow in a cluster (after a linker or a joiner that may be any letter or sign: GB9c, GB11).
_JOINS_BEFORE = regex.compile(
    r"[\n\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Regional_Indicator}]"
)
_JOINS_AFTER = regex.compile(
    r"[\p{GCB=Prepend}\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=L}\p{GCB=Regional_Indicator}\p{InCB=Linker}]"
)

_PREPENDED = regex.compile(r"\p{GCB=Prepend}")


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


def joins_before(char: str) -> bool:
    """Whether a code point may be in one cluster with the one before it, whichever that is."""
    return _JOINS_BEFORE.match(char) is not None


def joins_space(char: str) -> bool:
    """Whether a code point is in one cluster with white space behind it (GB9b)."""
    return _PREPENDED.match(char) is not None


@lru_cache(maxsize=65536)
def _may_join(before: str, after: str) -> bool:
    return _JOINS_BEFORE.match(after) is not None or _JOINS_AFTER.match(before) is not None


# What decides whether two code points are one cluster (UAX #29, table 2 and rule GB9c), a bit each.
_CONTROL, _EXTEND, _SPACING, _PREPEND, _ZWJ, _L, _V, _T, _LV, _LVT, _FLAG, _PICTURE, _CONSONANT, _LINKER, _WITHIN = (
    1 << i for i in range(15)
)
_BITS = tuple(
    (regex.compile(rf"\p{{{name}}}"), bit)
    for name, bit in (
        ("GCB=Control", _CONTROL),
        ("GCB=CR", _CONTROL),
        ("GCB=LF", _CONTROL),
        ("GCB=Extend", _EXTEND),
        ("GCB=SpacingMark", _SPACING),
        ("GCB=Prepend", _PREPEND),
        ("GCB=ZWJ", _ZWJ),
        ("GCB=L", _L),
        ("GCB=V", _V),
        ("GCB=T", _T),
        ("GCB=LV", _LV),
        ("GCB=LVT", _LVT),
        ("GCB=Regional_Indicator", _FLAG),
        ("Extended_Pictographic", _PICTURE),
        ("InCB=Consonant", _CONSONANT),
        ("InCB=Linker", _LINKER),
        ("InCB=Extend", _WITHIN),
    )
)
_JOINING = _EXTEND | _SPACING | _PREPEND | _ZWJ | _L | _V | _T | _FLAG | _LINKER
_UNKNOWN = 1 << 15
_RETURN, _ASCII = 13, 127  # up to the last code point of ASCII none joins another but a line feed a carriage return


@lru_cache(maxsize=1)
def _bits() -> npt.NDArray[np.uint16]:
    """The bits of every code point, filled in when it first occurs; the pages not written to take no memory."""
    return np.zeros(0x110000, dtype=np.uint16)


def _bits_of(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
    table = _bits()
    bits = table[codes]
    if len(bits) and not bits.min():
        for code in np.unique(codes[bits == 0]).tolist():
            char = chr(code)
            table[code] = _UNKNOWN | sum(bit for pattern, bit in _BITS if pattern.match(char))
        bits = table[codes]
    return bits


def are_simple(codes: npt.NDArray[np.int64]) -> bool:
    """`is_simple` of a text of which `codes` are the code points."""
    if (codes == _RETURN).any():
        return False
    others = codes[codes > _ASCII]
    return not len(others) or not int(np.bitwise_or.reduce(_bits_of(others))) & _JOINING


def cluster_starts(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Of an array of code points, whether a grapheme cluster begins at each (UAX #29, rules GB1 to GB999)."""
    bits = _bits_of(codes)
    starts = np.ones(len(codes), dtype=np.bool_)
    every = int(np.bitwise_or.reduce(bits)) if len(bits) else 0
    if every & _JOINING:
        before, after = bits[:-1], bits[1:]
        joins = _join(before, after, every, bits.__getitem__)
        if every & _FLAG:  # GB12, GB13: flags are pairs
            at = np.arange(len(codes))
            other = np.maximum.accumulate(np.where(bits & _FLAG, -1, at))[:-1]
            joins |= ((after & _FLAG) != 0) & ((at[1:] - other) % 2 == 0)
        if every & _CONTROL:
            joins &= ((before | after) & _CONTROL) == 0
        np.logical_not(joins, out=starts[1:])
    if every & _CONTROL:
        carriage = (codes[:-1] == 13) & (codes[1:] == 10)
        if carriage.any():
            starts[1:] &= ~carriage
    return starts


def cluster_starts_at(codes: npt.NDArray[np.int64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether clusters begin at some offsets, from 0 to the length of `codes`, at which one is said to begin."""
    within = np.flatnonzero((at > 0) & (at < len(codes)))
    begins = np.ones(len(at), dtype=np.bool_)
    places = at[within]
    before, after = _bits_of(codes[places - 1]), _bits_of(codes[places])
    every = int(np.bitwise_or.reduce(before | after)) if len(places) else 0
    if every & _FLAG:  # which flags are a pair is said by all of them
        begins[within] = cluster_starts(codes)[places]
        return begins
    joins = _join(before, after, every, lambda at: _bits_of(codes[at]), places)
    joins &= ((before | after) & _CONTROL) == 0
    joins |= (codes[places - 1] == 13) & (codes[places] == 10)
    begins[within] = ~joins
    return begins


def _join(
    before: npt.NDArray[np.uint16],
    after: npt.NDArray[np.uint16],
    every: int,
    bits_at: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.uint16]],
    places: npt.NDArray[np.int64] | None = None,
) -> npt.NDArray[np.bool_]:
    """Which code points join the one before them, flags and controls left aside; `every` are the bits that occur.

    `places` are the offsets of those after; without them these are 1, 2, 3 …
    """
    extends, prepended = after & np.uint16(_EXTEND | _ZWJ | _SPACING), before & np.uint16(_PREPEND)
    joins: npt.NDArray[np.bool_] = (extends | prepended) != 0  # GB9, GB9a, GB9b
    if every & (_L | _V | _T):  # GB6 to GB8
        joins |= ((before & _L) != 0) & ((after & (_L | _V | _LV | _LVT)) != 0)
        joins |= ((before & (_LV | _V)) != 0) & ((after & (_V | _T)) != 0)
        joins |= ((before & (_LVT | _T)) != 0) & ((after & _T) != 0)
    if every & _CONSONANT and every & (_LINKER | _WITHIN):
        # GB9c as `\X` has it: marks with a linker among them, then a consonant.
        behind = np.flatnonzero(((after & np.uint16(_CONSONANT)) != 0) & ((before & np.uint16(_LINKER | _WITHIN)) != 0))
        _look_back(joins, behind, places, _LINKER, _WITHIN, bits_at)
    if every & _PICTURE and every & _ZWJ:  # GB11: a picture, marks, a joiner, a picture
        behind = np.flatnonzero(((after & _PICTURE) != 0) & ((before & _ZWJ) != 0))
        _look_back(joins, behind, places, _PICTURE, _EXTEND, bits_at, skipped=1)
    return joins


def _look_back(
    joins: npt.NDArray[np.bool_],
    behind: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64] | None,
    wanted: int,
    passed: int,
    bits_at: Callable[[npt.NDArray[np.int64]], npt.NDArray[np.uint16]],
    *,
    skipped: int = 0,
) -> None:
    """Set `joins` of the members `behind` that follow what is `wanted`, with nothing but what is `passed` between."""
    at = (behind if places is None else places[behind] - 1) - skipped
    while len(behind):
        behind, at = behind[at >= 0], at[at >= 0]
        bits = bits_at(at)
        joins[behind[(bits & np.uint16(wanted)) != 0]] = True
        on = ((bits & np.uint16(passed)) != 0) & ((bits & np.uint16(wanted)) == 0)
        behind, at = behind[on], at[on] - 1


def may_reach(
    codes: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Of the clusters `starts` to `ends`, whether one could join what stands before or behind it elsewhere."""
    first = _bits_of(codes[starts])
    whole = first.copy()
    long = np.flatnonzero(ends - starts > 1)
    if len(long):
        lengths = ends[long] - starts[long]
        begins = np.cumsum(lengths) - lengths
        every = np.arange(lengths.sum()) + np.repeat(starts[long] - begins, lengths)
        whole[long] = np.bitwise_or.reduceat(_bits_of(codes[every]), begins)
    reaches = (whole & (_PREPEND | _ZWJ | _L | _FLAG | _LINKER)) | (first & (_CONTROL | _EXTEND | _SPACING | _V | _T))
    could: npt.NDArray[np.bool_] = (reaches & ~np.uint16(_UNKNOWN)) != 0
    return could
