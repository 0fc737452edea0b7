"""Trackers: asked for, installed, and told nothing that is nobody's business."""

from __future__ import annotations

import importlib
import json
import os
import posixpath
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from crosswind.analysis.results import ResultRow, write_results
from crosswind.errors import UserError
from crosswind.study.tracked import scores, trackers_of
from crosswind.study.tracking import TRACKERS
from crosswind.study.tracking.mlflow import allowed

SETTINGS = {"study": "small", "encoder": "mini", "cells": 3}

# Stand-ins that write down what they are asked, in the interfaces of wandb 0.19, MLflow 2.20 and trackio 0.5.
WANDB = """
calls = []
class Settings:
    def __init__(self, **k): self.k = k
class Run:
    def define_metric(self, name, **k): calls.append(("define", name, k))
    def log(self, values): calls.append(("log", values))
    def finish(self): calls.append(("finish",))
def init(**k):
    k["settings"] = k["settings"].k
    calls.append(("init", k))
    return Run()
"""
MLFLOW = """
calls = []
class _Info: run_id = "r1"
class _Run: info = _Info()
class MlflowClient:
    def __init__(self, tracking_uri): calls.append(("client", tracking_uri))
    def get_experiment_by_name(self, name): return None
    def create_experiment(self, name, artifact_location): calls.append(("files", artifact_location)); return "7"
    def create_run(self, experiment, run_name): calls.append(("run", experiment, run_name)); return _Run()
    def log_param(self, run, key, value): calls.append(("param", key, value))
    def log_metric(self, run, name, value, step): calls.append(("metric", name, value, step))
    def set_terminated(self, run): calls.append(("end", run))
"""
TRACKIO = """
calls = []
def init(**k): calls.append(("init", k))
def log(values, step): calls.append(("log", values, step))
def finish(): calls.append(("finish",))
"""


def calls_of(name: str, source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    (folder / "modules").mkdir()
    (folder / "modules" / f"{name}.py").write_text(source)
    monkeypatch.syspath_prepend(folder / "modules")
    monkeypatch.delitem(sys.modules, name, raising=False)
    (tracker,) = trackers_of([name])
    sink = tracker.start(folder / "tracking", "small", SETTINGS)
    sink.log("train/english/loss", 0.5, 20)
    sink.log("score/none/xnli/de/keyboard:0.1, answers protected/f1", 61.0, 1)
    sink.log("score/none/xnli/de/keyboard:0.1; answers protected/f1", 50.0, 1)
    sink.close()
    calls: list[tuple[Any, ...]] = importlib.import_module(name).calls
    del sys.modules[name]
    return calls


def test_wandb_is_offline_in_the_run_folder_and_is_told_no_code_and_no_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "")
    monkeypatch.delenv("WANDB_ERROR_REPORTING")
    monkeypatch.setenv("WANDB_API_KEY", "secret-of-mine")
    calls = calls_of("wandb", WANDB, tmp_path, monkeypatch)
    (kind, asked), *rest = calls
    assert (kind, asked["mode"], asked["dir"]) == ("init", "offline", str(tmp_path / "tracking" / "wandb"))
    assert asked["config"] == SETTINGS
    assert asked["settings"]["disable_git"]
    assert asked["settings"]["disable_code"]
    assert ("log", {"train/english/loss": 0.5, "train/english/loss/step": 20}) in rest
    assert rest[-1] == ("finish",)
    assert os.environ["WANDB_ERROR_REPORTING"] == "false"
    assert "secret-of-mine" not in json.dumps(calls)


def test_mlflow_writes_into_the_run_folder_names_that_it_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "")  # so that it is as it was afterwards
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY")
    calls = calls_of("mlflow", MLFLOW, tmp_path, monkeypatch)
    assert calls[0] == ("client", f"sqlite:///{tmp_path}/tracking/mlflow/mlflow.db")
    assert ("files", f"file://{tmp_path}/tracking/mlflow/artifacts") in calls
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert ("run", "7", "small") in calls
    assert ("param", "encoder", "mini") in calls
    # Two series whose names it would write alike.
    assert ("metric", "score/none/xnli/de/keyboard:0.1_ answers protected/f1 1adb0799", 61.0, 1) in calls
    assert ("metric", "score/none/xnli/de/keyboard:0.1_ answers protected/f1 b488cb0c", 50.0, 1) in calls
    assert calls[-1] == ("end", "r1")


def test_names_for_mlflow_are_as_it_allows_them_and_one_for_each_series() -> None:
    assert allowed("train/english/loss") == "train/english/loss"
    long = "score/" + "x" * 300
    changed = ["a;b", "a,b", "a//b", "a/../b", "a/b/", long, f"{long}y"]
    made = [allowed(name) for name in changed]
    assert len(set(made)) == len(made)
    for name in made:
        assert re.fullmatch(r"[\w\-. :/]{1,250}", name)
        assert posixpath.normpath(name) == name  # what it checks besides


def test_trackio_writes_below_the_run_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", "")
    monkeypatch.delenv("TRACKIO_DIR")
    calls = calls_of("trackio", TRACKIO, tmp_path, monkeypatch)
    assert calls[0] == ("init", {"project": "crosswind", "name": "small", "config": SETTINGS})
    assert ("log", {"train/english/loss": 0.5}, 20) in calls
    assert calls[-1] == ("finish",)


@pytest.mark.parametrize("name", ["mlflow", "tensorboard", "trackio", "wandb"])
def test_the_packages_themselves_write_below_the_run_folder_and_nowhere_else(name: str, tmp_path: Path) -> None:
    """In a process of its own, from an empty folder, where the package is installed."""
    (tracker,) = (t for t in TRACKERS if t.name == name)
    if find_spec(tracker.module) is None:
        pytest.skip(f"{name} is not installed ({tracker.install})")
    code = f"""
from pathlib import Path
from crosswind.study.tracked import trackers_of
(tracker,) = trackers_of([{name!r}])
sink = tracker.start(Path("out"), "small", {SETTINGS!r})
for step in (1, 2):
    sink.log("score/none · noise/xnli/de/deepwordbug(x=1)@first;chrf(least=60)/f1", 60.0 + step, step)
sink.close()
"""
    home, work = tmp_path / "home", tmp_path / "work"
    home.mkdir()
    work.mkdir()
    foreign = ("WANDB_", "MLFLOW_", "TRACKIO_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(foreign)} | {"HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], cwd=work, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in work.iterdir()] == ["out"]
    assert {path.name for path in home.iterdir()} <= ({".cache"} if name == "wandb" else set())  # its logs of itself
    files = [path for path in (work / "out" / name).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 0


def test_a_tracker_that_is_unknown_or_not_installed_is_refused_before_anything_runs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UserError, match=r"(?s)--track: unknown tracker 'tensorbord'.*did you mean 'tensorboard'"):
        trackers_of(["tensorbord"])
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "path_importer_cache", {})
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    with pytest.raises(UserError, match=r"(?s)wandb is not installed.*pip install 'crosswind\[wandb\]'"):
        trackers_of(["wandb"])


def test_nothing_is_imported_that_was_not_asked_for() -> None:
    code = (
        "import sys\nfrom crosswind.study.tracking import TRACKERS\nprint(TRACKERS.names())\n"
        "print([m for m in ('tensorboard', 'wandb', 'mlflow', 'trackio', 'torch') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['mlflow', 'tensorboard', 'trackio', 'wandb']\n[]\n"
    assert TRACKERS.names() == ["mlflow", "tensorboard", "trackio", "wandb"]


def test_scores_of_one_name_by_two_metrics_are_told_apart(tmp_path: Path) -> None:
    row = ResultRow(
        encoder="mini", route="none", pipeline_seed=2, target="panx", language="de", split="test", metric="seqeval-f1",
        key="f1", score=60.0, n=10, clusters=10, signature="seqeval-f1|v1", cell="a",
    )  # fmt: skip
    strict = replace(row, metric="seqeval-f1-strict", score=50.0)
    write_results([row, strict, replace(row, key="recall", score=55.0)], tmp_path / "results.parquet")
    assert set(scores(tmp_path / "results.parquet")) == {
        ("score/none/panx/de/clean/seqeval-f1 f1", 60.0, 2),
        ("score/none/panx/de/clean/seqeval-f1-strict f1", 50.0, 2),
        ("score/none/panx/de/clean/recall", 55.0, 2),
    }
