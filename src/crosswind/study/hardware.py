"""What the machine can do, as far as results depend on it."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

Precision = Literal["fp32", "bf16"]


@lru_cache(maxsize=1)
def device() -> str:
    """`cuda` where there is one, else `cpu`."""
    from crosswind.model.device import has_cuda

    return "cuda" if has_cuda() else "cpu"


@lru_cache(maxsize=1)
def supports_bf16() -> bool:
    """Whether bf16 runs in the hardware of `device()`."""
    import torch

    from crosswind.model.device import has_bf16

    return has_bf16(torch.device(device()))


def precision(asked: str) -> Precision:
    """The precision that will be used: `bf16` only where the hardware has it."""
    return "bf16" if asked == "bf16" and supports_bf16() else "fp32"
