"""Perturbations whose severity is found by the damage wanted: planned, run, named alike in every language, replayed."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError
from crosswind.perturb.damage import damage_of
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.extent import Extent
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.tuning import SEVERITY_STEPS, DamageTarget, damage_named
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.study.planned import Plan
from crosswind.study.run import run_study
from crosswind.study.spec import Study, parse_study
from crosswind.tasks.refs import library

STUDY = """
name: equal-damage
encoder: {encoder}
data: {{source: files, root: {data}}}
draws: {draws}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes: {{none: []}}
targets: {{tasks: {{tatoeba: {{languages: [jv, sw], train: []}}}}}}
perturb: [{perturb}]
"""


def study_of(encoder: Path, data: Path, perturb: str, draws: int = 1) -> Study:
    return parse_study(STUDY.format(encoder=encoder, data=data, perturb=perturb, draws=draws))


def kinds(plan: Plan, kind: str) -> list[str]:
    return [key for key, step in plan.graph.items() if step.kind == kind]


def test_a_damage_is_part_of_the_name_and_the_severity_is_none() -> None:
    swap, joined = parse_spec("swap:1"), parse_spec("swap:1+delete:1")
    extent = Extent(("query",), (), damage=DamageTarget("chrf", 90))
    assert extent.condition(swap) == ("swap@chrf=90@query", 0.0)
    assert extent.condition(joined) == ("swap+delete@chrf=90@query", 0.0)
    assert Extent().condition(parse_spec("swap:0.5")) == ("swap", 0.5)
    assert Extent(damage=DamageTarget("words", 0.1)).suffix == "@words=0.1"
    assert damage_named("swap+delete@edits=2.5") == ("swap+delete", "edits", 2.5)
    assert damage_named("swap@hypothesis") is None
    negatives = Extent(damage=DamageTarget("chrf", 90)).refusal(
        parse_spec("hard-negatives:1"), TextScope("en", "query", ("query",)), "query"
    )
    assert negatives == "it adds candidates to a pool, so that no severity does chrf=90"


def test_each_test_set_and_draw_has_a_step_that_finds_its_severity(real_encoder: Path, small_data: Path) -> None:
    plan = make_plan(study_of(real_encoder, small_data, "{spec: swap, severity: {chrf: 90}}", draws=2))
    tuned = kinds(plan, "tune")
    assert len(tuned) == 4
    assert next(plan.graph[key].label for key in tuned).startswith("severity of swap@chrf=90 on tatoeba")
    for key in kinds(plan, "rewrite"):
        step = plan.graph[key]
        assert step.inputs["severity"] in tuned
        assert step.params["draw"] == plan.graph[step.inputs["severity"]].params["draw"]
    noisy = [c for c in plan.cells if not c.condition.clean]
    assert {(c.perturbation, c.severity, c.condition.label) for c in noisy} == {("swap@chrf=90", 0.0, "swap@chrf=90")}
    assert {c.data.language for c in noisy} == {"jv", "sw"}
    # The name of the results says the same; another damage, axis or severity is another step.
    again = make_plan(study_of(real_encoder, small_data, "'swap@chrf=90'", draws=2))
    assert kinds(again, "tune") == tuned
    for entry in ("{spec: swap, severity: {chrf: 91}}", "{spec: swap, severity: {edits: 90}}", "'swap:1'"):
        other = make_plan(study_of(real_encoder, small_data, entry, draws=2))
        assert not {*tuned, *kinds(plan, "rewrite")} & set(other.graph)


@pytest.mark.parametrize(
    ("entry", "message", "where"),
    [
        ("{spec: 'swap:0.5', severity: {chrf: 90}}", "has a severity, and severity finds it", "perturb[0].severity"),
        ("{spec: 'swap+delete:0.5', severity: {chrf: 90}}", "has a severity, and severity", "perturb[0].severity"),
        ("{spec: swap, severity: {chfr: 90}}", "unknown axis of damage 'chfr'", "perturb[0].severity"),
        ("{spec: swap, severity: {chrf: 100}}", "'chrf=100' is no change", "perturb[0].severity"),
        ("{spec: swap, severity: {chrf: 90, edits: 2}}", "at most 1 item", None),
        ("{suite: crosswind-c-1, severity: {chrf: 90}}", "a frozen suite is taken as it is", None),
    ],
)
def test_a_mistake_is_named_at_its_key(
    entry: str, message: str, where: str | None, real_encoder: Path, small_data: Path
) -> None:
    with pytest.raises(UserError, match=message.replace("(", r"\(")) as caught:
        make_plan(study_of(real_encoder, small_data, entry))
    assert where is None or caught.value.where == where


def test_the_command_line_takes_the_name_of_the_results(real_encoder: Path, small_data: Path) -> None:
    options = {"languages": ["en"], "data": small_data, "perturb": ["swap@edits=2"], "predictions": ()}
    (entry,) = evaluation(str(real_encoder), ["xnli"], **options).section("perturb")  # type: ignore[arg-type]
    assert (entry.spec, entry.severity) == ("swap", {"edits": 2.0})


@pytest.mark.slow
def test_languages_are_damaged_alike_and_what_cannot_be_reached_is_not_scored(
    tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    study = study_of(tiny_encoder, small_data, "{spec: swap, severity: {chrf: 85}}, {spec: swap, severity: {chrf: 3}}")
    store, out = Store(tmp_path / "store"), tmp_path / "run"
    finished = run_study(study, out=out, store=store, reporter=Silent())
    assert finished.outcome.complete, finished.outcome.failed
    rows = pl.read_parquet(out / "results.parquet").to_dicts()
    plan = make_plan(study)
    data = library(plan.graph.context["data"])
    for language in ("jv", "sw"):
        (noisy,) = (r for r in rows if (r["perturbation"], r["language"]) == ("swap@chrf=85", language))
        assert noisy["score"] is not None
        assert noisy["severity"] == 0
        (cell,) = (c for c in plan.cells if (c.perturbation, c.data.language) == ("swap@chrf=85", language))
        assert cell.rewrite is not None
        severity = store.manifest(cell.rewrite)["meta"]["severity"]
        # The lowest level that does it, by the same draw: one step less does not.
        clean = data.dataset(cell.data)
        levels = [severity - 1 / SEVERITY_STEPS, severity]
        below, at = (
            perturb_dataset(clean, parse_spec(f"swap:{level!r}"), draw=1, fields=("pool",)) for level in levels
        )
        assert damage_of(clean, below, ("pool",)).chrf > 85 >= damage_of(clean, at, ("pool",)).chrf
        assert noisy["chrf"] == damage_of(clean, at, ("pool",)).chrf == pytest.approx(85, abs=2)
        stored = pl.read_parquet(out / "rewrites" / "tatoeba" / language / "swap_chrf=85-0-none-draw1.parquet")
        assert stored.equals(at.table())
        assert any(
            note.startswith("swap@chrf=85 on ") and f"severity {severity:.4g}" in note for note in noisy["notes"]
        )
        (far,) = (r for r in rows if (r["perturbation"], r["language"]) == ("swap@chrf=3", language))
        assert far["score"] is None
        assert "severity 1 does not reach chrf=3, so the score is n/a" in far["notes"]
        assert any("out of reach, chrf is " in note for note in far["notes"])
    left = pl.read_parquet(out / "left_out.parquet").select("cause", "perturbation", "language", "reason").rows()
    assert sorted(left) == [
        ("not applicable", "swap@chrf=3", code, "severity 1 does not reach chrf=3") for code in ("jv", "sw")
    ]
    facts = [json.loads(text) for text in pl.read_parquet(out / "cells.parquet")["facts"]]
    assert sum(isinstance(f.get("severity"), float) for f in facts) == 2
    summary = pl.read_parquet(out / "summary.parquet")
    assert set(summary["perturbation"]) == {"clean", "swap@chrf=85"}
