"""What the machine can do, as far as results depend on it."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

Precision = Literal["fp32", "bf16"]


@lru_cache(maxsize=1)
def device() -> str:
    """`cuda` where there is one, else `cpu`."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@lru_cache(maxsize=1)
def has_bf16() -> bool:
    """Whether bf16 runs in hardware (CPUs with AVX512-BF16 or AMX, GPUs from Ampere on)."""
    import torch

    if device() == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    flags = torch.cpu
    return bool(
        getattr(flags, "_is_avx512_bf16_supported", lambda: False)()
        or getattr(flags, "_is_amx_tile_supported", lambda: False)()
    )


def precision(asked: str) -> Precision:
    """The precision that will be used: `bf16` only where the hardware has it."""
    return "bf16" if asked == "bf16" and has_bf16() else "fp32"
