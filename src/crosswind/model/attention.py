"""Which of PyTorch's attention kernels training uses: a fixed rule, never timed at run time."""

from __future__ import annotations

import contextlib
from contextlib import AbstractContextManager

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


def training_attention(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """A context for forward passes whose gradient is needed: in bf16 on a CPU, the math kernel.

    Without dropout PyTorch chooses its flash attention there, whose backward pass is slow in bf16: 28.7 ms
    beside 5.2 ms of the math kernel for 32 rows of 26 tokens and 12 heads of width 32
    (`benchmarks/settings_throughput.py` measures it). With dropout the CPU has the math kernel only.
    """
    if device.type == "cpu" and precision == "bf16":
        # Typed as a context manager of any value; it gives none.
        kernel: AbstractContextManager[None] = sdpa_kernel(SDPBackend.MATH)
        return kernel
    return contextlib.nullcontext()
