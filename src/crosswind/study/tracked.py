"""What of a run goes to a tracker: training curves, the scores of all cells, and the primary comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from crosswind import __version__
from crosswind.analysis.condition import Condition
from crosswind.analysis.contrast import PRIMARY
from crosswind.reading import json_value, opened
from crosswind.run.store import Store
from crosswind.study.run import Finished
from crosswind.study.spec import Study
from crosswind.study.tracking import TRACKERS, RunSettings, Tracker

FOLDER_OF_TRACKERS = "tracking"
TrackedPoint = tuple[str, float, int]
"""The name of a series, a value, and its step."""


def trackers_of(names: Sequence[str]) -> list[Tracker]:
    """The trackers of these names; a `UserError` where one is unknown, or what it needs is not installed."""
    chosen = [TRACKERS.get(name, where="--track") for name in dict.fromkeys(names)]
    for tracker in chosen:
        tracker.require()
    return chosen


def track_run(trackers: Sequence[Tracker], study: Study, finished: Finished, store: Store) -> None:
    """Write a run to trackers, each below the run folder's `tracking/`."""
    points = [*curves(finished, store), *scores(finished.out / "results.parquet"), *_comparisons(finished)]
    for tracker in trackers:
        sink = tracker.start(finished.out / FOLDER_OF_TRACKERS, study.name, settings_of(study, finished))
        try:
            for name, value, step in points:
                sink.log(name, value, step)
        finally:
            sink.close()


def settings_of(study: Study, finished: Finished) -> RunSettings:
    """What a run is called and made of: no paths, and nothing of the environment."""
    return {
        "study": study.name,
        "encoder": finished.plan.encoder.rstrip("/").rpartition("/")[2],
        "routes": ", ".join(study.route_names),
        "pipeline seeds": ", ".join(map(str, study.seeds)),
        "cells": len(finished.plan.cells),
        "crosswind": __version__,
    }


def curves(finished: Finished, store: Store) -> Iterator[TrackedPoint]:
    """Losses and development scores of every training step that is there, by optimiser step."""
    for key, step in finished.plan.graph.items():
        if not store.has(key) or not (path := store.path(key) / "training.json").is_file():
            continue
        with opened(path) as file:
            value = json_value(file.read().decode("utf-8"), str(path))
        for name, series in (("loss", "losses"), ("dev", "scores")):
            for at, number in value.get(series, ()) if isinstance(value, dict) else ():
                yield f"train/{step.label}/{name}", float(number), int(at)


def scores(results: Path) -> Iterator[TrackedPoint]:
    """The score of every cell, by pipeline seed."""
    if not results.is_file():
        return
    frame = pl.read_parquet(results).filter(pl.col("score").is_not_null())
    # Two metrics of a task may give scores of one name.
    several = pl.col("metric").n_unique().over("target", "key") > 1
    for row in frame.with_columns(several=several).iter_rows(named=True):
        condition = Condition(**{name: row[name] for name in Condition.__slots__}).label
        draw = f", draw {row['draw']}" if row["draw"] > 1 else ""
        route = row["route"] if row["defence"] == "none" else f"{row['route']}@{row['defence']}"
        pair = row["context_language"] not in ("", row["language"])
        language = f"{row['context_language']}-{row['language']}" if pair else row["language"]
        key = f"{row['metric']} {row['key']}" if row["several"] else row["key"]
        name = f"score/{route}/{row['target']}/{language}/{condition}{draw}/{key}"
        yield name, float(row["score"]), int(row["pipeline_seed"])


def _comparisons(finished: Finished) -> Iterator[TrackedPoint]:
    for c in finished.summary.contrasts if finished.summary is not None else ():
        if c.family == PRIMARY:
            ends = {"": c.estimate.score, "/low": c.estimate.low, "/high": c.estimate.high}
            yield from ((f"contrast/{c.name}/{c.measure}{end}", v, 0) for end, v in ends.items() if v is not None)
