"""What this machine can do, found without importing the libraries that compute."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True)
class Hardware:
    """The device and precision that a study's models compute with: `cpu` or `cuda`, `fp32` or `bf16`.

    As a wish, `device` may be `auto`. Executors resolve wishes before keys are made.
    """

    device: str = "auto"
    precision: Precision = "fp32"


def resolve_here(wish: Hardware) -> Hardware:
    """What this machine makes of a wish: `auto` is `cuda` where there is a GPU; bf16 only where hardware has it."""
    device = ("cuda" if gpu_count() else "cpu") if wish.device == "auto" else wish.device
    if wish.precision == "bf16" and (gpu_has_bf16() if device.startswith("cuda") else cpu_has_bf16()):
        return Hardware(device, "bf16")
    return Hardware(device, "fp32")


@lru_cache(maxsize=1)
def gpu_count() -> int:
    """How many NVIDIA GPUs can be used: torch is asked only where a driver is there."""
    if not any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")):
        return 0
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


@lru_cache(maxsize=1)
def gpu_has_bf16() -> bool:
    """Whether the GPU computes bf16 in hardware (from Ampere on)."""
    if not gpu_count():
        return False
    import torch

    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


@lru_cache(maxsize=1)
def cpu_has_bf16() -> bool:
    """Whether the processor computes bf16 in hardware: AVX512-BF16 or AMX, for which torch has kernels."""
    return not {"avx512_bf16", "amx_tile"}.isdisjoint(_cpuinfo("flags").split())


@lru_cache(maxsize=1)
def cpu_model() -> str:
    """The processor's name, as far as the system tells it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _cpuinfo(name: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    for line in text.splitlines():
        label, colon, value = line.partition(":")
        if colon and label.strip() == name:
            return value.strip()
    return ""
