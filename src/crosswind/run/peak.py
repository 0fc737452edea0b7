"""The most memory that this process held while a step ran."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

_PROCESS = Path("/proc/self")
_RESET = "5"  # sets the high-water mark of resident memory back to what is held now (proc(5), clear_refs)


class PeakMemory:
    """Measures from its making on; `read` gives bytes, and nothing for what this system does not tell.

    `resident` is the process's largest resident set (Linux), which holds the libraries and the model that earlier steps
    left in memory; `gpu` the largest sum of tensors on the GPU, where one is used.
    """

    def __init__(self) -> None:
        self._watched = _reset()
        cuda = _cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats()

    def read(self) -> dict[str, int]:
        """The peaks so far, by what they are of."""
        peaks: dict[str, int] = {}
        if self._watched and (resident := _high_water()) is not None:
            peaks["resident"] = resident
        cuda = _cuda()
        if cuda is not None and (used := int(cuda.max_memory_allocated())):
            peaks["gpu"] = used
        return peaks


def _reset() -> bool:
    try:
        (_PROCESS / "clear_refs").write_text(_RESET)
    except OSError:
        return False
    return True


def _high_water() -> int | None:
    try:
        lines = (_PROCESS / "status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    values = (line.split() for line in lines if line.startswith("VmHWM:"))
    return next((int(parts[1]) * 1024 for parts in values), None)


def _cuda() -> Any | None:
    """torch's interface to GPUs, where this process uses one."""
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None
