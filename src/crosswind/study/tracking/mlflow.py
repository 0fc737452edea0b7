"""MLflow: an SQLite file in the run folder, or the server that MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from crosswind.study.tracking import RunSettings, Sink, Tracker

_NOT_ALLOWED = re.compile(r"[^\w\-. :/]")  # what names of metrics may not hold


class _Run:
    def __init__(self, folder: Path, name: str, settings: RunSettings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it reports usage to its makers otherwise
        client: Any = import_module("mlflow").MlflowClient
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        # Without a server MLflow would name the working folder as the place of files, which are none.
        place = None if uri else (folder.absolute() / "artifacts").as_uri()
        self._client: Any = client(tracking_uri=uri or f"sqlite:///{folder.absolute() / 'mlflow.db'}")
        known = self._client.get_experiment_by_name("crosswind")
        self._names: dict[str, str] = {}  # as it allows them -> as they are
        experiment = (
            known.experiment_id
            if known is not None
            else self._client.create_experiment("crosswind", artifact_location=place)
        )
        self._id = self._client.create_run(experiment, run_name=name).info.run_id
        for key, value in settings.items():
            self._client.log_param(self._id, key, value)

    def log(self, name: str, value: float, step: int) -> None:
        self._client.log_metric(self._id, self._allowed(name), value, step=step)

    def _allowed(self, name: str) -> str:
        """The name in the signs that MLflow allows, another one for each name."""
        plain = allowed = _NOT_ALLOWED.sub("_", name)
        number = 1
        while self._names.setdefault(allowed, name) != name:
            number += 1
            allowed = f"{plain} {number}"
        return allowed

    def close(self) -> None:
        self._client.set_terminated(self._id)


def _start(folder: Path, name: str, settings: RunSettings) -> Sink:
    return _Run(folder / "mlflow", name, settings)


MLFLOW = Tracker("mlflow", "mlflow", "pip install 'crosswind[mlflow]'", _start)
