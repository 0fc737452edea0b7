"""The peak memory of a step is its own: what an earlier one held and gave back does not count."""

from __future__ import annotations

import sys

import pytest

from crosswind.run.peak import PeakMemory

BLOCK = 96 * 2**20


def held(size: int) -> int:
    """The peak in bytes while so many bytes are held, and given back."""
    memory = PeakMemory()
    block = bytearray(b"\x01") * size
    del block
    return memory.read()["resident"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a part of a process's life")
def test_a_peak_is_that_of_the_block_alone() -> None:
    if not PeakMemory().read():
        pytest.skip("this system does not let a process reset its peak")
    little, much, again = held(1), held(BLOCK), held(1)
    assert 0.9 * BLOCK < much - little < 1.3 * BLOCK
    assert abs(again - little) < 0.2 * BLOCK
