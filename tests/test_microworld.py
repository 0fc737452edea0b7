"""The microworld from end to end with the shipped encoder: effects are there, runs repeat, workers agree."""

from __future__ import annotations

import hashlib
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from crosswind.cli import app
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study import demo
from crosswind.study.encoders import SHIPPED, describe_encoder
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import Study, parse_study

STUDY = """
name: fast
encoder: microworld
data: {source: microworld}
training: {batch_size: 16, batch_by: clusters, classifier_pooling: mean, learning_rate: 1.0e-3, warmup: 0.1}
routes:
  none: []
  multilingual: [{tasks: [{name: mw-completion, languages: [en, qla-Latn], rows: 0-99}], budget: {examples: 128}}]
targets:
  limit: 100
  languages: [en, qla-Latn, qth-Thai]
  tasks:
    mw-pos: {train: {tasks: [{name: mw-pos, rows: 0-639}], budget: {epochs: 1}}}
    mw-reading: {train: {tasks: [{name: mw-reading, rows: 0-1599}], budget: {epochs: 1}}}
    mw-sentences: {train: [], pooling: {mode: mean}}
perturb: ["keyboard:0.3", "codemix(embed=qlo):0.5"]
"""


def study_of(*overrides: str) -> Study:
    return parse_study(STUDY, list(overrides))


def go(study: Study, folder: Path, workers: int = 1) -> Finished:
    store = Store(folder / "store")
    return run_study(study, out=folder / "run", store=store, reporter=Silent(), workers=workers)


def hashes(run: Path) -> dict[str, str]:
    files = sorted(p for p in (run / "predictions").rglob("*") if p.is_file())
    return {str(p.relative_to(run)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("microworld")
    finished = go(study_of(), folder)
    assert finished.outcome.complete, finished.outcome.failed
    return folder


@pytest.mark.slow
def test_what_was_learned_in_english_transfers_and_perturbations_cost(first: Path) -> None:
    lines = pl.read_parquet(first / "run" / "summary.parquet").filter(route="none", target="mw-pos")
    clean = {row["scope"]: row for row in lines.filter(perturbation="clean").to_dicts()}
    assert clean["english"]["low"] > 70
    assert 30 < clean["others"]["low"] < clean["others"]["high"] < clean["english"]["low"]
    noisy = lines.filter(perturbation="keyboard", scope="others").to_dicts()[0]
    assert noisy["drop_low"] > 0


@pytest.mark.slow
def test_comparing_texts_is_learned_in_english_and_transfers(first: Path) -> None:
    lines = pl.read_parquet(first / "run" / "summary.parquet").filter(route="none", target="mw-reading")
    clean = {row["scope"]: row for row in lines.filter(perturbation="clean").to_dicts()}
    assert clean["english"]["low"] > 45
    assert clean["others"]["low"] > 40
    assert clean["others"]["chance"] < 38


@pytest.mark.slow
def test_retrieval_of_translations_is_far_above_chance(first: Path) -> None:
    lines = pl.read_parquet(first / "run" / "summary.parquet").filter(target="mw-sentences", perturbation="clean")
    untuned = lines.filter(route="none", scope="others").to_dicts()[0]
    assert untuned["chance"] == pytest.approx(1.0)
    assert untuned["low"] > 10


@pytest.mark.slow
def test_code_mixing_uses_the_microworlds_own_lexicons(first: Path) -> None:
    rewrites = first / "run" / "rewrites" / "mw-pos" / "qth-Thai"
    found = [p for p in rewrites.iterdir() if "codemix" in p.name]
    assert len(found) == 1
    assert len(pl.read_parquet(found[0])) > 50


@pytest.mark.slow
def test_again_it_computes_nothing_and_two_workers_give_the_same_bytes(first: Path, tmp_path: Path) -> None:
    assert go(study_of(), first).outcome.done == []
    # A part of it, in two processes with a store of their own: training beside a cell that needs none.
    part = study_of("routes={none: []}")
    assert part.targets.tasks is not None
    assert part.targets.tasks.pop("mw-reading").train
    assert go(part, tmp_path, workers=2).outcome.complete
    again = hashes(tmp_path / "run")
    assert len(again) > 10
    assert again.items() <= hashes(first / "run").items()


def test_the_shipped_encoder_is_small_and_says_what_it_is() -> None:
    folder = SHIPPED["microworld"]
    assert sum(p.stat().st_size for p in folder.iterdir()) < 3 * 2**20
    assert {p.suffix for p in folder.iterdir()} <= {".json", ".safetensors", ".md", ".txt"}
    assert describe_encoder("microworld").startswith("microworld: 4 layers of 96")
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "crosswind pretrain" in card


def test_the_demo_compares_four_routes_on_six_kinds_of_task() -> None:
    study = demo.demo_study()
    assert list(study.routes) == ["none", "english", "multilingual", "english+mlm"]
    assert len({str(p.budget) for phases in study.routes.values() for p in phases}) == 1
    assert study.targets.tasks is not None
    assert len(study.targets.tasks) == 6
    assert len(study.seeds) == 2
    assert study.targets.limit is not None
    assert study.targets.limit >= 100


@pytest.mark.slow
def test_the_demo_ends_with_its_table_its_answer_and_its_report(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo's command on the fast study, whose steps are in the store: what it prints and where."""
    monkeypatch.setattr(demo, "demo_study", lambda from_scratch=False: study_of())
    arguments = [
        "demo",
        "--out",
        str(tmp_path / "run"),
        "--store",
        str(first / "store"),
        "--quiet",
        "--workers",
        "1",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "mw-pos test (" not in result.stdout  # the long table is for --verbose
    table = result.stdout[result.stdout.index("route") :].splitlines()
    assert table[0].split() == ["route", "clean", "perturbed", "drop", "changed"]
    assert len(result.stdout.splitlines()) < 40
    assert "Under perturbation zero-shot transfer loses" in " ".join(result.stdout.split())
    assert f"report: {tmp_path / 'run'}/report.html" in result.stderr


@pytest.mark.parametrize(
    ("override", "where", "hint"),
    [
        ("targets.languages=[en, qla]", "targets.languages", "qla-Latn"),
        ("targets.tasks.mw-nil={}", "targets.tasks.mw-nil", "mw-nli"),
        ("seeds=[1.5]", "seeds[0]", "1.5"),
        ("data.seed=x", "data.seed", "x"),
        ("data.lines=0", "data.lines", "0"),
        ("targets.limit=0", "targets.limit", "0"),
        ("data.root=DIR", "data", "generated"),
        ("targets.tasks.xnli={}", "data.source", "mw-nli"),
        (
            "targets.tasks.mw-nli={train: [{tasks: mw-nli}, {tasks: mw-nli, training: {classifier_pooling: max}}]}",
            "targets.tasks.mw-nli.train[1].training.classifier_pooling",
            "set it once",
        ),
    ],
)
def test_mistakes_are_told_in_one_message(tmp_path: Path, override: str, where: str, hint: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY, encoding="utf-8")
    store = ["--store", str(tmp_path / "store"), "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(app, ["run", str(path), "--dry-run", "--set", override, *store])
    assert result.exit_code != 0
    assert where in str(result.exception)
    assert hint in str(result.exception)
    assert not (tmp_path / "run").exists()
