"""Run folders read back: joined, reported, planned from and compared."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.analysis.contrasted import CONTRASTS
from crosswind.analysis.estimate import NONE_DIFFERS, Components
from crosswind.analysis.left_out import LeftOut, left_out_table
from crosswind.analysis.planner import SEEDS, plan_contrast
from crosswind.analysis.results import ResultRow, write_results
from crosswind.analysis.sample_sizes import DrawVariance, detectable, price_of_seeds
from crosswind.cli import app
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.report.content import ATTACK_CELL, CURVE_COLUMNS, CURVE_SUM_COLUMNS
from crosswind.run.folders import write_sealed
from crosswind.study.analysed import Analysed, read_analysed, write_analysed
from crosswind.study.changed import compare_runs
from crosswind.study.claimed import _measured_and_choosing, judge_runs, run_facts
from crosswind.study.curves import CURVE_SUMS
from crosswind.study.folder import kept_claims, sums_frame
from crosswind.study.joined import facts_of, join_read, join_runs, read_run
from crosswind.study.power import power_plan
from crosswind.study.reported import report_content, write_joined_report

N = 240
SIGNATURE = METRICS["accuracy"].signature(device="cpu")
RIGHT = {("none", "clean"): 150, ("none", "swap"): 120, ("english", "clean"): 170, ("english", "swap"): 150}


def write_run(out: Path, seeds: tuple[int, ...], *, more: int = 0, draws: int = 1, **identity: Any) -> Path:
    """A run folder of two routes, a language, clean and swapped; seed s is right on 6 (s - 2) items more."""
    conditions = [(key, draw) for key in RIGHT for draw in range(1, 1 + (draws if key[1] == "swap" else 1))]
    rows: list[ResultRow] = []
    cells: list[dict[str, Any]] = []
    sums: dict[str, list[tuple[str, pl.DataFrame]]] = {}
    clusters = [f"xnli/test/{i // 2}" for i in range(N)]
    for seed in seeds:
        for (route, perturbation), draw in conditions:
            right = RIGHT[route, perturbation]
            key = f"{out.name}-{route}-{seed}-{perturbation}-{draw}"
            rng = np.random.default_rng([seed, right, *([draw] if draw > 1 else [])])
            correct = (rng.permutation(N) < right + more + 6 * (seed - 2)).astype(float)
            columns = {"correct": correct, "n": np.ones(N), "guessed": np.full(N, 1 / 3)}
            sums.setdefault(f"sums/{route}/{seed}/xnli.parquet", []).append(
                (key, pl.DataFrame({"id": clusters, "cluster": clusters, **columns}))
            )
            noisy = {} if perturbation == "clean" else {"severity": 0.1, "draw": draw, "changed_items": 0.9}
            rows.append(
                ResultRow(
                    encoder="mini", route=route, pipeline_seed=seed, target="xnli", language="de", split="test",
                    metric="accuracy", key="accuracy", score=float(100 * correct.mean()), n=N, clusters=N // 2,
                    signature=SIGNATURE, cell=key, perturbation=perturbation, **noisy,
                )
            )  # fmt: skip
            cells.append({"cell": key, "route": route, "pipeline_seed": seed, "defence": "none", "target": "xnli"})
    write_results(rows, out / "results.parquet")
    for path, entries in sums.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        sums_frame(entries).write_parquet(out / path)
    pl.DataFrame(cells).with_columns(pl.lit("accuracy").alias("metric")).write_parquet(out / "cells.parquet")
    left_out_table([]).write_parquet(out / "left_out.parquet")
    models = [f"model of seed {seed}" for seed in seeds]
    steps = {"step": [*models, "p"], "kind": ["train"] * len(seeds) + ["predict"]}
    kinds = steps | {"cpu_seconds": [600.0 / len(seeds)] * len(seeds) + [60.0]}
    pl.DataFrame(kinds).write_parquet(out / "provenance.parquet")
    write_analysed(
        Analysed(("none", "english"), {"xnli": "accuracy"}, {"xnli": 100 / 3}, {"xnli": "en"}, (), (), Comparisons(),
                 RouteFacts({"none": {}, "english": {"tasks": "mnli"}})),
        out,
    )  # fmt: skip
    write_sealed(out / "run.json", {"name": "s", "encoder": "mini", "study": "abc"} | identity)
    (out / "study.yaml").write_text("name: s\n", encoding="utf-8")
    return out


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [write_run(tmp_path / f"seed{s}", (s,)) for s in (1, 2, 3)]


def test_runs_of_other_seeds_are_joined_to_what_one_run_of_all_seeds_gives(runs: list[Path], tmp_path: Path) -> None:
    whole = read_run(write_run(tmp_path / "whole", (1, 2, 3))).summary()
    joined = join_runs(runs)
    assert joined.seeds == (1, 2, 3)
    columns = ["name", "measure", "scope", "within", "estimate", "low", "high", "p_adjusted", "differs", "seeds"]
    assert joined.summary().compared().select(columns).equals(whole.compared().select(columns))
    drop = next(c for c in joined.summary().contrasts if (c.name, c.measure) == ("english − none", "drop"))
    assert (drop.estimate.score, drop.estimate.seeds) == (pytest.approx(-100 * 10 / N), (3, 3))
    assert drop.differs == "tasks: none | mnli" or drop.differs == "tasks: mnli | none"


def test_what_is_not_of_one_study_is_not_joined(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has pipeline seed 1 too"):
        join_runs([runs[0], runs[0]])
    with pytest.raises(UserError, match="is a run of another study"):
        join_runs([runs[0], write_run(tmp_path / "a", (7,), study="abd")])
    for run, margin in ((runs[0], 1), (tmp_path / "a", 2)):
        (run / "study.yaml").write_text(f"name: s\nseeds: [{margin}]\ncompare: {{margin: {margin}}}\nroutes: {{}}\n")
    with pytest.raises(UserError, match=r"is a run of another study than .* \(compare\)"):
        join_runs([runs[0], tmp_path / "a"])
    with pytest.raises(UserError, match=r"is a run of another encoder than .* \(large and mini\)"):
        join_runs([runs[0], write_run(tmp_path / "b", (7,), encoder="large")])
    other = write_run(tmp_path / "c", (7,))
    rows = pl.read_parquet(other / "results.parquet")
    rows.with_columns(pl.lit(METRICS["accuracy"].signature(device="cuda")).alias("signature")).write_parquet(
        other / "results.parquet"
    )
    with pytest.raises(UserError, match=r"cannot be compared: they differ in device \(cpu against cuda\)"):
        join_runs([runs[0], other])
    with pytest.raises(UserError, match="is no run folder"):
        join_runs([tmp_path / "nothing"])


def test_a_run_without_what_its_statistics_need_is_refused(runs: list[Path]) -> None:
    (runs[0] / "analysis.json").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="lacks what its statistics need"):
        read_run(runs[0])
    (runs[1] / "cells.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cannot be read"):
        read_run(runs[1])


def test_the_report_of_joined_runs_is_a_page(runs: list[Path], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", *map(str, runs), "-o", str(tmp_path / "page.html")])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<dt>Pipeline seeds</dt><dd>1, 2, 3</dd>" in page
    assert "Intervals over items and 3 pipeline seeds" in page
    assert "english − none: clean +8.3 [" in page
    # The value under each seed: seed s is right on 6 (s - 2) items more under both routes.
    assert "1: +8.3, 2: +8.3, 3: +8.3" in page
    assert "reviews pass" in page
    assert (tmp_path / "page-figures" / "forest.svg").is_file()
    assert not list((tmp_path / "page-figures").glob("*.tex"))
    done = CliRunner().invoke(app, ["report", *map(str, runs), "-o", str(tmp_path / "page.html"), "--latex"])
    assert done.exit_code == 0, done.output
    assert r"\toprule" in (tmp_path / "page-figures" / "contrasts.tex").read_text(encoding="utf-8")
    kept = (runs[0] / "results.parquet").read_bytes()
    with pytest.raises(UserError, match="is there, and no page"):
        write_joined_report(join_runs(runs), runs[0] / "results.parquet")
    assert (runs[0] / "results.parquet").read_bytes() == kept


def test_the_report_of_an_incomplete_run_says_what_is_there_and_what_is_missing(
    runs: list[Path], tmp_path: Path
) -> None:
    absent = LeftOut(cause="not computed", target="xnli", language="sw", split="test", reason="it failed", cells=3)
    left_out_table([absent]).write_parquet(runs[0] / "left_out.parquet")
    damaged = {"step": ["a"], "kind": ["train"], "label": ["x"], "hardware": ["{"], "wall_seconds": [1.0]}
    pl.DataFrame(damaged | {"cpu_seconds": [1.0]}).write_parquet(runs[0] / "provenance.parquet")
    (runs[0] / "study.yaml").write_bytes(b"\0 not what it was")
    (runs[0] / "examples.json").write_text('{"items": [{"id": 1}]}', encoding="utf-8")
    (runs[0] / "attacks.parquet").write_bytes(b"PAR1")
    done = CliRunner().invoke(app, ["report", str(runs[0]), "-o", str(tmp_path / "p.html"), "--quiet"])
    assert done.exit_code == 0, done.output
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert "The run is incomplete: 3 cells are missing" in page
    assert "3 of them were asked for and are not there: the run is incomplete." in page
    assert "it failed" in page
    assert "Under perturbation zero-shot transfer loses 12.5 [" in page
    assert "could not look: " in page  # a review that needs the study
    assert '<section id="examples"' not in page
    assert "attack curves: " in page


def attack_curves() -> pl.DataFrame:
    """A point of a curve."""
    texts = dict.fromkeys((c for c, kind in CURVE_COLUMNS.items() if kind == pl.String), "none")
    row = {**texts, "selection": "english", "control": False, "pipeline_seed": 1, "budget": 9, "n": 3, "at": 0}
    return pl.DataFrame([{**row, "score": 50.0}], schema=CURVE_COLUMNS)


def test_attack_curves_of_a_run_of_an_older_version_are_read(runs: list[Path]) -> None:
    new = attack_curves()
    new.write_parquet(runs[0] / "attacks.parquet")
    new.drop(*ATTACK_CELL).write_parquet(runs[1] / "attacks.parquet")
    run = join_runs(runs)
    content = report_content(run, run.summary())
    assert not [text for text in content.missing if "attack" in text]
    assert content.curves["selection"].to_list() == ["english", None]
    assert dict(content.curves.schema) == CURVE_COLUMNS


def test_sums_of_attack_curves_are_joined_and_damaged_ones_are_named(runs: list[Path]) -> None:
    row = {c: "none" for c, kind in CURVE_SUM_COLUMNS.items() if kind == pl.String}
    row |= {"control": False, "given": False, "pipeline_seed": 1, "budget": 9, "n": 2, "statistic": "accuracy"}
    row |= {"at": [0.0, 9.0], "clusters": ["a", "b"], "sums": [1.0, 1.0, 0.5] * 4}
    for seed, path in enumerate(runs[:2], 1):
        pl.DataFrame([{**row, "pipeline_seed": seed}], schema=CURVE_SUM_COLUMNS).write_parquet(path / CURVE_SUMS)
    run = join_runs(runs)
    content = report_content(run, run.summary())
    assert not [text for text in content.missing if "attack" in text]
    assert content.curve_sums["pipeline_seed"].to_list() == [1, 2]
    for damage, said in (
        ({"sums": [1.0] * 8}, "has no sums for every point and cluster"),
        ({"sums": [float("nan")] * 12}, "has no sums for every point and cluster"),
        ({"statistic": "accuracies"}, "has curves of accuracies"),
        ({"cell": None}, "values are missing in cell"),
    ):
        pl.DataFrame([{**row, **damage}], schema=CURVE_SUM_COLUMNS).write_parquet(runs[0] / CURVE_SUMS)
        damaged = report_content(run, run.summary())
        assert any(said in text for text in damaged.missing), damaged.missing
        assert damaged.curve_sums.is_empty()
    for path in runs[:2]:
        attack_curves().write_parquet(path / "attacks.parquet")
    (runs[0] / CURVE_SUMS).unlink()
    lacking = report_content(run, run.summary()).missing
    assert any(f"{runs[0]} kept no sums by cluster" in text for text in lacking), lacking


def test_a_plan_says_what_is_seen_now_and_what_more_seeds_would_show(runs: list[Path]) -> None:
    made = power_plan(runs[0], 2.0, runs[1:])
    assert {(f.contrast.name, f.contrast.measure) for f in made.forecasts} == {
        ("english − none", m) for m in ("clean", "perturbed", "drop")
    }
    for forecast in made.forecasts:
        parts = forecast.contrast.estimate.components
        assert parts is not None
        # What is there, planned for: the interval and the power of the run itself, corrected for three comparisons.
        assert forecast.now == pytest.approx(detectable(parts, 3, parts.clusters, 3))
        effects = [p.effect for p in forecast.grid if p.clusters == parts.clusters]
        assert len(effects) == len(SEEDS) if parts.seeds > 0 else 1
        assert effects == sorted(effects, reverse=True)
        if forecast.cheapest is not None:
            assert forecast.cheapest.effect <= 2.0 + 1e-6
            assert f"{forecast.cheapest.items['xnli']:,} items a language" in forecast.sentence
            cost = forecast.cheapest.training * 3 * 600 + forecast.cheapest.predicting * 3 * 60
            assert made.seconds(forecast) == pytest.approx(cost)
    done = CliRunner().invoke(app, ["plan", str(runs[0]), "--pilot", str(runs[1]), "--effect", "2"])
    assert done.exit_code == 0
    assert "english − none, clean: seen now " in done.output
    assert "note: Effects are seen with a power of 80 % at 5 %" in done.output


def test_a_plan_without_variance_between_seeds_is_refused(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has one pipeline seed, which says nothing of others"):
        power_plan(runs[0], 2.0)
    # Which is said before any statistics are read, though nothing was trained for one of the models.
    shutil.rmtree(runs[0] / "sums")
    write_analysed(replace(read_analysed(runs[0]), given=("seed1-none-1-clean-1", "seed1-none-1-swap-1")), runs[0])
    with pytest.raises(UserError, match="has one pipeline seed, which says nothing of others"):
        power_plan(runs[0], 2.0)
    rows = pl.read_parquet(runs[1] / "results.parquet")
    rows.filter(route="none").write_parquet(runs[1] / "results.parquet")
    with pytest.raises(UserError, match="compares no routes"):
        power_plan(runs[1], 2.0)
    with pytest.raises(UserError, match="an effect of 0 points"):
        power_plan(runs[0], 0.0)


def test_the_planned_effect_of_the_run_itself_is_its_own(runs: list[Path]) -> None:
    contrast = next(c for c in join_runs(runs).summary().contrasts if c.family == "primary")
    forecast = plan_contrast(contrast, 5.0)
    assert forecast is not None
    parts = contrast.estimate.components
    assert parts is not None
    # A plan does not know yet how wide the interval will be: with three seeds that costs up to a half more.
    assert 0.95 * parts.detectable() <= forecast.now <= 1.6 * parts.detectable()


def test_few_seeds_cost_what_the_specification_says() -> None:
    """t / 1.96 with 2 (S - 1) degrees of freedom: 2.2, 1.42, 1.18, 1.07 for 2, 3, 5 and 10 seeds."""
    assert [round(price_of_seeds(s), 2) for s in (2, 3, 5, 10)] == [2.2, 1.42, 1.18, 1.07]


def test_two_runs_are_compared_figure_by_figure_paired_by_item(runs: list[Path], tmp_path: Path) -> None:
    better = write_run(tmp_path / "better", (2,), more=40)
    change = compare_runs(runs[1], better)
    assert len(change.figures) == 4
    figure = next(f for f in change.figures if "english" in f.name and "clean" in f.name)
    assert (figure.first, figure.second) == (pytest.approx(100 * 170 / N), pytest.approx(100 * 210 / N))
    assert figure.change is not None
    assert figure.change.score == pytest.approx(100 * 40 / N)
    assert (figure.paired, figure.differs, figure.change.basis) == (True, True, "items")
    done = CliRunner().invoke(app, ["compare", str(runs[1]), str(better)])
    assert done.exit_code == 0, done.output
    assert "none     xnli    de        clean      accuracy  62.5   79.2    +16.7 [" in done.output
    assert "changed: 4 of 4 figures" in done.output
    same = compare_runs(runs[1], runs[1])
    assert all(f.change is not None and f.change.score == 0 and not f.differs for f in same.figures)
    assert all(f.change is not None and f.change.note == NONE_DIFFERS for f in same.figures)


def test_two_runs_without_a_common_figure_are_told_in_which_columns_they_differ(
    runs: list[Path], tmp_path: Path
) -> None:
    other = write_run(tmp_path / "other", (2,))
    rows = pl.read_parquet(other / "results.parquet")
    rows.with_columns(pl.lit("60 by clusters").alias("rows")).write_parquet(other / "results.parquet")
    with pytest.raises(UserError, match="have no figure in common: rows 'all' against '60 by clusters'"):
        compare_runs(runs[1], other)
    only = (pl.col("route") == "none") == (pl.col("perturbation") == "clean")
    rows.filter(only).write_parquet(other / "results.parquet")
    mine = tmp_path / "mine"
    write_run(mine, (2,))
    pl.read_parquet(mine / "results.parquet").filter(~only).write_parquet(mine / "results.parquet")
    with pytest.raises(UserError, match="alone the other has too, never together"):
        compare_runs(mine, other)


def test_figures_of_other_settings_are_named_and_not_compared(runs: list[Path], tmp_path: Path) -> None:
    other = write_run(tmp_path / "other", (2,), study="another")
    rows = pl.read_parquet(other / "results.parquet")
    cuda = METRICS["accuracy"].signature(device="cuda")
    rows.with_columns(pl.lit(cuda).alias("signature")).write_parquet(other / "results.parquet")
    change = compare_runs(runs[1], other)
    assert {f.why for f in change.figures} == {"other settings (device: cpu | cuda)"}
    assert all(f.change is None for f in change.figures)
    assert "the studies differ: 'abc' and 'another'" in change.notes


def test_what_was_fitted_to_each_model_does_not_keep_two_runs_apart(runs: list[Path], tmp_path: Path) -> None:
    """BUCC signs its threshold, of which every training has its own."""
    other = write_run(tmp_path / "fitted", (2,), more=40)
    rows = pl.read_parquet(other / "results.parquet")
    fitted = rows["signature"] + "|fitted threshold=1.0625"
    rows.with_columns(fitted.alias("signature")).write_parquet(other / "results.parquet")
    assert {f.why for f in compare_runs(runs[1], other).figures} == {""}


@pytest.mark.parametrize(
    ("declare", "expected"),
    [({}, None), ({"declared before": {"margin": 1.0}}, "What is compared was declared anew")],
)
def test_comparisons_that_were_declared_late_are_noted_in_the_report(
    runs: list[Path], tmp_path: Path, declare: dict[str, Any], expected: str | None
) -> None:
    write_sealed(
        runs[0] / "run.json",
        {"name": "s", "encoder": "mini", "study": "abc", "compare": {"pairs": [], **declare}},
    )
    done = CliRunner().invoke(app, ["report", str(runs[0]), "-o", str(tmp_path / "p.html"), "--quiet"])
    assert done.exit_code == 0, done.output
    assert ((expected or "declared anew") in (tmp_path / "p.html").read_text(encoding="utf-8")) == bool(expected)


def test_what_draws_add_is_measured_by_each_draw_alone() -> None:
    """Items that vary by 4 and draws by 9 (in variance): 2 draws give 4 + 4.5, one 13; five would give 4 + 1.8."""

    def parts(items: float) -> Components:
        return Components(items, 0.0, 0.0, 99.0, 1.0, 1, 100)

    of_draws = DrawVariance.measured(parts(8.5), [parts(12.0), parts(14.0)])
    assert (of_draws.draws, of_draws.items, of_draws.interaction) == (2, pytest.approx(9.0), 0.0)
    now, five = detectable(parts(8.5), 1, 100), detectable(parts(8.5), 1, 100, 1, of_draws, 5)
    assert five == pytest.approx(detectable(parts(5.8), 1, 100))
    assert five < now == pytest.approx(detectable(parts(8.5), 1, 100, 1, of_draws, 2))
    assert DrawVariance.measured(parts(8.5), [parts(8.5)]) == DrawVariance(1)


def test_a_plan_counts_draws_where_the_run_has_several(tmp_path: Path) -> None:
    out = write_run(tmp_path / "drawn", (1, 2, 3), draws=2)
    made = power_plan(out, 1.0)
    by_measure = {f.contrast.measure: f for f in made.forecasts}
    assert {p.draws for p in by_measure["clean"].grid} == {2}  # no noise, no draws
    drop = by_measure["drop"]
    assert {p.draws for p in drop.grid} == {1, 2, 3, 5, 10}
    assert drop.more_draws is not None
    assert drop.more_draws < drop.now
    one, ten = (next(p for p in drop.grid if (p.draws, p.seeds) == (d, 3)) for d in (1, 10))
    assert one.effect > drop.now > ten.effect
    # Of three cells (clean, two draws) the two perturbed ones become one, or ten.
    assert (one.predicting, ten.predicting) == (pytest.approx(2 / 3), pytest.approx(11 / 3))
    assert any("Draws count by what the 2 of this run differ in" in note for note in made.notes)
    study = tmp_path / "study.yaml"
    study.write_text(
        "name: s\nencoder: mini\nseeds: [1, 2, 3, 4, 5]\ndraws: 5\nroutes: {none: []}\n"
        "targets: {limit: 240, tasks: {xnli: {}}}\n"
    )
    asked = power_plan(study, 1.0, [out])
    assumed = "The study's languages, perturbations and training are taken to be those of the run."
    assert (assumed in asked.notes, assumed in made.notes) == (True, False)
    of_study = next(f for f in asked.forecasts if f.contrast.measure == "drop")
    expected = next(p.effect for p in of_study.grid if (p.draws, p.seeds) == (5, 5))
    assert asked.shows(of_study) == pytest.approx(expected)
    assert "the study's 5 seeds would show" in asked.lines()[0]
    assert asked.lines()[-1].startswith(("all of them: ", "no study of these sizes"))
    # Without a limit the study has all 5,010 items of XNLI.
    study.write_text(study.read_text().replace("limit: 240, ", ""))
    whole = power_plan(study, 1.0, [out])
    shown = whole.shows(next(f for f in whole.forecasts if f.contrast.measure == "drop"))
    assert shown is not None
    assert shown < 0.5 * expected


def test_claims_of_several_encoders_are_judged_one_by_one_and_together(runs: list[Path], tmp_path: Path) -> None:
    large = write_run(tmp_path / "large", (1, 2, 3), encoder="large", parameters=560_000_000)
    same = write_run(tmp_path / "same", (1, 2, 3), encoder="copy", parameters=560_000_000)
    check = "checks: [{measure: perturbed, route: english, against: none, expect: helps}]"
    claims = tmp_path / "claims.yaml"
    claims.write_text(
        f"name: mine\nclaims:\n- {{id: a, statement: it helps, source: t, {check}}}\n"
        f"- {{id: b, statement: it always helps, source: t, general: true, {check}}}\n"
        f"- {{id: c, statement: so on dev, source: t, general: true, scope: {{split: dev}}, {check}}}\n"
    )
    mini, big, both = judge_runs([*runs, large], str(claims))
    assert [j.verdict for j in mini.judged] == ["supported", "not tested", "not tested"]
    assert (mini.judged[1].analogue, "two sizes" in mini.judged[1].outside) == ("supported", True)
    assert big.statement(big.judged[0]) == "with large (560.0 M parameters): it helps"
    assert [j.verdict for j in both.judged] == ["supported", "supported", "not tested"]  # the runs are of the test set
    assert both.to_json()[1]["status"] == "VERIFIED"
    assert both.judged[1].findings[0].text == "mini: supported; large (560.0 M parameters): supported"
    *_, alike = judge_runs([large, same], str(claims))
    assert {j.verdict for j in alike.judged} == {"not tested"}
    assert both.encoder_words == "all of mini, large (560.0 M parameters)"


def test_a_language_that_a_route_lacks_is_in_no_average_of_a_claim(runs: list[Path]) -> None:
    run = read_run(runs[0])
    assert run_facts(run).languages == {"xnli": ("de",)}
    more = [run.rows.with_columns(language=pl.lit(x), cell=pl.col("cell") + x) for x in ("fr", "sw")]
    lacking = more[1].filter((pl.col("route") == "none") | (pl.col("perturbation") != "clean"))
    assert run_facts(replace(run, rows=pl.concat([run.rows, more[0], lacking]))).languages == {"xnli": ("de", "fr")}


CHOSEN = "checks: [{measure: everywhere, against: none, chosen: on dev, size: 8.3, tolerance: 9}]"


def test_a_route_is_chosen_on_the_development_scores_of_a_run_beside(runs: list[Path], tmp_path: Path) -> None:
    file = tmp_path / "chosen.yaml"
    file.write_text(f"name: mine\nclaims:\n- {{id: a, statement: s, source: t, scope: {{split: test}}, {CHOSEN}}}\n")
    alone = judge_runs(runs, str(file))[0].judged[0]
    assert alone.verdict == "not tested"
    assert alone.findings[0].text == (
        "the run has no scores on development data to choose on: run its study into another folder with "
        "--set targets.tasks.xnli.split=dev, and name that folder beside the run's"
    )
    dev = write_run(tmp_path / "dev", (1, 2), study="with another split")
    rows = pl.read_parquet(dev / "results.parquet").with_columns(split=pl.lit("dev"))
    rows.write_parquet(dev / "results.parquet")
    report = judge_runs([*runs, dev], str(file))[0]
    assert report.judged[0].verdict == "supported"  # english is best on dev, and gains 8.3 on test
    assert report.judged[0].findings[0].text.startswith("+8.3 [")
    assert dev in report.runs
    better = pl.when(pl.col("route") == "none").then(99.0).otherwise(pl.col("score"))
    rows.with_columns(score=better).write_parquet(dev / "results.parquet")
    assert judge_runs([*runs, dev], str(file))[0].judged[0].findings[0].text.startswith("+0.0 [")
    assert judge_runs([dev], str(file))[0].judged[0].outside == "the run evaluates dev, the claim is about test"
    beside = [rows, rows.with_columns(target=pl.lit("tatoeba"), split=pl.lit("test"), cell=pl.col("cell") + "-t")]
    *others, choosing = (read_run(path) for path in (*runs, dev))
    measured = [replace(r, rows=pl.concat([r.rows, beside[1].head(2)])) for r in others]
    mixed = replace(choosing, rows=pl.concat(beside))  # of a study whose other target has no development set
    assert _measured_and_choosing([*measured, mixed]) == (measured, [mixed])
    unlike = replace(mixed, rows=pl.concat([beside[0], beside[1].with_columns(split=pl.lit("test2"))]))
    assert _measured_and_choosing([*measured, unlike]) == ([*measured, unlike], [])
    incomplete = write_run(tmp_path / "incomplete", (4,))  # the cells that are there are of dev
    some = pl.read_parquet(incomplete / "results.parquet").head(1).with_columns(split=pl.lit("dev"))
    some.write_parquet(incomplete / "results.parquet")
    assert judge_runs([*runs, incomplete], str(file))[0].runs == (*runs, incomplete)
    assert judge_runs([*runs, incomplete], str(file))[0].judged[0].verdict == "not tested"  # nothing to choose on
    with pytest.raises(UserError, match="has pipeline seeds that no other run has: 2"):
        judge_runs([runs[0], dev], str(file))
    steps = pl.read_parquet(dev / "provenance.parquet")
    other = pl.when(kind="train").then(pl.col("step") + ", at another rate").otherwise("step").alias("step")
    steps.with_columns(other).write_parquet(dev / "provenance.parquet")
    with pytest.raises(UserError, match="has models that are trained otherwise"):
        judge_runs([*runs, dev], str(file))
    steps.write_parquet(dev / "provenance.parquet")
    analysed = dev / "analysis.json"
    analysed.write_text(analysed.read_text().replace("mnli", "squad"))
    with pytest.raises(UserError, match="has models that are trained otherwise"):
        judge_runs([*runs, dev], str(file))


@pytest.mark.parametrize(
    ("scope", "check", "error"),
    [
        ("{targets: [xnil]}", "route: english", "unknown target 'xnil'\n  did you mean 'xnli'"),
        ("{targets: [pawsx]}", "route: english", None),  # known, and outside this run
        ("{split: tset}", "route: english", "unknown split 'tset'"),
        ("{selection: englsh}", "route: english", "unknown selection 'englsh'"),
        ("{}", "route: {tasks: [mnil]}", "unknown task 'mnil'"),
        ("{}", "route: {tasks: [squad], languages: [en]}", None),
        ("{}", "route: english, target: xnil", "unknown target 'xnil'"),
        ("{}", "route: english, perturbation: keybord", "unknown perturbation 'keybord'"),
        ("{}", "route: english, perturbation: keyboard", None),
        ("{}", "route: englsh", "unknown route 'englsh'\n  did you mean 'english'"),
        ("{}", "route: multilingual", None),  # a usual route, which this run lacks
    ],
)
def test_a_name_that_nobody_knows_is_an_error_and_one_outside_the_run_is_not_tested(
    runs: list[Path], tmp_path: Path, scope: str, check: str, error: str | None
) -> None:
    claims = tmp_path / "claims.yaml"
    checks = f"checks: [{{measure: perturbed, {check}, against: none, expect: helps}}]"
    claims.write_text(f"name: mine\nclaims:\n- {{id: a1, statement: s, source: t, scope: {scope}, {checks}}}\n")
    done = CliRunner().invoke(app, ["claims", str(runs[0]), str(claims)])
    if error is None:
        assert done.exit_code == 0, done.output
        assert "not tested" in done.output
    else:  # which the program's own entry turns into exit code 2
        assert isinstance(done.exception, UserError)
        assert str(done.exception).startswith(f"{claims}:3: a1: {error}")


def test_the_claims_that_a_study_names_are_judged_and_their_typing_errors_refused(
    runs: list[Path], tmp_path: Path
) -> None:
    claims = tmp_path / "mine.yaml"
    (runs[0] / "study.yaml").write_text(f"name: s\nclaims: [{claims}]\n", encoding="utf-8")
    text = (
        'name: mine\nclaims:\n- id: a1\n  statement: "it \\e[31mhelps\\u202E"\n  source: t\n'
        "  checks: [{measure: drop, route: ROUTE, against: none, expect: more robust}]\n"
    )
    claims.write_text(text.replace("ROUTE", "englsh"))
    done = CliRunner().invoke(app, ["report", str(runs[0]), "-o", str(tmp_path / "page.html")])
    assert isinstance(done.exception, UserError)
    assert str(done.exception) == f"{claims}:6: a1: unknown route 'englsh'\n  did you mean 'english'?"
    assert not (tmp_path / "page.html").exists()
    claims.write_text(text.replace("ROUTE", "english"))
    (file,) = report_content(read_run(runs[0]), read_run(runs[0]).summary()).claims
    assert (file.name, file.statements["a1"][:14]) == ("mine", "with mini: it ")
    judged = CliRunner().invoke(app, ["claims", str(runs[0])])
    # What a terminal would obey is written out.
    assert judged.exit_code == 0, judged.output
    assert "it ⟨U+001B⟩[31mhelps⟨U+202E⟩" in judged.output
    assert "claims about effects: 1 not tested\n" in judged.output
    assert not {"\x1b", "\u202e"} & set(judged.output)
    kept_claims(runs[0], 0, "mine.yaml").parent.mkdir()
    claims.rename(kept_claims(runs[0], 0, "mine.yaml"))  # the run's copy serves where the file itself is gone
    assert [file.name for file in report_content(read_run(runs[0]), read_run(runs[0]).summary()).claims] == ["mine"]
    kept_claims(runs[0], 0, "mine.yaml").unlink()  # the page says so, and is written
    assert "claims " in report_content(read_run(runs[0]), read_run(runs[0]).summary()).missing[0]


def test_the_table_of_all_comparisons_lies_beside_a_page_that_is_of_no_single_run(
    runs: list[Path], tmp_path: Path
) -> None:
    joined = join_runs(runs)
    summary = write_joined_report(joined, tmp_path / "all.html")
    table = pl.read_parquet(tmp_path / "all-figures" / "contrasts.parquet")
    assert table.equals(summary.compared())
    assert table.columns == [*CONTRASTS]
    assert len(table) == len(summary.contrasts) > 10
    assert "the study file and all-figures/contrasts.parquet with them" in (tmp_path / "all.html").read_text()
    # In the folder of its only run the page names that run's table, while that is what the page shows.
    one = read_run(runs[0])
    of_run = one.summary().compared()
    of_run.write_parquet(runs[0] / "contrasts.parquet")
    write_joined_report(one, runs[0] / "report.html")
    assert not (runs[0] / "figures" / "contrasts.parquet").exists()
    assert "the study file and contrasts.parquet with them" in (runs[0] / "report.html").read_text()
    of_run.head(1).write_parquet(runs[0] / "contrasts.parquet")
    write_joined_report(one, runs[0] / "report.html")
    assert pl.read_parquet(runs[0] / "figures" / "contrasts.parquet").equals(of_run)


def test_joined_runs_say_which_is_incomplete_and_keep_what_the_others_know(runs: list[Path]) -> None:
    absent = LeftOut(cause="not computed", target="xnli", language="de", split="test", reason="it failed", cells=2)
    left_out_table([absent]).write_parquet(runs[0] / "left_out.parquet")
    rows = pl.read_parquet(runs[0] / "results.parquet")
    rows.filter(pl.col("route") == "none").write_parquet(runs[0] / "results.parquet")  # its other route failed
    kept = read_run(runs[0])
    lacking = replace(kept, analysed=replace(kept.analysed, headline={}, chance={}, sources={}))
    joined = join_read([lacking, *map(read_run, runs[1:])])
    assert (joined.missing, joined.incomplete) == (2, ((runs[0], 2),))
    assert facts_of(joined)["Cells"].endswith(f"(2 of {runs[0]} are missing)")
    assert joined.analysed.chance == {"xnli": 100 / 3}
    assert joined.analysed.headline == {"xnli": "accuracy"}
    made = {(c.name, c.measure): c for c in joined.summary(primary_only=True).contrasts}
    assert made["english − none", "clean"].estimate.seeds == (2, 3)


def test_a_model_chosen_otherwise_is_in_no_comparison_of_joined_runs(runs: list[Path]) -> None:
    whole = join_runs(runs).summary(primary_only=True).contrasts
    for run in runs:
        rows = pl.read_parquet(run / "results.parquet")
        apart = rows.filter(pl.col("perturbation") == "clean").with_columns(selection=pl.lit("averaged"))
        write_results(pl.concat([rows, apart]), run / "results.parquet")
    assert [c.estimate for c in join_runs(runs).summary(primary_only=True).contrasts] == [c.estimate for c in whole]


def test_development_scores_are_those_of_the_headline_metric(runs: list[Path]) -> None:
    """Of PAN-X three metrics give an F1; the first one of the target is its headline."""
    run = read_run(runs[0])
    clean = run.rows.filter((pl.col("perturbation") == "clean") & (pl.col("route") == "none"))
    one = clean.head(1).with_columns(target=pl.lit("panx"), split=pl.lit("dev"), key=pl.lit("f1"))
    names = ("seqeval-f1", "seqeval-f1-strict")
    rows = [one.with_columns(metric=pl.lit(n), score=pl.lit(60.0 + 10 * i)) for i, n in enumerate(names)]
    rows.append(one.with_columns(metric=pl.lit(names[0]), key=pl.lit("precision"), score=pl.lit(90.0)))
    analysed = replace(run.analysed, headline={"panx": "seqeval-f1"})
    assert not run_facts(replace(run, rows=pl.concat(rows), analysed=analysed)).development  # they are what is measured
    rows.append(rows[0].with_columns(split=pl.lit("test")))
    assert run_facts(replace(run, rows=pl.concat(rows), analysed=analysed)).development == {("none", "panx"): 60.0}
