"""New things come in through one file: kinds of steps that resume, metrics with a threshold, conditions, defences."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

KILLED = """
import os, signal
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from crosswind.run.kinds import StepKind
from crosswind.study.stages import Stage


@dataclass(frozen=True)
class CountParams:
    upto: int


def _run(job, worker):
    from safetensors import safe_open

    with safe_open(job.inputs["model"].path / "model" / "model.safetensors", "pt") as tensors:
        names = sorted(tensors.keys())[: job.params.upto]
    for number, name in enumerate(names):
        kept = job.partial / f"{number}.txt"
        if not kept.exists():
            kept.write_text(name)
            with (Path(os.environ["TRACE"]) / "written").open("a") as trace:
                trace.write(f"{os.getpid()} {number}\\n")
            if number == 2:
                os.kill(os.getpid(), signal.SIGKILL)
    (job.draft.path / "names.txt").write_text("\\n".join(names))
    return f"{len(names)} tensors"


COUNT = StepKind("count", 1, CountParams, _run)


class Count(BaseModel):
    upto: int


def _begin(section, planner, targets):
    def conditions(evaluated):
        planner.want(COUNT.step(CountParams(section.upto), inputs={"model": evaluated.model.key}, label="count"))

    return conditions


STAGE = Stage("count", "the names of tensors", Count, _begin)
"""

MINING = """
import numpy as np

from crosswind.data.examples import Candidate, Pool, QueryExample
from crosswind.data.source import Content, FileLayout
from crosswind.evaluate.metrics.base import Judged, Metric, f1_scores
from crosswind.tasks.base import Task


def _pairs(examples, predictions, threshold):
    rows = []
    for example, prediction in zip(examples, predictions, strict=True):
        mined = prediction["scores"][0] >= threshold
        right = mined and prediction["top"][0] in example.gold
        rows.append((float(right), float(mined), float(len(example.gold))))
    return np.array(rows)


def _fit(examples, predictions):
    def f1(threshold):
        tp, mined, gold = _pairs(examples, predictions, threshold).sum(axis=0)
        return 2 * tp / (mined + gold)

    return {"threshold": max(sorted({p["scores"][0] for p in predictions}), key=f1)}


def _judge(examples, predictions, fitted):
    statistics = _pairs(examples, predictions, fitted["threshold"])
    kept = statistics.any(axis=1)
    ids = tuple(e.id for e, k in zip(examples, kept) if k)
    return Judged(ids, ids, statistics[kept])


MINED = Metric("mined-f1", 1, ("tp", "predicted", "gold"), f1_scores(), _judge, fit=_fit, sparse=True, kinds=("query",))


def _read(paths, language, split):
    queries, candidates = [], []
    for number, line in enumerate(paths[0].read_text().splitlines()):
        source, _, target = line.partition("\\t")
        name = f"mining/{split}/{number}"
        candidates += [Candidate(f"{name}/t", language, target, cluster=name)] if target else []
        queries.append(QueryExample(name, name, "en", source, (f"{name}/t",) if target else ()))
    lone = len(queries) - len(candidates)
    return Content(tuple(queries), Pool(tuple(candidates)), notes=(f"{lone} <sentences> have no translation",))


def _locate(files, language, split):
    return (files.find(f"mining/{split}-{language}.tsv", what="mining"),)


MINING = Task(
    name="mining", kind="query", summary="pairs of translations among other sentences", group="mining",
    languages=("es",), splits=("dev", "test"), files=FileLayout(_locate, _read), metrics=("mined-f1", "accuracy"),
    perturbed=("query",),
)
"""

NEEDY = """
import json
from dataclasses import dataclass
from pathlib import Path

from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.needs import ModelNeed, StepNeed
from crosswind.perturb.perturbation import Perturbation
from crosswind.run.kinds import StepKind


@dataclass(frozen=True)
class WordParams:
    word: str


def _run(job, worker):
    (job.draft.path / "word.txt").write_text(job.params.word)


WORD = StepKind("word", 1, WordParams, _run)


def _prepare(setting, given):
    word = (given["words"] / "word.txt").read_text()
    kind = json.loads((Path(given["reader"]) / "config.json").read_text())["model_type"]
    return Listed(lambda passage: Sites([0], [0], lambda i: (f"{word} {kind}: ",)))


ANNOUNCE = Perturbation(
    name="announce", nature="preserving", summary="a word before the text", source="tests", unit="passage",
    languages="all", prepare=_prepare,
    needs=lambda setting: (StepNeed("words", "word", (("word", "WORD-HERE"),)), ModelNeed("reader", "READER-HERE")),
)
"""

STUDY = """
name: doors
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes: {{none: []}}
"""
XNLI = (
    "targets: {tasks: {xnli: {languages: [en], limit: 9, train: "
    "{tasks: [{name: snli, split: dev}], budget: {steps: 2}}}}}\n"
)


def crosswind(root: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from crosswind.cli import main; main()", *words]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.fixture
def root(tmp_path: Path, tiny_encoder: Path, small_data: Path) -> Path:
    (tmp_path / "mine").mkdir()
    (tmp_path / "study.yaml").write_text(STUDY.format(encoder=tiny_encoder, data=small_data))
    return tmp_path


@pytest.mark.slow
def test_a_kind_of_step_with_a_trained_input_goes_on_from_its_partial_where_its_worker_was_killed(root: Path) -> None:
    (root / "mine" / "count.py").write_text(KILLED)
    with (root / "study.yaml").open("a") as file:
        file.write(XNLI + "count: {upto: 5}\n")
    words = ("run", "study.yaml", "--include", "mine", "--out", "run", "--store", "store", "--workers", "2", "--quiet")
    ran = crosswind(root, *words, TRACE=str(root))
    assert ran.returncode == 0, ran.stderr
    written = [line.split() for line in (root / "written").read_text().splitlines()]
    assert [number for _, number in written] == ["0", "1", "2", "3", "4"]
    assert len({pid for pid, _ in written}) == 2
    (names,) = (root / "store").glob("objects/*/*/names.txt")
    assert len(names.read_text().splitlines()) == 5
    # An edited declaration does not find the old result.
    (root / "mine" / "count.py").write_text(KILLED + "\n# another one\n")
    assert crosswind(root, *words, TRACE=str(root)).returncode == 0
    assert len([*(root / "store").glob("objects/*/*/names.txt")]) == 2


@pytest.mark.slow
def test_a_metric_with_a_threshold_is_fitted_on_development_predictions(root: Path, small_data: Path) -> None:
    (root / "mine" / "mining.py").write_text(MINING)
    data = root / "data" / "mining"
    data.mkdir(parents=True)
    for split in ("dev", "test"):
        lines = [f"{split} sentence {i}\t" + (f"{split} sentence {i} oración" if i % 3 else "") for i in range(24)]
        (data / f"{split}-es.tsv").write_text("\n".join(lines) + "\n")
    with (root / "study.yaml").open("a") as file:
        file.write("targets: {tasks: {mining: {languages: [es], train: []}}}\nperturb: ['swap:0.3']\n")
    words = ("run", "study.yaml", "--include", "mine", "--out", "run", "--store", "store", "--quiet")
    ran = crosswind(root, *words, "--set", f"data.root={root / 'data'}")
    assert ran.returncode == 0, ran.stderr
    cells = pl.read_parquet(root / "run" / "cells.parquet")
    facts = [json.loads(text) for text in cells.filter(metric="mined-f1")["facts"]]
    assert len(facts) == 2
    thresholds = {part for f in facts for part in f["signature"].split("|") if part.startswith("fitted threshold=")}
    assert len(thresholds) == 1  # the perturbed cell is judged by the threshold of the clean development set
    assert {f["n"] for f in facts} == {24}
    results = pl.read_parquet(root / "run" / "results.parquet")
    assert set(results["metric"]) == {"mined-f1", "accuracy"}
    assert set(results.filter(metric="mined-f1")["key"]) == {"f1", "precision", "recall"}
    # What the reader noted of both splits stands in every row, in the report and in the terminal.
    notes = [f"mining {split}, es: 8 <sentences> have no translation" for split in ("dev", "test")]
    assert {tuple(sorted(row)) for row in results.filter(metric="mined-f1")["notes"].to_list()} == {tuple(notes)}
    assert {tuple(row) for row in results.filter(metric="accuracy")["notes"].to_list()} == {(notes[1],)}
    report = (root / "run" / "report.html").read_text()
    assert all(note in ran.stderr and note.replace("<", "&lt;").replace(">", "&gt;") in report for note in notes)
    assert crosswind(root, *words, "--set", f"data.root={root / 'data'}").stderr.count(notes[0]) == 1
    # The scores, by hand: what reaches the threshold is mined, and every third sentence has no translation.
    (fitted,) = thresholds
    threshold = float(fitted.partition("=")[2])
    f1 = {row["perturbation"]: row["score"] for row in results.filter(metric="mined-f1", key="f1").to_dicts()}
    for path in (root / "run" / "predictions").rglob("*.parquet"):
        rows = pl.read_parquet(path).to_dicts()
        mined = [row for row in rows if row["scores"][0] >= threshold]
        right = sum(row["top"][0] == f"{row['id']}/t" and int(row["id"].rsplit("/")[-1]) % 3 > 0 for row in mined)
        assert f1[path.stem.partition("-")[0]] == pytest.approx(100 * 2 * right / (len(mined) + 16))


@pytest.mark.slow
def test_a_perturbation_may_need_a_step_and_a_model_which_are_in_its_key(root: Path, tiny_encoder: Path) -> None:
    reader = root / "reader"
    shutil.copytree(tiny_encoder, reader)
    with (root / "study.yaml").open("a") as file:
        file.write(XNLI + "perturb: ['announce:1']\n")
    words = ("run", "study.yaml", "--include", "mine", "--out", "run", "--store", "store", "--quiet")

    def rewrites(word: str) -> set[str]:
        """The keys of the rewrites that the store holds after a run."""
        text = NEEDY.replace("WORD-HERE", word).replace("READER-HERE", str(reader))
        (root / "mine" / "announce.py").write_text(text)
        ran = crosswind(root, *words)
        assert ran.returncode == 0, ran.stderr
        (rewritten,) = (root / "run" / "rewrites").rglob("*.parquet")
        assert f"{word} xlm-roberta: " in str(pl.read_parquet(rewritten).to_dicts())
        return {path.parent.name for path in (root / "store").glob("objects/*/*/rewrites.parquet")}

    first = rewrites("note")
    config = json.loads((reader / "config.json").read_text())
    (reader / "config.json").write_text(json.dumps({**config, "of_another_model": True}))
    second = rewrites("note")
    assert len(first) == 1
    assert len(second) == 2  # the file is the same, the model is not
    assert len(rewrites("hear")) == 3
    assert len([*(root / "store").glob("objects/*/*/word.txt")]) == 2


@pytest.mark.slow
def test_a_defence_is_crossed_with_the_routes_and_changes_the_targets_training(root: Path) -> None:
    with (root / "study.yaml").open("a") as file:
        file.write(XNLI + "defences: {none: {}, dropout: {training: {dropout: 0.3}}}\n")
    ran = crosswind(root, "run", "study.yaml", "--out", "run", "--store", "store", "--quiet")
    assert ran.returncode == 0, ran.stderr
    results = pl.read_parquet(root / "run" / "results.parquet")
    assert sorted(results["defence"].unique()) == ["dropout", "none"]
    assert len([*(root / "run" / "predictions").rglob("*.parquet")]) == 2


@pytest.mark.slow
def test_the_run_folder_holds_the_cells_of_the_study_as_it_stands_and_of_no_other(root: Path) -> None:
    with (root / "study.yaml").open("a") as file:
        file.write(XNLI + "perturb: ['swap:0.3', 'keyboard:0.2']\n")
    words = ("run", "study.yaml", "--out", "run", "--store", "store", "--quiet")
    assert crosswind(root, *words).returncode == 0

    def files(part: str) -> list[str]:
        return sorted(p.name for p in (root / "run" / part).rglob("*.parquet"))

    both = ["clean.parquet", "keyboard-0.2-none-draw1.parquet", "swap-0.3-none-draw1.parquet"]
    assert files("predictions") == both
    summary = (root / "run" / "summary.parquet").read_bytes()
    fewer = crosswind(root, *words, "--set", 'perturb=["swap:0.3"]')
    assert fewer.returncode == 0
    assert files("predictions") == [both[0], both[2]]
    assert files("rewrites") == [both[2]]
    assert len(pl.read_parquet(root / "run" / "cells.parquet")) == 2
    assert crosswind(root, *words).returncode == 0
    assert (root / "run" / "summary.parquet").read_bytes() == summary
    other = crosswind(root, *words, "--set", "name=another")
    assert other.returncode == 2
    assert "holds the run of another study, 'doors'" in other.stderr


@pytest.mark.slow
def test_a_study_pretrains_its_own_encoder(root: Path) -> None:
    (root / "text.txt").write_text("".join(f"the dog number {i} sees a river\n" for i in range(40)))
    shape = "{hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 32}"
    (root / "tiny.yaml").write_text(
        f"name: tiny\ntokenizer: {{vocab_size: 200}}\nmodel: {shape}\n"
        "text: [{path: text.txt, language: en}]\nbudget: {steps: 3}\ntraining: {batch_size: 8, max_length: 64}\n"
    )
    with (root / "study.yaml").open("a") as file:
        file.write(XNLI)
    words = ("run", "study.yaml", "--out", "run", "--store", "store", "--quiet")
    ran = crosswind(root, *words, "--set", "encoder={pretrain: tiny.yaml}")
    assert ran.returncode == 0, ran.stderr
    assert set(pl.read_parquet(root / "run" / "results.parquet")["encoder"]) == {"tiny"}
    again = crosswind(root, "pretrain", "tiny.yaml", "--out", "encoder", "--store", "store")
    assert again.returncode == 0, again.stderr
    assert (root / "encoder" / "config.json").exists()
    assert len([*(root / "store").glob("objects/*/*/model/manifest.txt")]) == 1  # the study's own step was found
