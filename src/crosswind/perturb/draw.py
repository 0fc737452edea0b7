"""Draws: which sites change, by a counter-based hash, for many texts at once.

Nothing here has state: the numbers of a site depend on its text's key and its offset alone, so the
result is the same whatever the order, the batch and the worker, and a higher severity changes a
superset of the sites of a lower one.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]

# SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators", OOPSLA).
_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_TWICE = _GAMMA << np.uint64(1)
_ALL_BITS = 2**64 - 1
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


Drawn = tuple[int, float, int]
"""A site that changes: its index among the text's sites, its u in [0, 1), and 64 bits to choose by."""


BETWEEN_PARTS = "\x1f"
"""What stands between the parts of a key (U+001F, the unit separator)."""


def choose(bits: int, n: int) -> int:
    """An index below `n` by 64 random bits."""
    return bits * n >> 64


def key(*parts: str) -> int:
    """The 64-bit key of a text's draw: BLAKE2b of the parts that identify it."""
    text = BETWEEN_PARTS.join(parts)
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def splitmix64(keys: Words, counters: Words) -> Words:
    """Number `counters` (from 0) of the SplitMix64 streams seeded with `keys`."""
    z: Words = counters + np.uint64(1)
    z *= _GAMMA
    z += keys
    return _mixed(z)


def _mixed(z: Words) -> Words:
    """SplitMix64's mixing of states, which it writes over."""
    shifted = z >> np.uint64(30)
    z ^= shifted
    z *= _MIX1
    z ^= np.right_shift(z, np.uint64(27), out=shifted)
    z *= _MIX2
    z ^= np.right_shift(z, np.uint64(31), out=shifted)
    return z


class BatchDraw(NamedTuple):
    """The sites of a batch that change: index among all, index of the text, u as k of k / 2^53, bits to choose by."""

    at: npt.NDArray[np.int64]
    owners: npt.NDArray[np.int64]
    u: Words
    bits: Words


def draw_batch(keys: Words, first: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], severity: float) -> BatchDraw:
    """As `draw`, for texts joined to one: text i begins at `first[i]` in it and ends before `first[i + 1]`.

    `starts` are the ascending starts of all sites in the joined text; the counters are the offsets in their own texts.
    """
    at, step, z = _drawn(keys, first, starts, severity)
    owners = np.searchsorted(first, starts[at], side="right") - 1
    return BatchDraw(at, owners, z >> np.uint64(11), _mixed(step + _GAMMA))


def draw_one(key: int, starts: npt.NDArray[np.int64], severity: float) -> tuple[list[int], list[float], list[int]]:
    """As `draw`, for one text, whose sites begin at the ascending `starts`: indices, u, and bits to choose by."""
    # (2·offset + 1)·γ + key decides whether, (2·offset + 2)·γ + key what.
    step = starts.astype(np.uint64)
    step *= _TWICE
    step += np.uint64((key + int(_GAMMA)) & _ALL_BITS)
    z = _mixed(step.copy())
    at = (z <= _most(severity)).nonzero()[0]
    bits = step[at]
    bits += _GAMMA
    u = (z[at] >> np.uint64(11)) * 2.0**-53
    return at.tolist(), u.tolist(), _mixed(bits).tolist()


def _drawn(
    keys: Words, first: npt.NDArray[np.int64], starts: npt.NDArray[np.int64], severity: float
) -> tuple[npt.NDArray[np.int64], Words, Words]:
    """The indices of the sites that are drawn, with the states and the numbers that decide it."""
    bounds = np.searchsorted(starts, first)
    step = starts.astype(np.uint64)
    step *= _TWICE
    step += np.repeat(_seeds(keys, first), np.diff(bounds))
    z = _mixed(step.copy())
    at = np.flatnonzero(z <= _most(severity))
    return at, step[at], z[at]


def _offsets_drawn(keys: Words, first: npt.NDArray[np.int64], severity: float) -> npt.NDArray[np.int64]:
    """The offsets of joined texts at which a site is drawn, if one begins there."""
    z = np.arange(first[-1], dtype=np.uint64)
    z *= _TWICE
    z += np.repeat(_seeds(keys, first), np.diff(first))
    for start in range(0, len(z), _BLOCK):
        _mixed(z[start : start + _BLOCK])
    return np.flatnonzero(z <= _most(severity))


def _seeds(keys: Words, first: npt.NDArray[np.int64]) -> Words:
    """State 2·offset + 1 of a text's stream is its key and (2·offset + 1)·γ: of each text what is added to 2γ times the
    offset in the joined text."""
    return keys + _GAMMA - first[:-1].astype(np.uint64) * _TWICE


_BLOCK = 16384  # numbers that are mixed at once: they stay in the processor's cache


class Sieve:
    """Which of the sites of joined texts `draw_batch` draws, before anything else is known of them."""

    def __init__(self, keys: Words, severity: float) -> None:
        self._keys, self._severity = keys, severity

    def __call__(self, first: npt.NDArray[np.int64], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The indices of the sites at ascending `starts` that are drawn; texts begin at `first`."""
        return _drawn(self._keys, first, starts, self._severity)[0]

    def offsets(self, first: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """The offsets at which a site is drawn, if one begins there."""
        return _offsets_drawn(self._keys, first, self._severity)


def keys_of(common: Sequence[str], own: Iterable[str]) -> Words:
    """The key of each text as `key(*common, *parts)` gives it, in one pass; `own` are the joined parts."""
    before, hashed = "".join(part + BETWEEN_PARTS for part in common), hashlib.blake2b
    digests = [hashed((before + of).encode("utf-8", "surrogatepass"), digest_size=8).digest() for of in own]
    return np.frombuffer(b"".join(digests), dtype="<u8")


def limit(severity: float) -> np.uint64:
    """The 53-bit number below which u is below a severity: u is k / 2^53 with k the upper 53 bits."""
    return np.uint64(math.ceil(severity * 2.0**53))


@lru_cache(maxsize=256)
def _most(severity: float) -> np.uint64:
    """The largest number of 64 bits, of which u is the upper 53, that is drawn at a severity."""
    return np.uint64((int(limit(severity)) << 11) - 1)


def below(bits: Words, n: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """An index below each `n` (at most 2^31) by 64 random bits, as `choose` takes it."""
    wide = n.astype(np.uint64)
    low = (bits & np.uint64(0xFFFFFFFF)) * wide >> np.uint64(32)
    return (((bits >> np.uint64(32)) * wide + low) >> np.uint64(32)).astype(np.int64)


def draw(keys: Sequence[int], offsets: Sequence[Sequence[int]], severity: float) -> list[list[Drawn]]:
    """For each text, the sites with u < `severity`, in order of their offsets.

    `offsets[i]` are the ascending starts of text i's sites, `keys[i]` its key.
    """
    counts = np.fromiter(map(len, offsets), dtype=np.int64, count=len(offsets))
    total = int(counts.sum())
    flat = np.fromiter(itertools.chain.from_iterable(offsets), dtype=np.uint64, count=total)
    key_of = np.array(keys, dtype=np.uint64)
    # Counters 2·offset and 2·offset + 1: one number for whether, one for what.
    bits = splitmix64(np.repeat(key_of, counts), flat * np.uint64(2))
    u = (bits >> np.uint64(11)) * 2.0**-53
    hit = np.flatnonzero(u < severity)
    first = np.concatenate(([0], np.cumsum(counts)))
    owner = np.searchsorted(first, hit, side="right") - 1
    local = hit - first[owner]
    choice = splitmix64(key_of[owner], flat[hit] * np.uint64(2) + np.uint64(1))
    every = list(zip(local.tolist(), u[hit].tolist(), choice.tolist(), strict=True))
    ends = np.searchsorted(owner, np.arange(len(keys)), side="right").tolist()
    return [every[start:end] for start, end in itertools.pairwise([0, *ends])]
