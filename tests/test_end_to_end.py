"""A whole study with hand-made files and a tiny encoder: run, run again, killed, in parallel, damaged."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

from crosswind.analysis.left_out import left_out_lines
from crosswind.analysis.results import WHERE_RIGHT
from crosswind.errors import UserError
from crosswind.run.folders import read_sealed, write_sealed
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.collect import collect
from crosswind.study.plan import make_plan
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import Study, parse_study
from crosswind.study.tracked import track_run, trackers_of

STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes:
  none: []
  english: [{{tasks: [{{name: snli, split: dev}}], budget: {{examples: 40}}}}]
targets:
  limit: 9
  tasks:
    udpos:
      languages: [en, es, hi]
      train:
        tasks: [udpos]
        budget: {{epochs: 2}}
        select: {{name: udpos, split: dev}}
        training: {{evaluate_every: 4}}
    xnli: {{languages: [en, es], train: {{tasks: [{{name: snli, split: dev}}], budget: {{examples: 48}}}}}}
    tatoeba: {{languages: [jv, sw], train: []}}
perturb: ["keyboard:0.3"]
"""

DRIVER = """
import json, os, signal, sys
from pathlib import Path
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.run import run_study
from crosswind.study.spec import parse_study
import crosswind.evaluate.predict, crosswind.train.loop, crosswind.report.page

class Killer(Silent):
    def __init__(self, event, count):
        super().__init__()
        self.left = {event: count}
    def happened(self, event):
        self.left[event] = self.left.get(event, 0) - 1
        if self.left[event] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def started(self, key):
        super().started(key); self.happened("started")
    def finished(self, key, note=""):
        super().finished(key, note); self.happened("finished")

facts = json.loads(sys.argv[1])
for event, count in facts["kills"]:
    child = os.fork()
    if not child:
        study, store = parse_study(facts["study"]), Store(facts["store"])
        run_study(study, out=Path(facts["out"]), store=store, reporter=Killer(event, count))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else f"ended with {status}", flush=True)
"""


def study_of(encoder: Path, data: Path, *overrides: str) -> Study:
    return parse_study(STUDY.format(encoder=encoder, data=data), list(overrides))


def go(study: Study, folder: Path, *, store: Path | None = None, workers: int = 1) -> Finished:
    return run_study(
        study, out=folder / "run", store=Store(store or folder / "store"), reporter=Silent(), workers=workers
    )


def hashes(run: Path) -> dict[str, str]:
    files = sorted(p for p in (run / "predictions").rglob("*") if p.is_file())
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, small_data: Path) -> Path:
    """A finished run: its folder holds `run` and `store`."""
    folder = tmp_path_factory.mktemp("first")
    finished = go(study_of(tiny_encoder, small_data), folder)
    assert finished.outcome.complete
    return folder


def test_a_run_leaves_results_predictions_and_a_report(first: Path) -> None:
    run = first / "run"
    results = pl.read_parquet(run / "results.parquet")
    # 7 sets x (clean + keyboard) x 2 routes; keyboard has layouts for all of these languages
    cells = results.select("route", "target", "language", "perturbation").unique()
    assert len(cells) == 28
    assert set(results["route"]) == {"none", "english"}
    assert results.filter(pl.col("target") == "xnli")["n"].unique().to_list() == [9]
    assert len(hashes(run)) == 28
    page = (run / "report.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert {"forest.svg", "forest.csv", "heatmap.svg"} <= {p.name for p in (run / "figures").iterdir()}
    # Texts of a few perturbed items, clean and perturbed, with what both routes said of them.
    kept = json.loads((run / "examples.json").read_text(encoding="utf-8"))
    assert {(x["target"], x["perturbation"]) for x in kept["items"]} == {
        (target, "keyboard") for target in ("udpos", "xnli", "tatoeba")
    }
    for item in kept["items"]:
        assert [said[0] for said in item["said"]] == ["none", "english"]
        assert any(after not in (None, before) for _, before, after in item["fields"])
    scored = results.filter(perturbation="keyboard").unique(["route", "target", "language"])
    assert kept["of"] == scored["n"].sum()
    assert page.count('<article class="example"') == len(kept["items"]) > 10
    for section in ("claims", "audit", "examples", "provenance", "citing"):
        assert f'<section id="{section}"' in page
    assert "encoder" in (run / "study.yaml").read_text(encoding="utf-8")


def test_a_run_keeps_its_comparisons_and_says_how_many_predictions_stayed(first: Path) -> None:
    frame = pl.read_parquet(first / "run" / "contrasts.parquet")
    assert {"level", "difference"} <= set(frame["kind"])
    same = frame.filter((pl.col("measure") == "consistency") & (pl.col("kind") == "level"))
    assert len(same) > 0
    assert same["estimate"].is_between(0, 100).all()
    declared = json.loads((first / "run" / "run.json").read_text(encoding="utf-8"))["compare"]
    assert declared["measures"] == ["clean", "perturbed", "drop"]
    assert (declared["pairs"], declared["slopes"], declared["margin"]) == ([], [], None)
    facts = json.loads((first / "run" / "analysis.json").read_text(encoding="utf-8"))
    assert facts["routes"][0] in facts["facts"]["factors"]
    drops_where_all_were_right(first, frame)
    page = (first / "run" / "report.html").read_text(encoding="utf-8")
    assert "tatoeba: the perturbed pool is one draw for all items" in page


def drops_where_all_were_right(folder: Path, contrasts: pl.DataFrame) -> None:
    """What is kept is of the items that both routes had right when clean, by their statistics in the store."""
    cells = pl.read_parquet(folder / "run" / "cells.parquet").filter(pl.col("target") == "xnli")
    kept = [pl.read_parquet(folder / "run" / path) for path in cells["right"].unique() if path]
    sums = {key: part for frame in kept for (key,), part in frame.partition_by("cell", as_dict=True).items()}
    store = Store(folder / "store")

    def judged(key: str) -> pl.DataFrame:
        return pl.read_parquet(store.path(key) / "statistics.parquet")

    for language in cells["language"].unique():
        of = cells.filter(pl.col("language") == language)
        clean, noisy = (of.filter((pl.col("condition") == "clean") == x)["cell"].to_list() for x in (True, False))
        common = set.intersection(*(set(judged(key).filter(pl.col("correct") == 1)["id"]) for key in clean))
        for key in noisy:
            left = judged(key).filter(pl.col("id").is_in(list(common)))
            of_cell = sums[key + WHERE_RIGHT]["sums"].to_list() if common else []
            assert sum(x[0] for x in of_cell) == left["correct"].sum()
            assert sum(x[1] for x in of_cell) == len(common)
    assert kept
    assert set(contrasts.filter(pl.col("measure") == "right-drop")["kind"]) == {"level", "difference"}


def test_results_say_how_much_of_the_items_and_tokens_each_condition_changed(first: Path) -> None:
    results = pl.read_parquet(first / "run" / "results.parquet")
    clean, noisy = (results.filter((pl.col("perturbation") == "clean") == x) for x in (True, False))
    assert clean.select("changed_items", "changed_tokens").unique().rows() == [(0.0, 0.0)]
    assert noisy["changed_items"].min() >= 0.5  # type: ignore[operator]
    assert noisy["changed_tokens"].is_between(0.05, 0.95).all()
    assert set(noisy["target"]) == {"udpos", "xnli", "tatoeba"}  # sentences, pairs, and a pool
    assert pl.read_parquet(first / "run" / "left_out.parquet").is_empty()
    page = (first / "run" / "report.html").read_text(encoding="utf-8")
    assert "below it a cell is n/a" in page


def test_a_cell_in_which_nothing_changed_has_no_score_and_is_named(
    tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    """At this severity keyboard changes nothing: no drop of zero may come of it."""
    small = "targets.tasks={udpos: {languages: [en, es], train: {tasks: [udpos], budget: {examples: 8}}}, "
    small += "tatoeba: {languages: [jv], train: []}}"
    study = study_of(tiny_encoder, small_data, small, 'perturb=["keyboard:1e-9,0.3"]')
    finished = go(study, tmp_path)
    results = pl.read_parquet(tmp_path / "run" / "results.parquet")
    blank = results.filter(pl.col("score").is_null())
    assert set(blank.select("severity", "changed_items", "changed_tokens").rows()) == {(1e-9, 0.0, 0.0)}
    assert set(blank.select("target", "language").rows()) == {("udpos", "en"), ("udpos", "es"), ("tatoeba", "jv")}
    assert finished.summary is not None
    assert {x.condition.severity for x in finished.summary.lines} == {0.0, 0.3}
    assert [*left_out_lines(finished.summary.left_out)] == [
        "keyboard:1e-09 in en (0.0 %), es (0.0 %), jv (0.0 %) (udpos, tatoeba; 6 cells): "
        "fewer than 5 % of the items changed, so the scores are n/a"
    ]
    table = pl.read_parquet(tmp_path / "run" / "left_out.parquet")
    assert table["cause"].unique().to_list() == ["unchanged"]
    assert table["cells"].sum() == 6
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "6 cells are in no figure above" in page
    assert '<td class="number">n/a</td>' in page
    # The share is the study's: everything counts at 0, nothing but a whole test set at 1.
    every = go(study_of(tiny_encoder, small_data, small, 'perturb=["keyboard:1e-9,0.3"]', "min_changed=0"), tmp_path)
    assert every.outcome.done == []
    assert not pl.read_parquet(tmp_path / "run" / "results.parquet")["score"].null_count()


def test_cells_that_were_not_computed_are_named(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    shutil.copytree(first / "store", tmp_path / "store")
    finished = go(study_of(tiny_encoder, small_data, "targets.tasks.xnli.train.budget.items=1000"), tmp_path)
    assert finished.summary is not None
    lines = [*left_out_lines(finished.summary.left_out)]
    assert "clean in en, es (xnli; 4 cells): a step of it failed or was not run" in lines
    assert "keyboard:0.3 in en, es (xnli; 4 cells): a step of it failed or was not run" in lines


def test_running_again_computes_nothing(first: Path, tiny_encoder: Path, small_data: Path) -> None:
    before = hashes(first / "run")
    again = go(study_of(tiny_encoder, small_data), first)
    assert again.outcome.done == []
    # 28 predictions, and their statistics: three metrics of udpos, one of the others
    assert len(again.outcome.cached) == 28 + 12 * 3 + 16 + 7  # and 7 rewrites
    assert hashes(first / "run") == before


@pytest.mark.slow
def test_a_run_killed_again_and_again_gives_the_same_bytes(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    kills = [("started", 1), ("finished", 1), ("started", 2), ("finished", 9), ("finished", 20)]
    facts = {
        "study": STUDY.format(encoder=tiny_encoder, data=small_data),
        "store": str(tmp_path / "store"),
        "out": str(tmp_path / "run"),
        "kills": kills,
    }
    ran = subprocess.run([sys.executable, "-c", DRIVER, json.dumps(facts)], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["9"] * len(kills), ran.stderr
    finished = go(study_of(tiny_encoder, small_data), tmp_path)
    assert finished.outcome.complete
    assert len(finished.outcome.done) < len(finished.plan.graph)  # something was kept
    assert hashes(tmp_path / "run") == hashes(first / "run")
    assert not [*(tmp_path / "store" / "drafts").iterdir()]


@pytest.mark.slow
def test_two_workers_give_the_same_bytes_as_one(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    finished = go(study_of(tiny_encoder, small_data), tmp_path, workers=2)
    assert finished.outcome.complete, finished.outcome.failed
    assert hashes(tmp_path / "run") == hashes(first / "run")


def test_a_failing_step_leaves_the_others(first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path) -> None:
    shutil.copytree(first / "store", tmp_path / "store")
    study = study_of(tiny_encoder, small_data, "targets.tasks.xnli.train.budget.items=1000", "draws=2")
    finished = go(study, tmp_path)
    failed = [finished.plan.graph[key].label for key in finished.outcome.failed]
    assert failed == ["xnli for route none", "xnli for route english"]
    assert {f.message for f in finished.outcome.failed.values()} == {
        "snli: a budget of 1000 items, there are 90\n  lower it"
    }
    assert {finished.plan.graph[key].label.split()[0] for key in finished.outcome.skipped} == {"xnli"}
    # The second draw of the other targets was computed nevertheless, and the results are there.
    results = pl.read_parquet(tmp_path / "run" / "results.parquet")
    assert set(results["target"]) == {"udpos", "tatoeba"}
    assert set(results["draw"]) == {0, 1, 2}


def test_a_pooler_that_nothing_trains_is_refused(tmp_path: Path, tiny_encoder: Path, small_data: Path) -> None:
    pooled = "targets.tasks={tatoeba: {languages: [jv], train: [], pooling: {mode: pooler}}}"
    bare = tmp_path / "bare"  # the masked LM alone: transformers saves it without a pooler
    AutoModelForMaskedLM.from_pretrained(tiny_encoder).save_pretrained(bare)
    AutoTokenizer.from_pretrained(tiny_encoder).save_pretrained(bare)
    study = study_of(bare, small_data, pooled, "routes={none: []}", "perturb=[]")
    with pytest.raises(UserError) as error:
        go(study, tmp_path)
    assert str(error.value) == (
        "targets.tasks.tatoeba.pooling: the encoder has no pooler, and nothing trains one\n"
        "  pool by mean or cls, or train the task"
    )


def test_a_clean_cell_that_failed_takes_its_drops_from_the_summary_but_not_the_results(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    shutil.copytree(first / "store", tmp_path / "store")
    study, store = study_of(tiny_encoder, small_data), Store(tmp_path / "store")
    plan = make_plan(study)
    lost = next(c for c in plan.cells if (c.route, c.target, c.data.language) == ("none", "udpos", "es"))
    assert lost.perturbation == "clean"
    store.drop(lost.key, ["predictions.parquet"])
    summary = collect(study, plan, store, tmp_path / "run", 0.0).summary
    assert summary is not None
    lines = [x for x in summary.lines if x.route == "none" and x.target == "udpos"]
    assert {x.languages for x in lines if x.scope == "others"} == {("hi",)}
    results = pl.read_parquet(tmp_path / "run" / "results.parquet")
    kept = results.filter(route="none", target="udpos", language="es")
    assert set(kept["perturbation"]) == {"keyboard"}


def test_what_was_found_for_another_plan_does_not_spare_a_study_its_check(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    """Everything it needs is in the store, and its folder holds the check of an earlier study."""
    shutil.copytree(first / "store", tmp_path / "store")
    shutil.copytree(first / "run", tmp_path / "run")
    checks = tmp_path / "run" / "logs" / "checks.json"
    same = study_of(tiny_encoder, small_data)
    value = read_sealed(checks)
    assert value is not None
    write_sealed(checks, value | {"notes": ["as found before"]})
    assert "as found before" in go(same, tmp_path).plan.notes
    other = study_of(tiny_encoder, small_data, "targets.tasks.udpos.languages=[en, es]")
    finished = go(other, tmp_path)
    assert finished.outcome.done == []
    assert "as found before" not in finished.plan.notes


def test_a_damaged_artifact_is_computed_again(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    store = tmp_path / "store"
    shutil.copytree(first / "store", store)
    cells = sorted((store / "objects").glob("*/*/predictions.parquet"))
    damaged = next(p for p in cells if "udpos" in (p.parent / "manifest.json").read_text())
    data = bytearray(damaged.read_bytes())
    data[len(data) // 2] ^= 1
    damaged.write_bytes(data)
    finished = go(study_of(tiny_encoder, small_data), tmp_path)
    assert finished.outcome.done == [damaged.parent.name]
    assert hashes(tmp_path / "run") == hashes(first / "run")


@pytest.mark.slow
def test_weights_that_are_not_kept_are_not_computed_again(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    shutil.copytree(first / "store", tmp_path / "store")
    for keep, models in (("encoders", 1), ("none", 0), ("none", 0)):
        study = study_of(tiny_encoder, small_data, f"keep={keep}")
        assert go(study, tmp_path).outcome.done == []  # and nothing is computed for want of the dropped weights
        assert len([*(tmp_path / "store" / "objects").glob("*/*/model/model.safetensors")]) == models
    assert hashes(tmp_path / "run") == hashes(first / "run")


def test_a_run_is_written_to_tensorboard_where_that_is_asked_for(
    first: Path, tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    """Read back by TensorBoard's own reader: every score of the results, and the curves of the training steps."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    study = study_of(tiny_encoder, small_data)
    finished = go(study, first)
    elsewhere = replace(finished, out=copied(first / "run", tmp_path))
    track_run(trackers_of(["tensorboard"]), study, elsewhere, Store(first / "store"))
    events = EventAccumulator(str(tmp_path / "run" / "tracking" / "tensorboard"))
    events.Reload()
    names = events.Tags()["scalars"]
    results = pl.read_parquet(first / "run" / "results.parquet").filter(pl.col("score").is_not_null())
    assert sum(len(events.Scalars(n)) for n in names if n.startswith("score/")) == len(results)
    row = results.filter(pl.col("target") == "xnli", pl.col("perturbation") == "clean").row(0, named=True)
    by_seed = {e.step: e.value for e in events.Scalars(f"score/{row['route']}/xnli/{row['language']}/clean/accuracy")}
    assert by_seed[row["pipeline_seed"]] == pytest.approx(row["score"], rel=1e-6)
    losses = [n for n in names if n.startswith("train/") and n.endswith("/loss")]
    assert losses
    assert all(event.step >= 1 for n in losses for event in events.Scalars(n))
    assert any(n.startswith("contrast/english − none/clean") for n in names)


def copied(run: Path, folder: Path) -> Path:
    shutil.copytree(run, folder / "run")
    return folder / "run"
