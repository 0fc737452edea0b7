"""Exclusion lists: scores without some items, signed, beside those of all; and what is known of test sets."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from crosswind.analysis.results import ResultRow, table
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.report.excluded import excluded_rows
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.catalogue import CATALOGUE
from crosswind.study.evaluate import evaluation
from crosswind.study.excluded import read_exclusion
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import Study
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

LIMIT = 20


@pytest.fixture
def study(official_data: Callable[..., Path], tmp_path: Path) -> Study:
    """XCOPA in two languages: of each, the first half of the items right."""
    data = official_data("xcopa")
    rows = []
    for language in ("et", "th"):
        dataset = load(TASKS["xcopa"], language, "test", FilesSource(data), limit=LIMIT)
        for i, example in enumerate(dataset.examples):
            right = example.label  # type: ignore[union-attr]
            answer = right if i < LIMIT // 2 else 1 - (right or 0)
            row = {"id": example.id, "language": language, "condition": "clean"}
            rows.append({**row, "prediction": answer, "right": right})
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return evaluation("m", ["xcopa"], data=data, limit=LIMIT, predictions=[path])


def excluding(study: Study, path: Path) -> Study:
    tasks = {name: t.model_copy(update={"exclude": path}) for name, t in (study.targets.tasks or {}).items() if t}
    return study.model_copy(update={"targets": study.targets.model_copy(update={"tasks": tasks})})


def go(study: Study, folder: Path) -> Finished:
    return run_study(study, out=folder / "run", store=Store(folder / "store"), reporter=Silent())


def test_scores_without_excluded_items_stand_beside_those_of_all(study: Study, tmp_path: Path) -> None:
    names = pl.read_ndjson(tmp_path / "p.jsonl").filter(pl.col("language") == "et")["id"].to_list()
    wrong = names[LIMIT // 2 :]
    path = tmp_path / "exclude.txt"
    lines = [wrong[0], wrong[1].rpartition("/")[2], f"{wrong[2]}\tet", f"{wrong[3]}\tet", "copa/test/9999"]
    path.write_text("# translations that are wrong\n\n" + "\n".join(lines) + "\n")
    assert go(study, tmp_path).outcome.complete
    assert not (tmp_path / "run" / "excluded.parquet").exists()
    finished = go(excluding(study, path), tmp_path)
    assert finished.outcome.complete, finished.outcome.failed
    assert not any("given" in key for key in finished.outcome.done)
    everything = pl.read_parquet(tmp_path / "run" / "results.parquet")
    without = pl.read_parquet(tmp_path / "run" / "excluded.parquet")
    assert {(r["language"], r["score"], r["n"], r["rows"]) for r in everything.to_dicts()} == {
        ("et", 50.0, 20, "20 by clusters"),
        ("th", 50.0, 20, "20 by clusters"),
    }
    scores = {r["language"]: (r["score"], r["n"], r["rows"]) for r in without.to_dicts()}
    assert scores["et"] == (pytest.approx(100 * 10 / 16), 16, "20 by clusters, 4 excluded")
    assert scores["th"] == (pytest.approx(100 * 10 / 18), 18, "20 by clusters, 2 excluded")
    assert all("|excluded=" in r["signature"] for r in without.to_dicts())
    assert not any("excluded" in s for s in everything["signature"])
    key = read_exclusion(path, ("et", "th"), "exclude").key
    assert f"|excluded=4 items, list {key[:12]}|" in without.filter(pl.col("language") == "et")["signature"][0]
    assert any("1 excluded ids are not among the items: copa/test/9999" in note for note in without["notes"][0])
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Without excluded items" in page
    assert "62.50" in page
    assert finished.summary is not None
    assert {line.estimate.score for line in finished.summary.lines} == {50.0}
    assert go(study, tmp_path).outcome.complete
    assert not (tmp_path / "run" / "excluded.parquet").exists()


def test_a_list_that_excludes_everything_or_nothing_is_refused(study: Study, tmp_path: Path) -> None:
    path = tmp_path / "exclude.txt"
    path.write_text("copa/test/9999\tet\n")
    finished = go(excluding(study, path), tmp_path)
    assert finished.outcome.mistaken
    assert [
        "no item of the exclusion list is evaluated here" in f.message for f in finished.outcome.failed.values()
    ] == [True]
    everything = pl.read_ndjson(tmp_path / "p.jsonl")["id"].unique().to_list()
    path.write_text("\n".join(everything) + "\n")
    finished = go(excluding(study, path), tmp_path)
    assert {"every item is excluded" in f.message for f in finished.outcome.failed.values()} == {True}
    for text, message in (
        ("a\nb\na\n", "'a' stands twice, first in line 1"),
        ("a\txx\n", "the task has no 'xx'"),
        ("# nothing\n", "no id in this exclusion list"),
    ):
        path.write_text(text)
        with pytest.raises(UserError, match=message):
            go(excluding(study, path), tmp_path)


def test_lists_are_named_by_what_they_hold(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt"
    first.write_text("b\nc\tde\na # why\n")
    second.write_text("# other comments\na\nb\nc\tde\n")
    one, other = (read_exclusion(path, ("de", "sw"), "exclude") for path in (first, second))
    assert one == other
    assert (one.in_language("de"), one.in_language("sw")) == (["a", "b", "c"], ["a", "b"])


def test_what_is_known_of_test_sets_stands_beside_them(study: Study, tmp_path: Path) -> None:
    rows = {row["name"]: row for row in CATALOGUE["tasks"]()}
    assert any("silver" in fault["what"] for fault in rows["panx"]["faults"])
    (translated,) = [fault for fault in rows["xnli"]["faults"] if "2402.02080" in fault["source"]]
    assert translated["languages"] == ["hi", "ur"]
    for name, row in rows.items():
        for fault in row["faults"]:
            assert fault["source"]
            assert {*fault["languages"]} <= {*TASKS[name].languages}
    official = ("xnli", "pawsx", "xcopa", "udpos", "panx", "xquad", "mlqa", "tydiqa", "tatoeba", "lareqa")
    assert all(any("2410.16186" in fault["source"] for fault in rows[name]["faults"]) for name in official)
    go(study, tmp_path)
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "xcopa (th): every item of dev and test asks for the effect" in page
    assert "(tr)" not in page


def test_thai_xcopa_asks_for_the_effect_alone(official_data: Callable[..., Path]) -> None:
    """What the task says of its files is so."""
    folder = official_data("xcopa") / "xcopa" / "data"

    def asked(language: str, split: str) -> set[str]:
        lines = (folder / language / f"{split}.{language}.jsonl").read_text(encoding="utf-8").splitlines()
        return {json.loads(line)["question"] for line in lines}

    assert (asked("th", "test"), asked("th", "val"), asked("tr", "val")) == ({"effect"}, {"effect"}, {"effect"})
    assert asked("tr", "test") == asked("et", "test") == {"cause", "effect"}


def test_defences_protections_and_chosen_layers_have_rows_of_their_own() -> None:
    """A mean over them would be a score that no model has."""
    row = ResultRow(
        encoder="x", route="none", pipeline_seed=1, target="xnli", language="de", split="test", metric="accuracy",
        key="accuracy", score=80.0, n=9, clusters=9, signature="metric=accuracy|version=1", cell="c",
    )  # fmt: skip
    rows = [
        row,
        replace(row, defence="freelb", score=60.0),
        replace(row, perturbation="swap", severity=0.1, draw=1, score=50.0),
        replace(row, perturbation="swap", severity=0.1, draw=1, protection="answers", score=40.0),
        replace(row, selection="dev layer", score=30.0),
    ]
    part = [replace(r, rows="all, 1 excluded", score=r.score + 1) for r in rows]
    shown = excluded_rows(table(rows), table(part), {"xnli": "accuracy"})
    assert {(r.route, r.condition, r.all_items, r.without) for r in shown} == {
        ("none", "clean, accuracy", "80.00", "81.00"),
        ("none · freelb", "clean, accuracy", "60.00", "61.00"),
        ("none", "swap:0.1, accuracy", "50.00", "51.00"),
        ("none", "swap:0.1, answers protected, accuracy", "40.00", "41.00"),
        ("none", "clean, layer chosen on dev, accuracy", "30.00", "31.00"),
    }
