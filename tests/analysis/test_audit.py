"""Every review with a run that passes it and one that fails it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from test_contrast import Study
from test_published import ROW

from crosswind.analysis.contrast import Comparisons, RouteFacts
from crosswind.analysis.left_out import LeftOut
from crosswind.analysis.results import table
from crosswind.analysis.summarise import summarise
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.report.content import ATTACKED_COLUMNS
from crosswind.study.about import read_audited, write_about
from crosswind.study.analysed import Analysed
from crosswind.study.audit import REVIEWS, Audit, AuditedRun, Shown, audit_of
from crosswind.study.joined import RunResults
from crosswind.study.kept import card_of, kept_for_audit
from crosswind.study.plan import make_plan
from crosswind.study.spec import parse_study

FACTORS = {
    "english": {"tasks": "mnli", "languages": "en", "labelled examples": "1,000", "phases": "1"},
    "multi": {"tasks": "mnli", "languages": "de en", "labelled examples": "1,000", "phases": "1"},
}
SEEN = {"english": {"en": "labelled"}, "multi": {"de": "labelled", "en": "labelled"}}
LOST = LeftOut(cause="not computed", target="xnli", language="de", split="test", reason="it failed", cells=2)


def made(seeds: tuple[int, ...] = (1, 2, 3), *, noise: str = "swap", **columns: Any) -> Study:
    study = Study()
    for seed in seeds:
        for route, clean in (("none", 240), ("english", 260), ("multi", 262)):
            study.add(route, "de", clean + seed, seed=seed, **columns)
            study.add(route, "de", clean - 20, seed=seed, perturbation=noise, severity=0.1, draw=1, **columns)
    return study


def audited(
    study: Study | None = None,
    *,
    factors: Mapping[str, Mapping[str, str]] = FACTORS,
    left_out: tuple[LeftOut, ...] = (),
    diagnostic: tuple[str, ...] = (),
    written: Mapping[str, Any] | None = None,
    comparisons: Comparisons | None = None,
    chance: Mapping[str, float] | None = None,
    kept: Mapping[str, Any] | None = None,
    path: Path = Path("run"),
) -> AuditedRun:
    study = study or made()
    routes = ("none", "english", "multi")
    facts, compared = RouteFacts(factors, SEEN), comparisons or Comparisons()
    analysed = Analysed(
        routes, {"xnli": "accuracy"}, dict(chance or {}), {"xnli": "en"}, diagnostic, (), compared, facts
    )
    rows = table(study.rows)
    run = RunResults((path,), "run", {}, rows, analysed, {}, {}, left_out)
    summary = summarise(
        rows, study.cells.__getitem__, routes=list(routes), facts=facts, comparisons=compared, chance=dict(chance or {})
    )
    noted = [] if kept is None else [kept]
    return AuditedRun(run, replace(summary, diagnostic=frozenset(diagnostic)), written or STUDY, noted)


STUDY = {
    "name": "s",
    "encoder": "FacebookAI/xlm-roberta-large",
    "routes": {"none": []},
    "targets": {"tasks": {"xnli": {}}},
    "data": {"source": "hub"},
}


def with_card(folder: Path, text: str) -> AuditedRun:
    folder.mkdir(exist_ok=True)
    (folder / "README.md").write_text(text)
    return audited(kept={"card": card_of(folder, ["xnli"])})


def attacked(
    folder: Path, *, edits: float = 0.2, control: bool = True, kept: Mapping[str, Any] | None = None
) -> AuditedRun:
    study = made()
    for row in [row for row in study.rows if row.perturbation == "clean"]:
        for name in ("textbugger@first", *(["textbugger.random@first"] if control else [])):
            study.rows.append(replace(row, attack=name, budget=50, signature=f"{row.signature}|protection=none"))
    folder.mkdir(exist_ok=True)
    row = {"attack": "textbugger@first", "target": "xnli", "edit_rate": edits, "chrf": 80.0}
    pl.DataFrame([row], schema=ATTACKED_COLUMNS).write_parquet(folder / "attacked.parquet")
    whole = audited(kept=kept, path=folder)
    return replace(whole, run=replace(whole.run, rows=table(study.rows)))


def changed(route: str, **facts: str) -> Mapping[str, Mapping[str, str]]:
    return {**FACTORS, route: {**FACTORS[route], **facts}}


CASES: dict[str, tuple[Callable[[Path], AuditedRun], Callable[[Path], AuditedRun]]] = {
    "seeds": (lambda p: audited(), lambda p: audited(made((1, 2)))),
    "effect": (
        lambda p: audited(comparisons=Comparisons(margin=50)),
        lambda p: audited(comparisons=Comparisons(margin=0.01)),
    ),
    "floors": (lambda p: audited(chance={"xnli": 10.0}), lambda p: audited(chance={"xnli": 64.0})),
    "overlap": (
        lambda p: audited(factors=changed("english", **{"seen of the targets": "xnli related"})),
        lambda p: audited(factors=changed("english", **{"seen of the targets": "xnli same-task"})),
    ),
    "budgets": (lambda p: audited(), lambda p: audited(factors=changed("multi", **{"labelled examples": "2,000"}))),
    "signatures": (lambda p: audited(), lambda p: unlike_signatures()),
    "baselines": (lambda p: on_all_of_xnli(80.0), lambda p: on_all_of_xnli(60.0)),
    "changed": (lambda p: audited(), lambda p: audited(left_out=(replace(LOST, cause="unchanged"),))),
    "preserving": (lambda p: audited(), lambda p: audited(diagnostic=("swap",))),
    "selection": (lambda p: audited(), lambda p: audited(made(split="dev"))),
    "attacks": (lambda p: attacked(p / "near"), lambda p: attacked(p / "far", edits=0.7)),
    "multiplicity": (lambda p: audited(), lambda p: uncorrected(audited())),
    "missing": (lambda p: audited(), lambda p: audited(left_out=(LOST,))),
    "one-factor": (
        lambda p: audited(),
        lambda p: audited(factors=changed("multi", tasks="squad")),
    ),
    "material": (
        lambda p: audited(made(noise="codemix(embed=ru)")),
        lambda p: audited(made(noise="codemix(embed=de)")),
    ),
    "contamination": (
        lambda p: with_card(p / "clean", "Trained on CC-100. Evaluated on nothing."),
        lambda p: with_card(p / "seen", "It was trained on the XNLI validation set."),
    ),
}


def unlike_signatures() -> AuditedRun:
    whole = audited()
    rows = made().rows
    rows[-1] = replace(rows[-1], signature=rows[-1].signature.replace("cpu", "cuda"))
    return replace(whole, run=replace(whole.run, rows=table(rows)))


def on_all_of_xnli(score: float) -> AuditedRun:
    """XLM-R Large, zero-shot, with one score in every language of XTREME's XNLI; the XTREME paper's mean is 79.2."""
    row = replace(ROW, encoder="FacebookAI/xlm-roberta-large", score=score)
    rows = [replace(row, language=language) for language in BENCHMARKS["xtreme"].tasks["xnli"].languages]
    whole = audited()
    return replace(whole, run=replace(whole.run, rows=table(rows)))


def uncorrected(run: AuditedRun) -> AuditedRun:
    contrasts = tuple(replace(c, adjusted=None) for c in run.summary.contrasts)
    return replace(run, summary=replace(run.summary, contrasts=contrasts))


@pytest.mark.parametrize("name", sorted(CASES))
def test_a_review_passes_one_run_and_fails_another(name: str, tmp_path: Path) -> None:
    passing, failing = CASES[name]
    seen = REVIEWS[name].look(passing(tmp_path))
    assert seen.passed is True, seen.evidence
    seen = REVIEWS[name].look(failing(tmp_path))
    assert seen.passed is False, seen.evidence
    assert len(seen.evidence) > 10


def test_published_figures_are_compared_only_where_they_can_be() -> None:
    seen = REVIEWS["baselines"].look(audited())
    assert seen.passed is None
    assert "no published figure" in seen.evidence


def test_every_review_is_tried() -> None:
    assert set(CASES) == set(REVIEWS.names())


def test_the_counts_and_the_score_are_of_the_list() -> None:
    whole = audit_of(audited())
    passed, failed, silent = whole.counts
    assert passed + failed + silent == len(REVIEWS.names())
    assert whole.to_json()["passed"] == passed
    assert Audit({"a": Shown(True, ""), "b": Shown(False, ""), "c": Shown(None, "")}).score == 5.0
    assert Audit({"c": Shown(None, "")}).score is None


def test_an_attack_or_another_layer_is_no_other_way_of_scoring_the_same_cell() -> None:
    """Attacked scores are signed with what had to stay, those of a chosen layer with that layer."""
    study = made()
    for row in list(study.rows):
        if row.perturbation == "clean":
            attacked = replace(row, attack="deepwordbug", budget=50, signature=f"{row.signature}|protection=none")
            study.rows += [attacked, replace(row, selection="dev layer", signature=f"{row.signature}|layer=8")]
    run = replace(audited().run, rows=table(study.rows))
    shown = audit_of(replace(audited(), run=run)).seen["signatures"]
    assert shown.passed, shown.evidence


def untuned(signatures: Mapping[str, str]) -> AuditedRun:
    """Retrieval without a target phase: of each route what it adds to the signature of its scores."""
    rows = [
        replace(row, selection="untuned", signature=row.signature + signatures[row.route]) for row in made((1,)).rows
    ]
    return replace(audited(), run=replace(audited().run, rows=table(rows)))


def test_what_a_model_that_nothing_was_trained_for_lacks_is_no_other_way_of_scoring() -> None:
    """Phases were trained on longer rows than are evaluated, which their scores say; `none` has no phase."""
    longer = "|trained_max_length=192"
    look = REVIEWS["signatures"].look
    shown = look(untuned({"none": "", "english": longer, "multi": longer}))
    assert shown.passed is True
    assert "nothing was trained for xnli under none" in shown.evidence
    # Trained otherwise than the other trained one; evaluated otherwise, though nothing was trained.
    assert look(untuned({"none": "", "english": longer, "multi": ""})).passed is False
    assert look(untuned({"none": "", "english": longer, "multi": "|trained_max_length=256"})).passed is False
    assert look(untuned({"none": "|layer=7", "english": longer, "multi": longer})).passed is False
    # A model whose target phase was trained has settings of a training, whatever its route.
    rows = [replace(row, signature=row.signature + (longer if row.route == "none" else "")) for row in made((1,)).rows]
    assert look(replace(audited(), run=replace(audited().run, rows=table(rows)))).passed is False


def test_a_run_whose_own_tasks_are_gone_is_reviewed_all_the_same() -> None:
    phase = {"tasks": ["mine"], "budget": {"epochs": 1}}
    run = audited(written={**STUDY, "targets": {"tasks": {"xnli": {"train": [phase]}}}})
    seen = REVIEWS["baselines"].look(run)
    assert seen.passed is None
    assert "mine" in seen.evidence


def test_budgets_are_equal_in_examples_and_in_steps() -> None:
    """A masked LM beside the tasks adds steps and tokens to as many labelled examples."""
    look = REVIEWS["budgets"].look
    equal = {"steps": "63", "tokens": "31,000"}
    with_steps = {route: {**of, **equal} for route, of in FACTORS.items()}
    seen = look(audited(factors=with_steps))
    assert (seen.passed, seen.evidence) == (
        True,
        "labelled examples: english 1,000, multi 1,000; optimiser steps, estimated: english 63, multi 63; "
        "tokens, estimated: english 31,000, multi 31,000",
    )
    longer = {**with_steps, "multi": {**with_steps["multi"], "tokens": "60,000"}}  # its language has more of them
    assert look(audited(factors=longer)).passed is True
    more = {**with_steps, "multi": {**with_steps["multi"], "steps": "126", "tokens": "60,000"}}
    seen = look(audited(factors=more))
    assert (seen.passed, seen.evidence[:27]) == (False, "unequal steps: labelled exa")
    assert look(audited(factors={"english": {"tasks": "mnli"}})).passed is None


def test_a_target_that_is_scored_on_the_split_that_chose_its_checkpoints_is_named() -> None:
    """Another target of the run is scored on a test set; TyDiQA's public development set is its test set."""
    study = made(split="dev")
    study.rows += [replace(row, target="pawsx", split="test") for row in made().rows]
    study.rows += [replace(row, target="tydiqa") for row in study.rows if row.split == "dev"]
    whole = audited()
    run = replace(whole, run=replace(whole.run, rows=table(study.rows)))
    look = REVIEWS["selection"].look
    seen = look(run)  # of a run that kept nothing, whose study says nothing either
    assert (seen.passed, seen.evidence.rpartition(": ")[2]) == (False, "xnli on dev")
    elsewhere = {"xnli": {"mnli/dev": ["mnli/en/dev[0-9]"]}, "tydiqa": {"tydiqa/train": ["tydiqa/en/train[0-9]"]}}
    assert look(replace(run, kept=[{"chosen_on": elsewhere}])).passed is True
    same = {"tydiqa": {"tydiqa/dev": ["tydiqa/en/dev[0-9]"]}, "xnli": elsewhere["xnli"]}
    seen = look(replace(run, kept=[{"chosen_on": elsewhere}, {"chosen_on": same}]))
    assert (seen.passed, seen.evidence[-48:]) == (False, "split: tydiqa on dev (chosen on tydiqa/en/dev[0-9])"[-48:])
    train = {"train": [{"tasks": ["xnli"], "select": {"name": "xnli", "rows": "5-9"}}]}  # `train`, which is usual
    written = {**STUDY, "targets": {"tasks": {"xnli": train}}}
    assert look(replace(run, study=written)).passed is True
    train["train"][0]["select"] = {"name": "xnli", "split": "dev"}  # type: ignore[index]
    assert look(replace(run, study=written)).passed is False


def test_attacks_are_no_perturbation_called_clean() -> None:
    run = audited()
    clean = [c for c in run.summary.contrasts if c.conditions]
    searched = tuple(
        replace(c, conditions=(replace(c.conditions[0], perturbation="clean", attack="deepwordbug", budget=50),))
        for c in clean
    )
    only = replace(run, summary=replace(run.summary, contrasts=searched))
    assert REVIEWS["preserving"].look(only).passed is None
    both = replace(run, summary=replace(run.summary, contrasts=(*run.summary.contrasts, *searched)))
    assert "the label: swap (whether" in REVIEWS["preserving"].look(both).evidence


def test_attacks_without_a_control_or_whose_texts_need_not_keep_the_label_are_named(tmp_path: Path) -> None:
    look = REVIEWS["attacks"].look
    assert look(audited()).passed is None
    seen = look(attacked(tmp_path / "a"))
    assert seen.evidence.startswith("textbugger@first on xnli: 0.20 edits a word, chrF 80 (")
    seen = look(attacked(tmp_path / "b", control=False))
    assert seen.evidence.startswith("no random draws at equal budget stand beside textbugger@first (")
    seen = look(attacked(tmp_path / "c", kept={"diagnostic_attacks": ["textbugger@first"]}))
    assert (seen.passed, seen.evidence[:46]) == (False, "labels need not hold under textbugger@first (t")
    blind = attacked(tmp_path / "d", control=False)
    rows = blind.run.rows.with_columns(attack=pl.col("attack").str.replace("textbugger@first", "stresstest"))
    assert look(replace(blind, run=replace(blind.run, rows=rows))).passed is True  # it is its own control


def test_what_reviews_look_at_is_kept_with_the_run(tmp_path: Path) -> None:
    """The encoder's card and the selecting data are known when a run is written, and nowhere else later."""
    study = """
name: kept
encoder: microworld
data: {source: microworld}
training: {batch_size: 16}
routes: {none: []}
attack: [{recipe: deepwordbug, budget: 5, examples: 5}]
targets: {tasks: {mw-nli: {languages: [en], split: test, train: [
  {tasks: [{name: mw-nli, rows: 0-9}], budget: {epochs: 1}, select: {name: mw-nli, split: dev}}]}}}
"""
    plan = make_plan(parse_study(study), dry=True)
    kept = kept_for_audit(plan, plan.cells)
    assert kept["chosen_on"] == {"mw-nli": {"mw-nli/dev": ["mw-nli/en/dev"]}}
    assert kept["diagnostic_attacks"] == []
    atoms = replace(plan.cells[-1].condition, made_of=("attack:deepwordbug", "drop-word"))
    spoiled = kept_for_audit(plan, [*plan.cells, replace(plan.cells[-1], condition=atoms)])
    assert spoiled["diagnostic_attacks"] == [plan.cells[-1].condition.attack]
    write_about(tmp_path, {}, [], {**kept, "card": {"file": "README.md", "named": ["xnli"]}})
    (seen,) = read_audited([tmp_path, tmp_path / "absent"])
    look, run = REVIEWS["contamination"].look, audited()
    assert look(replace(run, kept=[seen])).evidence.endswith("on training: read README.md (when it was run)")
    for damaged in ({}, {"card": 3}, {"card": {"named": []}}, {"card": None}):
        assert look(replace(run, kept=[damaged])).passed is None
    (tmp_path / "README.md").write_text("Trained on XNLI.")  # an older run kept nothing: the card as it is now
    older = look(replace(run, study={**STUDY, "encoder": str(tmp_path)}))
    assert older.evidence.endswith("on training: read README.md (now)")
