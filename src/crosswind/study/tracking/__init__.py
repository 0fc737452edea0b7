"""Trackers of experiments: training curves and scores of a run, for those that are asked for and installed.

One file a tracker, which declares itself; other packages declare theirs by the entry point `crosswind.trackers`.
Nothing of a tracker is imported before it is asked for. What is written stays on this machine, unless the user has set
the tracker up otherwise by its own environment variables. Names of the study, routes, encoder, seeds and versions are
what it is told, and numbers; no path, no variable of the environment, no user name. Of themselves MLflow keeps where
its files would lie (in the run folder), and W&B the versions of the installed packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from crosswind.errors import UserError
from crosswind.registry import Registry

RunSettings = Mapping[str, str | int]
"""What a run is called and made of."""


class Sink(Protocol):
    """An open tracker."""

    def log(self, name: str, value: float, step: int) -> None:
        """Write one number of a series."""

    def close(self) -> None:
        """Write what is not yet written."""


@dataclass(frozen=True)
class Tracker:
    """A declaration: the tracker's name, the module that it needs, how that is installed, and how a run is opened.

    `start` gets the folder for its files, the run's name and settings.
    """

    name: str
    module: str
    install: str
    start: Callable[[Path, str, RunSettings], Sink]

    def require(self) -> None:
        """A `UserError` where what it needs is not installed."""
        if find_spec(self.module) is None:
            raise UserError(f"{self.name} is not installed", where="--track", hint=self.install)


TRACKERS: Registry[Tracker] = Registry("tracker", "crosswind.study.tracking", "crosswind.trackers", Tracker)
