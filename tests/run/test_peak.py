"""The peak memory of a step is its own: what an earlier one held and gave back does not count."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

BLOCK = 96 * 2**20
# In a process of its own: one that has held much before takes a block out of what it never gave back.
HELD = """
import json, sys
from crosswind.run.peak import PeakMemory

def held(size):
    memory = PeakMemory()
    block = bytearray(b"\\x01") * size
    del block
    return memory.read().get("resident")

print(json.dumps([held(size) for size in map(int, sys.argv[1:])]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the peak of a part of a process's life")
def test_a_peak_is_that_of_the_block_alone() -> None:
    """What is held at the peak in bytes while nothing, a block, nothing is held."""
    command = [sys.executable, "-c", HELD, "1", str(BLOCK), "1"]
    little, much, again = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if little is None:
        pytest.skip("this system does not let a process reset its peak")
    assert 0.9 * BLOCK < much - little < 1.3 * BLOCK
    assert abs(again - little) < 0.2 * BLOCK
