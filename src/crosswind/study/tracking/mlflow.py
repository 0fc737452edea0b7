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
        client: Any = import_module("mlflow").MlflowClient
        uri = os.environ.get("MLFLOW_TRACKING_URI", f"sqlite:///{folder.absolute() / 'mlflow.db'}")
        self._client: Any = client(tracking_uri=uri)
        known = self._client.get_experiment_by_name("crosswind")
        experiment = known.experiment_id if known is not None else self._client.create_experiment("crosswind")
        self._id = self._client.create_run(experiment, run_name=name).info.run_id
        for key, value in settings.items():
            self._client.log_param(self._id, key, value)

    def log(self, name: str, value: float, step: int) -> None:
        self._client.log_metric(self._id, _NOT_ALLOWED.sub("_", name), value, step=step)

    def close(self) -> None:
        self._client.set_terminated(self._id)


def _start(folder: Path, name: str, settings: RunSettings) -> Sink:
    return _Run(folder / "mlflow", name, settings)


MLFLOW = Tracker("mlflow", "mlflow", "pip install 'crosswind[mlflow]'", _start)
