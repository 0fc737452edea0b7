"""MLflow: an SQLite file in the run folder, or the server that MLFLOW_TRACKING_URI names."""

from __future__ import annotations

import hashlib
import os
import re
from importlib import import_module
from pathlib import Path
from typing import Any

from crosswind.study.tracking import RunSettings, Sink, Tracker

_NOT_ALLOWED = re.compile(r"[^\w\-. :/]")  # what names of metrics may not hold


_LONGEST = 250
_DIGEST = 8


def allowed(name: str) -> str:
    """A name of a metric as MLflow allows it: another one, with a digest, where it is too long or holds other signs."""
    parts = _NOT_ALLOWED.sub("_", name).split("/")
    plain = "/".join("_" if part in ("", ".", "..") else part for part in parts)
    if plain == name and len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]
    return f"{plain[: _LONGEST - _DIGEST - 1]} {digest}"


class _Run:
    def __init__(self, folder: Path, name: str, settings: RunSettings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # it reports usage to its makers otherwise
        client: Any = import_module("mlflow").MlflowClient
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        # Without a server MLflow would name the working folder as the place of files, which are none.
        artifacts = None if uri else (folder.absolute() / "artifacts").as_uri()
        self._client: Any = client(tracking_uri=uri or f"sqlite:///{folder.absolute() / 'mlflow.db'}")
        known = self._client.get_experiment_by_name("crosswind")
        experiment = (
            known.experiment_id
            if known is not None
            else self._client.create_experiment("crosswind", artifact_location=artifacts)
        )
        self._id = self._client.create_run(experiment, run_name=name).info.run_id
        for key, value in settings.items():
            self._client.log_param(self._id, key, value)

    def log(self, name: str, value: float, step: int) -> None:
        self._client.log_metric(self._id, allowed(name), value, step=step)

    def close(self) -> None:
        self._client.set_terminated(self._id)


def _start(folder: Path, name: str, settings: RunSettings) -> Sink:
    return _Run(folder / "mlflow", name, settings)


MLFLOW = Tracker("mlflow", "mlflow", "pip install 'crosswind[mlflow]'", _start)
