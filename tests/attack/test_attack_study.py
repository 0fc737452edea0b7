"""Attacks in studies: the same bytes for one worker and two and after a kill, rows beside clean ones, refusals."""

from __future__ import annotations

import hashlib
import html
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from crosswind.attack.engine import run_attack
from crosswind.data.source import open_source
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predictions import read_predictions
from crosswind.model.checkpoint import save_head
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.report.content import ATTACKED_COLUMNS, CURVE_SUM_COLUMNS
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.steps.attack import ATTACK as ATTACK_KIND
from crosswind.study.about import read_audited
from crosswind.study.audited import audit_runs
from crosswind.study.encoders import place_of
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.study.run import Finished, run_study
from crosswind.study.spec import Study, parse_study
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.load import load

ATTACK = [{"recipe": "deepwordbug", "budget": 12, "examples": 6}]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    encoder = load_encoder(place_of("microworld"), seed=1)
    save_head(folder, encoder, attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2))
    return folder


def study(model: Path, attack: Any = ATTACK, languages: Any = ("qla-Latn", "qcy-Cyrl")) -> Any:
    return evaluation(str(model), ["mw-nli"], languages=languages, limit=10, attack=attack)


def run(model: Path, folder: Path, store: Path, workers: int = 1, attack: Any = ATTACK) -> Finished:
    return run_study(study(model, attack), out=folder, store=Store(store), reporter=Silent(), workers=workers)


def attack_bytes(finished: Finished, store: Path) -> dict[str, str]:
    """The hashes of all that the attack steps wrote."""
    written = {}
    for key, step in finished.plan.graph.items():
        if step.kind == "attack":
            for file in sorted(Store(store).path(key).glob("*.parquet")):
                written[f"{step.label}/{file.name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return written


# What the step does, in a process that is killed while the model is asked and two examples are finished.
KILLED = """
import json, os, signal, sys
from pathlib import Path
from crosswind.attack.recipe import parse_recipe
from crosswind.attack.run import AttackBudget, attack_examples
from crosswind.attack.victim import ModelVictim
from crosswind.data.source import open_source
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predict import Predictor
from crosswind.model.checkpoint import load_head
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.refs import DataRef

model, ref, kept = sys.argv[1], DataRef.from_json(json.loads(sys.argv[2])), Path(sys.argv[3])

class Dying(ModelVictim):
    def __call__(self, examples):
        if kept.exists() and len(kept.read_bytes().splitlines()) >= 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(examples)

task = TASKS[ref.task]
victim = Dying(Predictor(*load_head(model, "pair", classes(task)), max_length=128), METRICS[task.metric])
data = ref.load(open_source({"source": "microworld"}))
call = parse_recipe("deepwordbug")
setting, budget = call.setting(task, ref.language), AttackBudget(12, width=2)
options = {"reach": victim.reach, "metric": victim.metric, "finished": kept}
attack_examples(victim, data.examples, call, setting, budget, **options)
"""


@pytest.mark.slow
def test_one_worker_two_workers_and_a_kill_give_the_same_bytes(checkpoint: Path, tmp_path: Path) -> None:
    whole = attack_bytes(run(checkpoint, tmp_path / "one", tmp_path / "store1"), tmp_path / "store1")
    assert len(whole) == 8  # an attack and its control in two languages: rewrites and outcomes
    two = run(checkpoint, tmp_path / "two", tmp_path / "store2", workers=2)
    assert attack_bytes(two, tmp_path / "store2") == whole
    # Killed in mid-search: the store holds what was finished, half a line, and no step.
    plan = make_plan(study(checkpoint))
    first = next(key for key, step in plan.graph.items() if step.kind == "attack")
    ref = ATTACK_KIND.load(plan.graph[first].params).ref
    kept = Store(tmp_path / "store3").partial(first) / "finished.jsonl"
    arguments = [str(checkpoint), json.dumps(ref.to_json()), str(kept)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    lines = kept.read_text().splitlines()
    assert 2 <= len(lines) < 6
    with kept.open("a") as file:
        file.write(lines[0][:40])  # and one that was killed while it wrote
    again = run(checkpoint, tmp_path / "three", tmp_path / "store3")
    assert attack_bytes(again, tmp_path / "store3") == whole


def test_how_many_examples_are_attacked_at_once_is_obeyed_and_names_no_step(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attacks = [[{**ATTACK[0], "width": width}] for width in (64, 2)]
    usual, few = (make_plan(study(checkpoint, attack)).graph for attack in attacks)
    assert set(usual) == set(few)
    widths: list[int] = []

    def watched(*arguments: Any) -> Any:
        widths.append(arguments[3].width)
        return run_attack(*arguments)

    monkeypatch.setattr("crosswind.attack.run.run_attack", watched)
    whole = attack_bytes(run(checkpoint, tmp_path / "few", tmp_path / "store", attack=attacks[1]), tmp_path / "store")
    assert widths == [2, 2, 2, 2]
    assert attack_bytes(run(checkpoint, tmp_path / "usual", tmp_path / "store", attack=attacks[0]), tmp_path / "store")
    assert widths == [2, 2, 2, 2]  # nothing is attacked again
    assert attack_bytes(run(checkpoint, tmp_path / "anew", tmp_path / "anew store"), tmp_path / "anew store") == whole
    assert widths[4:] == [64, 64, 64, 64]


def test_results_have_the_attack_beside_its_clean_cell(checkpoint: Path, tmp_path: Path) -> None:
    finished = run(checkpoint, tmp_path / "out", tmp_path / "store")
    rows = pl.read_parquet(tmp_path / "out" / "results.parquet").filter(pl.col("key") == "accuracy")
    assert {(r["attack"], r["budget"], r["rows"]) for r in rows.to_dicts()} == {
        ("none", 0, "10 by clusters"),
        ("deepwordbug", 12, "6 by clusters"),
        ("deepwordbug.random", 12, "6 by clusters"),
    }
    changed = pl.read_parquet(tmp_path / "out" / "results.parquet").filter(pl.col("changed_items") > 0)
    assert changed["chrf"].max() < 100
    assert changed["edits"].min() > 0
    assert finished.summary is not None
    lines = [x for x in finished.summary.lines if x.condition.attack == "deepwordbug" and x.scope == "language"]
    assert len(lines) == 2
    assert ("mw-nli", "deepwordbug", 12) in finished.summary.untried
    for line in lines:
        assert line.clean is not None
        assert line.drop is not None
        assert line.clean.score - line.estimate.score == pytest.approx(line.drop.score)
        assert line.drop.score >= 0
    # The curve of the run folder ends in the A' of its results.
    ends = pl.read_parquet(tmp_path / "out" / "attacks.parquet").filter(pl.col("at") == 12)
    curves = {(r["attack"], r["language"]): r["score"] for r in ends.to_dicts()}
    left = {(r["attack"], r["language"]): r["score"] for r in rows.filter(pl.col("budget") == 12).to_dicts()}
    assert len(curves) == 4
    assert curves == pytest.approx(left)
    # What the intervals along the curves are made of: the same scores, with the clusters of the attacked items.
    sums = pl.read_parquet(tmp_path / "out" / "attack_sums.parquet")
    assert dict(sums.schema) == CURVE_SUM_COLUMNS
    names = ["over_budget", "over_edit_rate", "success_over_budget", "success_over_edit_rate"]
    assert sums.select("attack", "language", "curve").sort("attack", "language", "curve").rows() == sorted(
        (attack, code, curve)
        for code in ("qla-Latn", "qcy-Cyrl")
        for attack, curves_of in (("deepwordbug", names), ("deepwordbug.random", names))
        for curve in curves_of
    )
    assert sums["given"].all()
    for row in sums.filter(curve="over_budget").iter_rows(named=True):
        last = np.array(row["sums"]).reshape(len(row["at"]), len(row["clusters"]), -1).sum(axis=1)[-1]
        assert METRICS["accuracy"].score(last) == pytest.approx(left[row["attack"], row["language"]])
    drawn = pl.read_csv(tmp_path / "out" / "figures" / "attacks.csv")
    assert drawn["low"].null_count() == drawn["high"].null_count() == 0
    assert (drawn["low"] <= drawn["score"]).all()
    assert (drawn["score"] <= drawn["high"]).all()
    assert set(drawn["over"]) == {"one model"}
    assert set(drawn["language"]) == {"qcy-Cyrl qla-Latn", "qcy-Cyrl", "qla-Latn"}
    edits = pl.read_csv(tmp_path / "out" / "figures" / "attacks-edits.csv")
    at_zero = (pl.col("curve") != "over_edit_rate") & (pl.col("at") == 0)  # success: 0 by definition
    assert edits.filter(pl.col("low").is_null()).equals(edits.filter(at_zero))
    assert edits.filter("control")["curve"].unique().sort().to_list() == sorted(names[1:])
    # What each attack did: the same A and A', its success, what it cost; a row a language, none of the control.
    made = pl.read_parquet(tmp_path / "out" / "attacked.parquet")
    assert dict(made.schema) == ATTACKED_COLUMNS
    assert made.select("route", "pipeline_seed", "attack", "language", "budget", "n").rows() == [
        ("none", 1, "deepwordbug", code, 12, 6) for code in ("qla-Latn", "qcy-Cyrl")
    ]
    assert set(made.select("selection", "context_language", "protection").rows()) == {("untuned", "", "none")}
    for row in made.iter_rows(named=True):
        assert row["after"] == pytest.approx(left["deepwordbug", row["language"]])
        assert row["control"] == pytest.approx(left["deepwordbug.random", row["language"]])
        assert row["gain"] == pytest.approx(row["control"] - row["after"])
        assert row["success"] == pytest.approx(100 * (1 - row["after"] / row["before"]))
        assert 0 < row["queries_median"] <= row["queries_90"] <= 12
        assert row["budget_per_position"] == pytest.approx(12 / row["positions"])
        for name in ("edit_rate", "chrf"):
            low, value, high = (row[f"{name}{end}"] for end in ("_low", "", "_high"))
            if value is None:  # no text was made worse
                assert row["after"] == row["before"]
            else:  # of one changed text alone there is no interval
                assert value > 0
                assert (low is high is None) or low <= value <= high
        assert row["similarity"] is None  # no constraint names an encoder
        assert json.loads(row["control_over_budget"])[-1] == [12, pytest.approx(row["control"])]
        assert json.loads(row["control_over_edit_rate"])[-1][1] >= row["control"] - 1e-9
    gains = pl.read_parquet(tmp_path / "out" / "contrasts.parquet").filter(kind="attack", scope="target")
    assert gains["estimate"].to_list() == pytest.approx([made["gain"].mean()])
    assert gains["name"].to_list() == ["none: random draws − deepwordbug, 12 queries"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "What the attacks did" in page
    said = r"12 queries, what the search gains .* \(below 0: the draws did more\), in (\S+), (\S+): none in mw-nli "
    named = re.search(said, html.unescape(page))
    assert named is not None
    assert {*named.groups()} == {"qla-Latn", "qcy-Cyrl"}
    (kept,) = read_audited([tmp_path / "out"])
    assert {"card", "chosen_on", "diagnostic_attacks"} == kept.keys()
    assert kept["diagnostic_attacks"] == []
    seen = audit_runs([tmp_path / "out"]).seen["attacks"]
    assert (seen.passed, seen.evidence[:24]) == (True, "no text was changed in t")
    # Once more: rows of the same cells are taken over, and the table is the same.
    run(checkpoint, tmp_path / "out", tmp_path / "store")
    assert pl.read_parquet(tmp_path / "out" / "attacked.parquet").equals(made)


def test_a_defence_that_reads_is_part_of_what_is_attacked(checkpoint: Path, tmp_path: Path) -> None:
    attack = [{"recipe": "bad-characters", "budget": 8, "examples": 4, "control": False}]
    defences = {"none": {}, "sanitize": {"purify": ["sanitize"]}}
    plain = study(checkpoint, attack, ("qla-Latn",)).model_dump(exclude_unset=True)
    both = Study.model_validate({**plain, "defences": defences})
    store = Store(tmp_path / "store")
    plan = run_study(both, out=tmp_path / "out", store=store, reporter=Silent()).plan
    changed = {}
    for key, step in plan.graph.items():
        if step.kind == "attack":
            outcomes = pl.read_parquet(store.path(key) / "outcomes.parquet")
            changed[step.params.get("purify") is not None] = outcomes["changes"].sum()
            assert any(name.startswith("purify sanitize") for name in step.data) == ("purify" in step.params)
    assert changed[False] > 0
    assert changed[True] == 0


def test_a_recipe_without_alternatives_in_a_language_is_left_out_with_the_reason(checkpoint: Path) -> None:
    attack = [{"recipe": "polygloss(embed=qcy)", "budget": 5}]
    plan = make_plan(study(checkpoint, attack))
    (left,) = {part.reason for part in plan.left_out if part.cause == "not applicable"}
    assert "polygloss" in left
    assert sum(step.kind == "attack" for step in plan.graph.values()) == 2  # qla-Latn: the attack and its control


def test_what_draws_at_random_has_no_control_beside_it(checkpoint: Path) -> None:
    plan = make_plan(study(checkpoint, [{"recipe": "viper", "budget": 5}], ["qgr-Grek"]))
    assert {c.condition.attack for c in plan.cells} == {"none", "viper"}
    plan = make_plan(study(checkpoint, [{"recipe": "viper.random", "budget": 5}], ["qgr-Grek"]))
    assert {c.condition.attack for c in plan.cells} == {"none", "viper.random"}


@pytest.mark.slow
def test_what_a_recipe_needs_of_models_is_tried_before_anything_is_computed(checkpoint: Path, tmp_path: Path) -> None:
    attack = [{"recipe": f"bert-attack(model={checkpoint},victim=same)", "budget": 4, "examples": 2}]
    with pytest.raises(UserError, match="has no masked language model"):
        run(checkpoint, tmp_path / "out", tmp_path / "store", attack=attack)
    assert not [*tmp_path.glob("store/*/manifest.json")]


@pytest.mark.slow
def test_a_trigger_is_searched_on_development_data_beside_random_ones(checkpoint: Path, tmp_path: Path) -> None:
    attack = [{"recipe": "universal-trigger(examples=6,candidates=4)", "budget": 8, "examples": 4}]
    one = study(checkpoint, attack, ("qla-Latn",))
    finished = run_study(one, out=tmp_path / "out", store=Store(tmp_path / "store"), reporter=Silent())
    notes = [n for n in finished.notes if "the trigger" in n]
    assert len(notes) == 2
    assert all("mw-nli/qla-Latn/dev with" in n for n in notes)
    rows = pl.read_parquet(tmp_path / "out" / "results.parquet")
    assert {a.partition("(")[0] for a in rows["attack"]} == {"none", "universal-trigger", "universal-trigger.random"}
    dev = evaluation(str(checkpoint), ["mw-nli"], languages=["qla-Latn"], split="dev", limit=4, attack=attack)
    assert "searched on the split that is evaluated" in make_plan(dev).left_out[0].reason


@pytest.mark.slow
def test_a_proposing_model_that_the_victim_was_made_from_is_said(checkpoint: Path, tmp_path: Path) -> None:
    attack = [{"recipe": "bert-attack(model=microworld,top=2)", "budget": 2, "examples": 2, "control": False}]
    one = study(checkpoint, attack, ("qla-Latn",))
    finished = run_study(one, out=tmp_path / "out", store=Store(tmp_path / "store"), reporter=Silent())
    assert "shares its weights with the model under attack" in " ".join(finished.notes)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"recipe": "deepwordbug", "budget": 0}, r"budget is 0"),
        ({"recipe": "deepwordbug", "budget": 10**9}, r"budget is 1,000,000,000"),
        ({"recipe": "deepwordbg"}, r"unknown recipe 'deepwordbg'"),
        ({"recipe": "add-one-sent"}, r"attacks span tasks; there is none among the targets"),
        ({"recipe": "deepwordbug", "targets": ["xnli"]}, r"unknown target 'xnli'"),
        ({"recipe": "deepwordbug", "constraints": ["digit"]}, r"unknown constraint 'digit'"),
        ({"recipe": "deepwordbug", "restarts": 1}, r"attack\[0\].restarts: deepwordbug has no restarts"),
    ],
)
def test_a_wrong_attack_is_refused_before_anything_runs(checkpoint: Path, entry: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        make_plan(study(checkpoint, [entry]))


TWO_ROUTES = """
name: transfer
encoder: microworld
data: {source: microworld}
seeds: [1, 2]
routes:
  none: []
  other: [{tasks: [mw-paraphrase], budget: {examples: 8}}]
targets:
  tasks:
    mw-nli: {languages: [qla-Latn], limit: 8, train: {tasks: [mw-nli], budget: {examples: 8}}}
attack: [{recipe: deepwordbug, budget: 6, examples: 5, transfer: true}]
"""


def test_adversarial_examples_are_scored_on_every_model_but_their_source() -> None:
    plan = make_plan(parse_study(TWO_ROUTES))
    models = {(route, seed) for route in ("none", "other") for seed in (1, 2)}
    own = {(c.route, c.seed): c.rewrite for c in plan.cells if c.condition.attack == "deepwordbug"}
    assert set(own) == models
    assert len(set(own.values())) == 4
    pool = {(c.route, c.seed, c.condition.attack): c.rewrite for c in plan.cells if ";from=" in c.condition.attack}
    assert pool == {
        (*model, f"deepwordbug;from={source[0]}/{source[1]}"): own[source]
        for model in models
        for source in models
        if model != source
    }
    # A prediction and its judgement for each, and no further attack.
    without = make_plan(parse_study(TWO_ROUTES, ["attack=[{recipe: deepwordbug, budget: 6, examples: 5}]"]))
    assert sum(s.kind == "attack" for s in plan.graph.values()) == 8
    assert len(plan.graph) == len(without.graph) + 2 * 12
    lone = make_plan(parse_study(TWO_ROUTES, ["seeds=[1]", "routes={none: []}"]))
    assert not [c for c in lone.cells if ";from=" in c.condition.attack]


@pytest.mark.slow
def test_the_pool_of_adversarial_examples_in_results(tmp_path: Path) -> None:
    one_seed = parse_study(TWO_ROUTES, ["seeds=[1]"])
    finished = run_study(one_seed, out=tmp_path / "out", store=Store(tmp_path / "store"), reporter=Silent())
    rows = pl.read_parquet(tmp_path / "out" / "results.parquet").filter(pl.col("key") == "accuracy")
    moved = rows.filter(pl.col("attack").str.contains(";from=", literal=True))
    # At most 5 examples in whole clusters of three.
    assert {(r["route"], r["attack"], r["budget"], r["n"]) for r in moved.to_dicts()} == {
        ("none", "deepwordbug;from=other/1", 6, 3),
        ("other", "deepwordbug;from=none/1", 6, 3),
    }
    assert finished.summary is not None
    # Each of the two is a source: neither condition is one that both have.
    assert not [c for c in finished.summary.contrasts if ";from=" in c.within]


@pytest.mark.slow
def test_transfer_rates_are_counted_over_what_both_models_had_right(tmp_path: Path) -> None:
    asked = ["attack=[{recipe: deepwordbug, budget: 12, transfer: true}]"]
    finished = run_study(
        parse_study(POOLED, asked), out=tmp_path / "out", store=Store(tmp_path / "store"), reporter=Silent()
    )
    # Counted again from the predictions of the run folder.
    right: dict[tuple[str, str], dict[str, bool]] = {}
    for cell in pl.read_parquet(tmp_path / "out" / "cells.parquet").iter_rows(named=True):
        ids, said = read_predictions(tmp_path / "out" / cell["file"])
        firsts = {i: p["ranks"][0] == 1 for i, p in zip(ids, said, strict=True)}
        right[cell["route"], cell["condition"].removeprefix("clean, ")] = firsts
    transfer = pl.read_parquet(tmp_path / "out" / "transfer.parquet")
    counted = {r["route"]: (r["n"], r["both_right"], r["broken"], r["transferred"]) for r in transfer.to_dicts()}
    for model, source in (("none", "other"), ("other", "none")):
        after = right[model, f"deepwordbug;from={source}/1, 12 queries"]
        both = [i for i in after if right[model, "clean"][i] and right[source, "clean"][i]]
        broken = [i for i in both if not right[source, "deepwordbug, 12 queries"][i]]
        moved = [i for i in broken if not after[i]]
        assert counted[model] == (len(after), len(both), len(broken), len(moved))
        assert 0 < len(broken) < len(both)
    assert finished.summary is not None
    assert "How adversarial examples transfer from route to route." in (tmp_path / "out" / "report.html").read_text()


POOLED = """
name: pooled
encoder: microworld
data: {source: microworld}
routes:
  none: []
  other: [{tasks: [mw-answers], budget: {examples: 8}}]
targets: {tasks: {mw-answers: {languages: [qla-Latn], limit: 30, train: []}}}
attack: [{recipe: "hard-negative-pool(sites=2,options=2)", budget: 4, examples: 9, transfer: true}]
"""


@pytest.mark.slow
def test_what_is_added_to_a_pool_counts_as_changed_and_is_scored_on_other_models(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    finished = run_study(parse_study(POOLED), out=tmp_path / "out", store=store, reporter=Silent())
    rows = pl.read_parquet(tmp_path / "out" / "results.parquet").filter(pl.col("key") == "map@20")
    shares = {(r["route"], r["attack"]): r["changed_items"] for r in rows.to_dicts() if r["attack"] != "none"}
    name = "hard-negative-pool(sites=2,options=2)"
    added: dict[str, float] = {}
    for cell in finished.plan.cells:
        if cell.condition.attack == name:
            table = store.path(cell.rewrite or "") / "added.parquet"
            added[cell.route] = (pl.read_parquet(table).height if table.exists() else 0) / rows.filter(attack=name)[
                "n"
            ][0]
    assert min(added.values()) > 0
    for route, other in (("none", "other"), ("other", "none")):
        assert shares[route, name] == pytest.approx(added[route])
        assert shares[route, f"{name};from={other}/1"] == pytest.approx(added[other])


@pytest.mark.slow
def test_a_constraint_reads_its_treebanks_where_the_study_says_they_lie(tmp_path: Path) -> None:
    encoder = load_encoder(place_of("microworld"), seed=1)
    save_head(tmp_path / "model", encoder, attach(encoder, "tagging", classes(TASKS["mw-pos"]), seed=2))
    data = load(TASKS["mw-pos"], "qla-Latn", "test", open_source({"source": "microworld"}), limit=6)
    rows = [
        f"{n}\t{word}\t_\t{tag}\t_\t_\t0\troot\t_\t_"
        for e in data.examples
        for n, (word, tag) in enumerate(zip(e.words, e.tags or (), strict=True), 1)
    ]
    (tmp_path / "banks").mkdir()
    (tmp_path / "banks" / "qla_x-ud-test.conllu").write_text("\n".join(rows), encoding="utf-8")
    constraint = f'part-of-speech(treebanks="{tmp_path / "banks"}")'
    recipe = "bert-attack(model=microworld,victim=same,setting=published)"
    attack = [{"recipe": recipe, "budget": 60, "examples": 4, "constraints": [constraint], "control": False}]
    asked = evaluation(str(tmp_path / "model"), ["mw-pos"], languages=["qla-Latn"], limit=4, attack=attack)
    finished = run_study(asked, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    (key,) = [k for k, step in finished.plan.graph.items() if step.kind == "attack"]
    outcomes = pl.read_parquet(Store(tmp_path / "store").path(key) / "outcomes.parquet")
    refused = [json.loads(text) for text in outcomes["refused"]]
    assert sum(r.get("part-of-speech", 0) for r in refused) > 0
    assert set(finished.plan.graph[key].params["constraints"]) == {"part-of-speech"}
    assert {c.condition.attack for c in finished.plan.cells} == {"none", f"{recipe};part-of-speech"}
