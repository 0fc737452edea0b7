"""Run folders that are damaged or incomplete: a sentence for `plan`, `claims`, `audit`, `compare`, `report`, never a
number that nobody can trust."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_joined import write_run
from typer.testing import CliRunner

from crosswind.cli import app
from crosswind.errors import UserError
from crosswind.report.content import ATTACKED_COLUMNS, CURVE_COLUMNS
from crosswind.report.page import render_page
from crosswind.study.audited import audit_runs
from crosswind.study.changed import compare_runs
from crosswind.study.claimed import judge_runs
from crosswind.study.folder import Tables
from crosswind.study.joined import join_runs, read_run
from crosswind.study.power import power_plan
from crosswind.study.reported import report_content

SUMS = "sums/english/2/xnli.parquet"


def rewritten(path: str, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        change(pl.read_parquet(run / path)).write_parquet(run / path)

    return apply


def cut(path: str, share: float = 0.5) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        whole = (run / path).read_bytes()
        (run / path).write_bytes(whole[: int(share * len(whole))])

    return apply


def json_set(*keys: str, value: Any) -> Callable[[Path], None]:
    def apply(run: Path) -> None:
        whole = json.loads((run / "analysis.json").read_text())
        node = whole
        for key in keys[:-1]:
            node = node[key]
        node[keys[-1]] = value
        (run / "analysis.json").write_text(json.dumps(whole))

    return apply


def first_sums(values: list[float]) -> Callable[[pl.DataFrame], pl.DataFrame]:
    def change(frame: pl.DataFrame) -> pl.DataFrame:
        return frame.with_columns(pl.Series("sums", [values, *frame["sums"].to_list()[1:]]))

    return change


NOT_A_NUMBER = pl.lit(float("nan"))
DAMAGE: dict[str, tuple[Callable[[Path], None], str]] = {
    "results cut": (cut("results.parquet"), "not a Parquet file"),
    "results empty": (cut("results.parquet", 0), "not a Parquet file"),
    "results without a column": (rewritten("results.parquet", lambda f: f.drop("cell")), "lack cell"),
    "results of another type": (
        rewritten("results.parquet", lambda f: f.with_columns(pl.col("draw").cast(pl.String))),
        "draw is String",
    ),
    "a score that is no number": (
        rewritten("results.parquet", lambda f: f.with_columns(NOT_A_NUMBER.alias("score"))),
        "score holds what is no number",
    ),
    "an infinite damage": (
        rewritten("results.parquet", lambda f: f.with_columns(pl.lit(float("inf")).alias("chrf"))),
        "chrf holds what is no number",
    ),
    "cells cut": (cut("cells.parquet"), "cannot be read"),
    "cells gone": (lambda run: (run / "cells.parquet").unlink(), "cannot be read"),
    "cells without a column": (rewritten("cells.parquet", lambda f: f.drop("metric")), "has no column metric"),
    "a cell gone": (rewritten("cells.parquet", lambda f: f.head(7)), "lacks 1 cells of the results"),
    "left out without a column": (rewritten("left_out.parquet", lambda f: f.drop("cells")), "has no column cells"),
    "sums cut": (cut(SUMS), "cannot be read"),
    "sums gone": (lambda run: (run / SUMS).unlink(), "cannot be read"),
    "sums of another type": (
        rewritten(SUMS, lambda f: f.with_columns(pl.col("cluster").str.len_chars())),
        "has no column cluster",
    ),
    "sums of a cell gone": (rewritten(SUMS, lambda f: f.filter(pl.col("cell") == f["cell"][0])), "lacks the sums"),
    "sums that are no numbers": (rewritten(SUMS, first_sums([float("nan"), 1.0, 0.0])), "sums that are no numbers"),
    "sums of another metric": (rewritten(SUMS, first_sums([1.0, 1.0])), "no 3 sums for every cluster"),
    "a cluster gone": (rewritten(SUMS, lambda f: f.slice(1)), "were scored on different items|other items than"),
    "analysis gone": (lambda run: (run / "analysis.json").unlink(), "lacks what its statistics need"),
    "analysis cut": (cut("analysis.json"), "lacks what its statistics need"),
    "analysis a list": (lambda run: _write(run, "[1]"), "lacks what its statistics need"),
    "routes a number": (json_set("routes", value=3), r"lacks what its statistics need \(routes"),
    "chance a text": (json_set("chance", "xnli", value="much"), r"statistics need \(chance\.xnli"),
    "chance no number": (json_set("chance", "xnli", value=float("nan")), "chance"),
    "chance beyond": (json_set("chance", "xnli", value=1e9), "chance level that is no number of points"),
    "measures unknown": (json_set("comparisons", "measures", value=["cleen"]), r"comparisons\.measures"),
    "factors a text": (json_set("facts", "factors", value={"english": "x"}), r"facts\.factors\.english"),
    "identity cut": (cut("run.json"), r"run\.json: is damaged"),
}


def _write(run: Path, text: str) -> None:
    (run / "analysis.json").write_text(text)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = write_run(tmp_path_factory.mktemp("whole") / "run", (1, 2))
    (run / "study.yaml").write_text("name: s\nencoder: mini\n")
    return run


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_is_refused_in_a_sentence_by_whoever_reads_it(name: str, whole: Path, tmp_path: Path) -> None:
    damage, what = DAMAGE[name]
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    damage(run)
    readers: list[Callable[[], object]] = [
        lambda: power_plan(run, 2.0),
        lambda: judge_runs([run], "crosswind-question"),
        lambda: audit_runs([run]),
        lambda: compare_runs(run, whole),
    ]
    for read in readers if name != "a cluster gone" else readers[:0]:
        with pytest.raises(UserError, match=what):
            read()


def test_a_cluster_that_is_gone_makes_no_comparison(whole: Path, tmp_path: Path) -> None:
    """Items of which one route lacks some are refused with the reason, or left uncompared with it."""
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    DAMAGE["a cluster gone"][0](run)
    with pytest.raises(UserError, match=DAMAGE["a cluster gone"][1]):
        read_run(run).summary()
    change = compare_runs(run, whole)
    assert [f.why for f in change.figures if f.change is None] == ["unequal items within a run"]


def test_the_commands_end_with_code_2_and_no_traceback(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    cut(SUMS)(run)
    for command in (["plan", str(run), "--effect", "2"], ["claims", str(run)], ["audit", str(run)],
                    ["compare", str(run), str(whole)]):  # fmt: skip
        done = CliRunner().invoke(app, command)
        assert isinstance(done.exception, UserError), command
        assert str(run / SUMS) in str(done.exception)


def test_damaged_costs_are_refused_and_missing_ones_are_nothing(whole: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "provenance.parquet").unlink()
    assert power_plan(run, 2.0).pilot.training == 0
    pl.DataFrame({"kind": ["train"], "cpu_seconds": ["ten"]}).write_parquet(run / "provenance.parquet")
    with pytest.raises(UserError, match="has no column cpu_seconds"):
        power_plan(run, 2.0)


def odd(column: str, value: object, kind: pl.DataType) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda f: f.with_columns(pl.lit(value, dtype=kind).alias(column))


@pytest.mark.parametrize(
    ("table", "change", "what"),
    [
        ("attacked.parquet", odd("untried", "many", pl.String()), "has no column untried as a run writes it"),
        ("attacked.parquet", odd("selection", 3, pl.Int64()), "has no column selection as a run writes it"),
        ("attacked.parquet", odd("n", None, pl.Int64()), "values are missing in n"),
        ("attacked.parquet", odd("budget", None, pl.Int64()), "values are missing in budget"),
        ("attacked.parquet", odd("after", float("nan"), pl.Float64()), "after holds what is no number"),
        ("attacks.parquet", odd("score", None, pl.Float64()), "values are missing in score"),
        ("attacks.parquet", odd("at", None, pl.Int64()), "values are missing in at"),
        ("attacks.parquet", odd("score", float("inf"), pl.Float64()), "score holds what is no number"),
        ("attacks.parquet", odd("protection", 1.0, pl.Float64()), "has no column protection as a run writes it"),
    ],
)
def test_a_damaged_table_of_attacks_is_left_out_of_the_page_with_the_reason(
    table: str, change: Callable[[pl.DataFrame], pl.DataFrame], what: str, whole: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    for name, columns in (("attacks.parquet", CURVE_COLUMNS), ("attacked.parquet", ATTACKED_COLUMNS)):
        usual = {c: {pl.String(): "none", pl.Boolean(): False, pl.Int64(): 2}.get(k, 50.0) for c, k in columns.items()}
        pl.DataFrame([usual], schema=columns).write_parquet(run / name)
    joined = join_runs([run])
    summary = joined.summary()
    sound = report_content(joined, summary)
    assert not [text for text in sound.missing if "attack" in text]
    assert (sound.curves.height, sound.attacked.height) == (1, 1)
    rewritten(table, change)(run)
    content = report_content(joined, summary)
    (missing,) = [text for text in content.missing if "attack" in text]
    assert f"{run / table}: {what}" in missing
    render_page(content)


def test_an_incomplete_run_reports_what_is_there_and_says_what_is_missing(whole: Path, tmp_path: Path) -> None:
    """One perturbed cell of a route was not computed: no mean has it, the clean comparison stands, the audit fails."""
    run = write_run(tmp_path / "run", (1, 2, 3))
    rows, cells = (pl.read_parquet(run / name) for name in ("results.parquet", "cells.parquet"))
    lost = rows.filter(pl.col("route") == "english", pl.col("perturbation") == "swap", pl.col("pipeline_seed") == 3)
    rows.filter(pl.col("cell") != lost["cell"][0]).write_parquet(run / "results.parquet")
    cells.filter(pl.col("cell") != lost["cell"][0]).write_parquet(run / "cells.parquet")
    left_out = pl.read_parquet(run / "left_out.parquet")
    line = {"cause": "not computed", "target": "xnli", "language": "de", "split": "test", "perturbation": "swap"}
    line |= {"severity": 0.1, "protection": "none", "cells": 1, "changed_items": None, "reason": "it failed"}
    pl.concat([left_out, pl.DataFrame([line], schema=left_out.schema)]).write_parquet(run / "left_out.parquet")
    summary = join_runs([run]).summary()
    measures = {c.measure for c in summary.contrasts if c.kind == "difference"}
    assert measures == {"clean", "everywhere"}
    assert any("some routes or seeds lack some cells" in note for note in summary.notes)
    (run / "study.yaml").write_text("name: s\nencoder: mini\nroutes: {none: []}\ntargets: {tasks: {xnli: {}}}\n")
    seen = audit_runs([run]).seen["missing"]
    assert (seen.passed, seen.evidence) == (False, "1 cells were not computed: xnli in de")


def test_tables_that_are_not_those_of_the_run_are_refused_where_checksums_say_so(whole: Path, tmp_path: Path) -> None:
    """Scores that somebody edited, or that come from another run, are in order as tables; only checksums tell."""
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "logs").mkdir()
    tables = Tables(run)
    for path in run.rglob("*.parquet"):
        tables.note(path.relative_to(run).as_posix())
    tables.save()
    commands = [
        ["report", str(run), "-o", str(tmp_path / "page.html")],
        ["compare", str(run), str(whole)],
        ["compare", str(whole), str(run)],
        ["claims", str(run), "crosswind-question"],
        ["audit", str(run)],
        ["plan", str(run), "--effect", "2"],
        ["compare", str(run), "published"],
    ]
    assert CliRunner().invoke(app, commands[0]).exit_code == 0
    scores = rewritten("results.parquet", lambda f: f.with_columns(pl.lit(99.0).alias("score")))
    sums = rewritten(SUMS, first_sums([2.0, 1.0, 0.0]))
    for name, change, readers in (("results.parquet", scores, commands), (SUMS, sums, commands[:-1])):
        kept = (run / name).read_bytes()
        change(run)
        for command in readers:
            done = CliRunner().invoke(app, command)
            assert isinstance(done.exception, UserError), command
            assert f"{run / name}: is not the table that the run wrote" in str(done.exception)
            assert "nothing is computed anew" in str(done.exception)
        (run / name).write_bytes(kept)
    (run / "left_out.parquet").unlink()
    with pytest.raises(UserError, match=r"left_out\.parquet: is gone"):
        read_run(run)
    (run / "logs" / "tables.json").write_text("{")
    with pytest.raises(UserError, match=r"tables\.json: cannot be read"):
        read_run(run)
    shutil.rmtree(run / "logs")
    read_run(run)  # a folder kept without its logs has no checksums
