"""TensorBoard: event files in the run folder, `tensorboard --logdir RUN/tracking`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from crosswind.study.tracking import RunSettings, Sink, Tracker


class _Events:
    def __init__(self, folder: Path, settings: RunSettings) -> None:
        self._writer: Any = import_module("torch.utils.tensorboard").SummaryWriter(str(folder))
        self._writer.add_text("settings", "\n".join(f"- {name}: {value}" for name, value in settings.items()))

    def log(self, name: str, value: float, step: int) -> None:
        self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        self._writer.close()


def _start(folder: Path, name: str, settings: RunSettings) -> Sink:
    return _Events(folder / "tensorboard", settings)


TENSORBOARD = Tracker("tensorboard", "tensorboard", "pip install 'crosswind[tensorboard]'", _start)
