"""Checkpoints in mid-phase: safetensors and JSON with their checksums, replaced whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from crosswind.run.folders import file_hash

CHECKSUMS = "checksums.json"  # of the other files; written last
_MOVING = "moving-average.safetensors"
_LAST = "evaluated-"  # before the step, in the name of a file of weights


@dataclass(frozen=True)
class Checkpoint:
    """Step and history (`facts`), trained parameters, optimiser state (`parameter//key`), best weights; the weights of
    the `last` evaluated steps, where their mean is asked for; the `moving` average of the weights, where a method of
    robust training keeps one."""

    facts: Mapping[str, Any]
    parameters: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, torch.Tensor]
    best: Mapping[str, torch.Tensor] | None
    last: Mapping[int, Mapping[str, torch.Tensor]] = field(default_factory=dict)
    moving: Mapping[str, torch.Tensor] | None = None


def save_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Write beside and rename: `folder/step-N`; the earlier one goes only then."""
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{checkpoint.facts['step']}"
    draft = folder / ".draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    _save(draft / "parameters.safetensors", checkpoint.parameters)
    _save(draft / "optimizer.safetensors", checkpoint.optimizer)
    if checkpoint.best is not None:
        _save(draft / "best.safetensors", checkpoint.best)
    if checkpoint.moving is not None:
        _save(draft / _MOVING, checkpoint.moving)
    for step, weights in checkpoint.last.items():
        _save(draft / f"{_LAST}{step}.safetensors", weights)
    (draft / "state.json").write_text(json.dumps(dict(checkpoint.facts)))
    sums = {p.name: file_hash(p) for p in sorted(draft.iterdir())}
    (draft / CHECKSUMS).write_text(json.dumps(sums))
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
    for other in folder.glob("step-*"):
        if other != final:
            shutil.rmtree(other, ignore_errors=True)


def load_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest whole checkpoint, or `None`; a damaged one is passed over."""
    folders = sorted(folder.glob("step-*"), key=lambda p: int(p.name.removeprefix("step-")), reverse=True)
    latest = next((p for p in folders if _whole(p)), None)
    if latest is None:
        return None
    best = latest / "best.safetensors"
    return Checkpoint(
        json.loads((latest / "state.json").read_text()),
        load_file(latest / "parameters.safetensors"),
        load_file(latest / "optimizer.safetensors"),
        load_file(best) if best.exists() else None,
        {step: load_file(latest / f"{_LAST}{step}.safetensors") for step in _evaluated(latest)},
        load_file(latest / _MOVING) if (latest / _MOVING).exists() else None,
    )


def _evaluated(folder: Path) -> list[int]:
    return sorted(int(path.stem.removeprefix(_LAST)) for path in folder.glob(f"{_LAST}*.safetensors"))


def _whole(folder: Path) -> bool:
    """Whether every file of a checkpoint is there as it was written."""
    try:
        sums = json.loads((folder / CHECKSUMS).read_text())
        return all(file_hash(folder / name) == value for name, value in sums.items())
    except (OSError, ValueError):
        return False


def _save(path: Path, tensors: Mapping[str, torch.Tensor]) -> None:
    save_file({k: v.detach().to("cpu").contiguous() for k, v in tensors.items()}, path)
