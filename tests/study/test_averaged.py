"""Checkpoints averaged: another way of choosing a model of the same training, reported apart."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.plan import make_plan
from crosswind.study.run import run_study
from crosswind.study.spec import Study, parse_study

STUDY = """
name: averaged
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 8, learning_rate: 1.0e-2, max_length: 64, evaluate_every: {every}}}
routes: {{none: [], more: [{{tasks: [{{name: snli, split: dev}}], budget: {{steps: 2}}}}]}}
keep: encoders
targets:
  languages: [en, es]
  limit: 9
  tasks:
    xnli:
      average: 2
      train:
        tasks: [{{name: snli, split: dev}}]
        budget: {{steps: 4}}
        select: {{name: xnli, split: dev, languages: [en]}}
perturb: ["swap:0.4"]
"""


def study(encoder: Path, data: Path, every: int) -> Study:
    return parse_study(STUDY.format(encoder=encoder, data=data, every=every))


def test_a_run_scores_the_mean_of_the_last_checkpoints_apart(
    tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    found, store = study(tiny_encoder, small_data, 1), Store(tmp_path / "store")
    finished = run_study(found, out=tmp_path / "run", store=store, reporter=Silent())
    assert finished.outcome.complete, finished.outcome.failed
    rows = pl.read_parquet(tmp_path / "run" / "results.parquet")
    assert rows.group_by("selection").len().sort("selection").rows() == [("averaged", 8), ("english", 8)]
    notes = rows.filter(selection="averaged")["notes"].explode().unique().to_list()
    assert "The selection `averaged` is the mean of the weights after 2 checkpoints: steps 3, 4 of 4." in notes
    contrasts = pl.read_parquet(tmp_path / "run" / "contrasts.parquet")
    assert contrasts.height > 0
    ways = contrasts.filter(kind="selection", scope="target")
    assert sorted(ways.select("name", "measure").rows()) == [
        (f"{route}: averaged − english", measure)
        for route in ("more", "none")
        for measure in ("everywhere", "perturbed")
    ]
    assert all("not tested" in verdict for verdict in ways["verdict"])  # one seed, of untrained models at their floor
    others = contrasts.filter(kind="level")
    assert not any("mean of the last" in str(value) for row in others.iter_rows() for value in row)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Ways of choosing a checkpoint" in page
    # What is not kept are heads: the intermediate encoder stays, trained and averaged models go.
    plan = make_plan(found)
    (encoder,) = (s.key for s in plan.graph.values() if s.kind == "train" and s.params.get("output") != "head")
    assert {p.parent.parent for p in store.root.rglob("*.safetensors")} == {store.path(encoder)}


def test_too_few_checkpoints_are_refused_before_anything_is_trained(
    tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    found = parse_study(
        STUDY.format(encoder=tiny_encoder, data=small_data, every=4).replace("steps: 4", "epochs: 0.02")
    )
    finished = run_study(found, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert finished.outcome.mistaken
    messages = {failure.message for failure in finished.outcome.failed.values()}
    assert any("the mean of the last 2 checkpoints was asked for" in m and "has 1 in" in m for m in messages)
    assert all("lower training.evaluate_every" in m and "stopped early" not in m for m in messages)


def test_more_checkpoints_than_a_budget_has_are_refused_when_planned(tiny_encoder: Path, small_data: Path) -> None:
    with pytest.raises(UserError, match=r"xnli\.average: the last 2 checkpoints are averaged, .* has 1 in 4 steps"):
        make_plan(study(tiny_encoder, small_data, 4))
    make_plan(study(tiny_encoder, small_data, 3))
