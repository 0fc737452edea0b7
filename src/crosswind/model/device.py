"""The device and the precision that a model computes with, and what the machine has of them."""

from __future__ import annotations

import os
from typing import Any

import torch
import transformers

from crosswind.errors import UserError
from crosswind.run.machine import cpu_has_bf16, cpu_model, gpu_has_bf16


def torch_device(name: str, precision: str) -> torch.device:
    """The device `name` (`cpu` or `cuda`), where it computes in `precision` (`fp32` or `bf16`).

    Raises `UserError` where this machine has no such device, or the device no such precision in hardware.
    """
    if name == "cuda" and not has_cuda():
        raise UserError(
            f"this worker cannot compute on cuda: {_what_there_is()}",
            where="device",
            hint="send the step to a worker with a GPU, or set the device to cpu",
        )
    if name not in ("cpu", "cuda"):
        raise UserError(f"unknown device {name!r}", where="device", hint="known: cpu, cuda")
    device = torch.device(name)
    if precision == "bf16" and not has_bf16(device):
        raise UserError(
            f"this worker cannot compute in bf16 on {name}: {_what_there_is()}",
            where="precision",
            hint="send the step to a worker that has bf16 in hardware, or set the precision to fp32",
        )
    if precision not in ("fp32", "bf16"):
        raise UserError(f"unknown precision {precision!r}", where="precision", hint="known: fp32, bf16")
    return device


def use_one_thread() -> None:
    """Compute with one thread from now on: results depend on it, and steps run beside each other."""
    torch.set_num_threads(1)


def has_cuda() -> bool:
    """Whether this machine has a GPU that torch can use."""
    return bool(torch.cuda.is_available())


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 runs in the device's hardware (CPUs with AVX512-BF16 or AMX, GPUs from Ampere on)."""
    return gpu_has_bf16() if device.type == "cuda" else cpu_has_bf16()


def hardware_facts(device: torch.device) -> dict[str, Any]:
    """What computed a result: processor and its vector instructions, GPUs, versions of torch and transformers."""
    facts: dict[str, Any] = {"device": device.type, "cpu": cpu_model(), "vectors": _vector_instructions()}
    if device.type == "cuda":
        facts |= {"gpu": torch.cuda.get_device_name(device), "gpus": torch.cuda.device_count()}
    return facts | {"torch": str(torch.__version__), "transformers": transformers.__version__}


def _vector_instructions() -> str:
    """The instructions for which torch's own CPU kernels were chosen (`AVX2`, `AVX512`)."""
    return str(torch.backends.cpu.get_cpu_capability())


def _what_there_is() -> str:
    cpu = torch.device("cpu")
    has = f"it has {os.cpu_count()} cores ({cpu_model()}, {'with' if has_bf16(cpu) else 'without'} bf16)"
    if not has_cuda():
        return f"{has} and no GPU"
    gpu = torch.device("cuda")
    name = torch.cuda.get_device_name(gpu)
    return f"{has} and {torch.cuda.device_count()} GPUs ({name}, {'with' if has_bf16(gpu) else 'without'} bf16)"
