"""Where numbers stop being numbers: the first layer whose output is not finite."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from crosswind.model.heads import Head

LAST = "its last layer"  # where no layer's output shows it


def first_not_finite(head: Head, batch: dict[str, torch.Tensor]) -> str:
    """The name of the first layer of the head's module, in the order of computing, whose output on the batch is not
    finite."""
    names: list[str] = []
    with _watched(head.module, names), torch.inference_mode():
        head(batch)
    return names[0] if names else LAST


@contextlib.contextmanager
def _watched(module: nn.Module, names: list[str]) -> Iterator[None]:
    """Note the names of modules without parts of their own whose output is not finite, as they run."""

    def watch(name: str) -> Any:
        def look(_: nn.Module, __: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.is_floating_point() and not output.isfinite().all():
                names.append(name)

        return look

    leaves = [(name, part) for name, part in module.named_modules() if not any(True for _ in part.children())]
    handles = [part.register_forward_hook(watch(name)) for name, part in leaves]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
