"""trackio: its local database below the run folder, or where TRACKIO_DIR says."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from crosswind.study.tracking import RunSettings, Sink, Tracker


class _Run:
    def __init__(self, folder: Path, name: str, settings: RunSettings) -> None:
        os.environ.setdefault("TRACKIO_DIR", str(folder.absolute()))  # read when the module is imported
        folder.mkdir(parents=True, exist_ok=True)
        self._module: Any = import_module("trackio")
        self._module.init(project="crosswind", name=name, config=dict(settings))

    def log(self, name: str, value: float, step: int) -> None:
        self._module.log({name: value}, step=step)

    def close(self) -> None:
        self._module.finish()


def _start(folder: Path, name: str, settings: RunSettings) -> Sink:
    return _Run(folder / "trackio", name, settings)


TRACKIO = Tracker("trackio", "trackio", "pip install 'crosswind[trackio]'", _start)
