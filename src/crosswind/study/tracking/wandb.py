"""Weights & Biases: offline in the run folder (`wandb sync` uploads it), or as WANDB_MODE says.

It adds the versions of the installed packages.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from crosswind.study.tracking import RunSettings, Sink, Tracker


class _Run:
    def __init__(self, folder: Path, name: str, settings: RunSettings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")  # it reports its own faults to its makers otherwise
        module: Any = import_module("wandb")
        # Neither the code nor the machine's state is a part of what was asked for.
        quiet = module.Settings(disable_git=True, disable_code=True, x_disable_stats=True, x_disable_meta=True)
        self._run: Any = module.init(
            project="crosswind",
            name=name,
            dir=str(folder),
            config=dict(settings),
            mode=os.environ.get("WANDB_MODE", "offline"),
            settings=quiet,
        )
        self._series: dict[str, None] = {}

    def log(self, name: str, value: float, step: int) -> None:
        axis = f"{name}/step"
        if name not in self._series:  # every series has its own steps
            self._run.define_metric(axis, hidden=True)
            self._run.define_metric(name, step_metric=axis)
            self._series[name] = None
        self._run.log({name: value, axis: step})

    def close(self) -> None:
        self._run.finish()


def _start(folder: Path, name: str, settings: RunSettings) -> Sink:
    return _Run(folder / "wandb", name, settings)


WANDB = Tracker("wandb", "wandb", "pip install 'crosswind[wandb]'", _start)
