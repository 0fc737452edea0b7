"""What a plan's keys depend on, and what they do not; cells, exposures, budgets."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from crosswind.analysis.left_out import left_out_lines
from crosswind.errors import UserError
from crosswind.run.step import Step
from crosswind.study.collect import _budget_notes
from crosswind.study.folder import prediction_path
from crosswind.study.plan import make_plan
from crosswind.study.planned import Plan
from crosswind.study.resolve import lacking
from crosswind.study.spec import parse_study

STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
routes:
  none: []
  english: [{{tasks: [{{name: snli, split: dev}}], budget: {{examples: 40}}}}]
targets:
  tasks:
    udpos:
      languages: [en, es]
      train: {{tasks: [udpos], budget: {{epochs: 2}}, select: {{name: udpos, split: dev}}}}
    xnli: {{languages: [en, es], limit: 30, train: {{tasks: [{{name: snli, split: dev}}], budget: {{examples: 48}}}}}}
    tatoeba: {{languages: [jv], train: []}}
perturb: ["keyboard:0.1,0.3"]
"""


@pytest.fixture
def planned(tiny_encoder: Path, small_data: Path):  # type: ignore[no-untyped-def]
    def plan(*overrides: str, encoder: Path = tiny_encoder, data: Path = small_data) -> Plan:
        return make_plan(parse_study(STUDY.format(encoder=encoder, data=data), list(overrides)))

    return plan


def labels(plan: Plan, kind: str) -> Counter[str]:
    return Counter(s.label for s in plan.graph.values() if s.kind == kind)


def named(plan: Plan, start: str) -> set[str]:
    """The keys of the steps whose label begins like this."""
    return {s.key for s in plan.graph.values() if s.label.startswith(start)}


def test_a_plan_has_each_phase_rewrite_and_cell_once(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned()
    # The route's phase, and udpos and xnli for each of two routes; Tatoeba is not tuned.
    assert labels(plan, "train") == {
        "route english, phase 1": 1,
        "udpos for route none": 1,
        "udpos for route english": 1,
        "xnli for route none": 1,
        "xnli for route english": 1,
    }
    # 5 sets at two severities, whatever the route
    assert labels(plan, "rewrite").total() == 10
    # 5 sets x 2 routes x (clean, 0.1, 0.3)
    assert len(plan.cells) == len({c.key for c in plan.cells}) == 30
    # Beside the predictions their statistics: udpos has three metrics, the others one
    assert labels(plan, "judge").total() == 12 * 3 + 18
    assert len(plan.wanted) == 30 + 54 + 10  # and the rewrites, which the run folder holds
    # Tatoeba's pool: clean and at two severities, for each route
    assert labels(plan, "embed") == {"pool of tatoeba jv": 6}
    facts = Counter((c.route, c.perturbation, c.severity, c.draw, c.protection) for c in plan.cells)
    assert facts == {
        (route, *condition): 5
        for route in ("none", "english")
        for condition in (("clean", 0.0, 0, "none"), ("keyboard", 0.1, 1, "none"), ("keyboard", 0.3, 1, "none"))
    }
    assert {(c.target, c.selection) for c in plan.cells} == {
        ("udpos", "english"),
        ("xnli", "last"),
        ("tatoeba", "untuned"),
    }


def test_keys_do_not_depend_on_where_things_lie_or_how_they_are_called(
    planned,
    tiny_encoder: Path,
    small_data: Path,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    shutil.copytree(tiny_encoder, tmp_path / "elsewhere" / "encoder")
    shutil.copytree(small_data, tmp_path / "data")
    plan = planned()
    moved = planned("name=other", encoder=tmp_path / "elsewhere" / "encoder", data=tmp_path / "data")
    assert list(moved.graph) == list(plan.graph)
    renamed = planned("routes={nothing: [], snli: [{tasks: [{name: snli, split: dev}], budget: {examples: 40}}]}")
    assert set(renamed.graph) == set(plan.graph)
    assert planned("keep=none", "notes=[a note]").wanted == plan.wanted


def test_other_bytes_give_other_keys(planned, tiny_encoder: Path, small_data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    plan = planned()
    shutil.copytree(tiny_encoder, tmp_path / "encoder")
    config = tmp_path / "encoder" / "config.json"
    config.write_text(config.read_text() + "\n")
    rewrites = {s.key for s in plan.graph.values() if s.kind == "rewrite"}
    assert set(planned(encoder=tmp_path / "encoder").graph) & set(plan.graph) == rewrites
    shutil.copytree(small_data, tmp_path / "data")
    test = tmp_path / "data" / "xnli" / "test-es.tsv"
    test.write_text(test.read_text() + "a\tb\tneutral\n")
    changed = set(plan.graph) - set(planned(data=tmp_path / "data").graph)
    assert changed == named(plan, "xnli es") | {k for k in rewrites if "xnli/es" in plan.graph[k].label}


def test_a_setting_changes_the_keys_of_what_depends_on_it_and_no_others(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned()
    everything, rewrites = set(plan.graph), {s.key for s in plan.graph.values() if s.kind == "rewrite"}
    english = {s.key for s in plan.graph.values() if "route english" in s.label} | {
        s.key for s in plan.graph.values() if s.kind == "embed" and "model" in s.inputs
    }

    def changed(*overrides: str) -> set[str]:
        return everything - set(planned(*overrides).graph)

    assert changed("routes.english.0.budget.examples=41") == english
    # Everything trained has another seed, but not Tatoeba under the untouched encoder.
    untuned = {s.key for s in plan.graph.values() if s.kind in ("embed", "predict") and not s.inputs.get("model")}
    untuned |= {s.key for s in plan.graph.values() if s.inputs.get("predictions") in untuned}
    assert changed("seeds=[2]") == everything - rewrites - untuned
    assert changed("targets.tasks.udpos.train.budget.epochs=3") == {
        k for k in named(plan, "udpos") if k not in rewrites
    }
    of_udpos = {k for k in everything if "udpos" in plan.graph[k].label}
    trained = {k for k in of_udpos if plan.graph[k].kind == "train"}
    # The cells' rows are part of rewrites and cells, not of what trains.
    assert changed("targets.tasks.udpos.rows=0-9") == of_udpos - trained
    assert changed('perturb=["keyboard:0.1"]') == {k for k in everything if "keyboard:0.3" in plan.graph[k].label} | {
        k for k in everything if plan.graph[k].kind == "embed" and _severity(plan, k) == 0.3
    }
    assert changed("draws=2") == set()
    assert changed("targets.tasks.xnli.training.max_length=64") == named(plan, "xnli")


def _severity(plan: Plan, key: str) -> float:
    rewrite = plan.graph[key].inputs.get("rewrite")
    return float(plan.graph[rewrite].params["perturbation"][0][1]) if rewrite else 0.0


def test_targets_with_the_same_training_share_it(planned, small_data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    # A plan reads no data, only the bytes' hashes: any content will do.
    names = ("squad/train-v1.1.json", "xquad/xquad.de.json", "mlqa/MLQA_V1/test/test-context-de-question-de.json")
    for name in (*names, "mlqa/MLQA_V1/test/test-context-en-question-en.json", "tatoeba/v1/tatoeba.deu-eng.deu"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "tatoeba/v1/tatoeba.deu-eng.eng").write_text("x")
    targets = "targets={preset: xtreme-r, languages: [de], tasks: {xquad: {}, mlqa: {}, tatoeba: {}}}"
    plan = planned(targets, "routes={none: []}", "perturb=[]", data=tmp_path)
    trained = [s for s in plan.graph.values() if s.kind == "train"]
    assert [s.label for s in trained] == ["xquad for route none"]
    assert {s.inputs["model"] for s in plan.graph.values() if s.kind == "predict"} == {trained[0].key}
    # Another learning rate for one of them: two trainings.
    slower = "targets.tasks.mlqa={training: {learning_rate: 1.0e-5}}"
    plan = planned(targets, slower, "routes={none: []}", "perturb=[]", data=tmp_path)
    assert labels(plan, "train").total() == 2


def test_draws_and_protections_are_cells_of_their_own(planned, tmp_path: Path, small_data: Path) -> None:  # type: ignore[no-untyped-def]
    plan = planned(
        'perturb=[{spec: "keyboard:0.1,0.2", languages: es, targets: udpos, protect: [none, entities, answers]}]',
        "draws=3",
        "routes={none: []}",
    )
    noisy = [c for c in plan.cells if c.perturbation == "keyboard"]
    # udpos has no answers or entities to protect
    assert {(c.target, c.data.language, c.protection) for c in noisy} == {("udpos", "es", "none")}
    assert sorted((c.severity, c.draw) for c in noisy) == [(s, d) for s in (0.1, 0.2) for d in (1, 2, 3)]
    data = tmp_path / "data"
    shutil.copytree(small_data, data)
    for split in ("train", "test"):
        (data / "panx").mkdir(exist_ok=True)
        (data / f"panx/{split}-es.tsv").write_text("x")
    plan = planned(
        "targets={tasks: {panx: {languages: es, train: {tasks: [{name: panx, languages: es}]}}}}",
        'perturb=[{spec: "keyboard:0.1", protect: [none, entities, answers]}]',
        "routes={none: []}",
        data=data,
    )
    assert Counter(c.protection for c in plan.cells if c.perturbation == "keyboard") == {"none": 1, "entities": 1}


def test_a_perturbation_that_has_no_alternatives_in_a_language_is_left_out_named_and_counted(
    planned,
    small_data: Path,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "data/xnli/test-zh.tsv").write_text("x")
    swaps = 'perturb=["swap:0.1,0.3"]'
    plan = planned("targets.tasks.xnli.languages=[en, zh]", "routes={none: []}", swaps, data=tmp_path / "data")
    assert {c.data.language for c in plan.cells if c.perturbation == "swap" and c.target == "xnli"} == {"en"}
    (first, second) = plan.left_out
    assert (first.cause, first.target, first.language, first.perturbation) == (
        "not applicable",
        "xnli",
        "zh",
        "swap",
    )
    assert [(x.severity, x.cells) for x in (first, second)] == [(0.1, 1), (0.3, 1)]
    (line,) = left_out_lines(plan.left_out)
    assert line.startswith("swap in zh (xnli; 2 cells): ")


def test_each_draw_and_model_of_a_cell_that_is_left_out_counts(planned, small_data: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    shutil.copytree(small_data, tmp_path / "data")
    (tmp_path / "data/xnli/test-zh.tsv").write_text("x")
    swaps = 'perturb=["swap:0.1,0.3"]'
    plan = planned("targets.tasks.xnli.languages=[en, zh]", "draws=3", "seeds=[1, 2]", swaps, data=tmp_path / "data")
    assert [x.cells for x in plan.left_out] == [12, 12]  # draws, seeds and routes, at each severity


def test_a_language_that_a_target_has_no_data_in_is_left_out_named(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned("targets.languages=[en, es]", "targets.tasks={udpos: {}, tatoeba: {languages: [jv], train: []}}")
    assert plan.left_out == ()  # tatoeba names its own
    plan = planned("targets.languages=[en, hi, jv]", "targets.tasks={udpos: {}}")
    (gap,) = plan.left_out
    assert (gap.cause, gap.target, gap.split, gap.language, gap.cells) == ("no data", "udpos", "test", "jv", 2)
    assert [*left_out_lines(plan.left_out)] == [
        "everything in jv (udpos; 2 cells): the target has no data in them",
    ]


def test_a_target_of_a_preset_that_has_none_of_the_languages_is_left_out_named() -> None:
    study = parse_study("{name: x, encoder: x, routes: {none: []}, targets: {preset: xtreme, languages: [en, hi, tl]}}")
    gaps = {(name, language) for name, _, language in lacking(study)}
    assert ("pawsx", "hi") in gaps
    assert ("udpos", "hi") not in gaps
    assert ("xnli", "tl") in gaps


def test_a_protection_of_what_a_task_has_not_is_left_out_named(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned('perturb=[{spec: "keyboard:0.1", targets: [xnli], protect: [answers]}]', "routes={none: []}")
    assert {c.protection for c in plan.cells if c.perturbation == "keyboard"} == {"none"}
    assert [*left_out_lines(plan.left_out)] == [
        "keyboard, answers protected in en, es (xnli; 2 cells): "
        "it has no answers to protect; the cell without protection stands for it",
    ]


def test_exposure_says_what_the_route_has_seen(planned) -> None:  # type: ignore[no-untyped-def]
    def exposures(phases: str) -> dict[str, str]:
        plan = planned(f"routes={{r: {phases}}}", "perturb=[]")
        return {f"{c.target} {c.data.language}": c.exposure for c in plan.cells}

    assert exposures("[]") == {
        "udpos en": "none/unseen",
        "udpos es": "none/unseen",
        "xnli en": "none/unseen",
        "xnli es": "none/unseen",
        "tatoeba jv": "none/unseen",
    }
    nli = exposures("[{tasks: [{name: snli, split: dev}]}]")
    assert (nli["xnli en"], nli["xnli es"]) == ("same-task/labelled", "same-task/unseen")
    assert nli["udpos en"] == "none/unlabelled"
    spanish = exposures("[{tasks: [{name: xnli, split: dev, languages: [es]}]}]")
    assert (spanish["xnli en"], spanish["xnli es"]) == ("same-data/unseen", "same-data/labelled")
    tagging = exposures("[{tasks: [{name: udpos, languages: [en], rows: 0-9}]}]")
    assert tagging["udpos en"] == "same-data/labelled"


def test_the_languages_that_a_target_trains_on_itself_are_no_zero_shot(planned) -> None:  # type: ignore[no-untyped-def]
    def exposed(languages: str) -> tuple[dict[str, str], list[str]]:
        train = f"{{tasks: [{{name: xnli, split: dev, languages: {languages}}}], budget: {{examples: 40}}}}"
        study = (
            "routes={none: []}",
            "perturb=[]",
            f"targets={{tasks: {{xnli: {{languages: [en, es], train: {train}}}}}}}",
        )
        plan = planned(*study)
        return {c.data.language: c.exposure for c in plan.cells}, plan.notes

    assert exposed("[en]")[0] == {"en": "none/unseen", "es": "none/unseen"}
    assert exposed("[en, es]")[0] == {"en": "none/unseen", "es": "same-data/labelled"}
    exposures, notes = exposed("[es]")
    assert exposures == {"en": "none/unseen", "es": "same-data/labelled"}
    assert "xnli is trained on es; en, its source language, is zero-shot here" in notes


def test_labels_of_the_task_in_a_language_are_exposure_even_beside_the_same_data_in_another(planned) -> None:  # type: ignore[no-untyped-def]
    """XNLI in English and (as a stand-in for any other NLI) SNLI in Spanish: Spanish is translate-train."""
    from crosswind.study.exposure import Seen, exposure_of
    from crosswind.tasks.base import TASKS

    xnli, snli, pawsx = TASKS["xnli"], TASKS["snli"], TASKS["pawsx"]
    seen = [Seen(xnli, ("en",)), Seen(snli, ("es",)), Seen(pawsx, ("de",))]
    assert exposure_of(xnli, "en", seen, []) == "same-data/labelled"
    assert exposure_of(xnli, "es", seen, []) == "same-task/labelled"
    assert exposure_of(xnli, "de", seen, []) == "same-data/unlabelled"
    assert exposure_of(xnli, "sw", seen, ["sw"]) == "same-data/unlabelled"
    assert exposure_of(xnli, "th", seen, ["sw"]) == "same-data/unseen"


def test_what_a_study_asks_for_twice_is_one_cell(planned) -> None:  # type: ignore[no-untyped-def]
    once = planned('perturb=["keyboard:0.1"]')
    twice = planned('perturb=["keyboard:0.1", {spec: "keyboard:0.1", languages: es, protect: answers}]')
    assert twice.cells == once.cells


def test_joined_perturbations_give_a_condition_for_each_combination_of_severities(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned('perturb=["swap:0.1,0.2+word-order:0.1,0.2"]', "routes={none: []}")
    conditions = {(c.perturbation, c.severity) for c in plan.cells if c.target == "udpos" and c.perturbation != "clean"}
    assert len({name for name, _ in conditions}) == 4
    assert len({prediction_path(c) for c in plan.cells}) == len(plan.cells)


def test_steps_find_their_encoder_from_any_folder(
    planned,
    tiny_encoder: Path,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    monkeypatch.setenv("HOME", str(tiny_encoder.parent))
    monkeypatch.chdir(tiny_encoder.parent)
    for written in (Path("~") / tiny_encoder.name, Path(tiny_encoder.name)):
        plan = planned(encoder=written)
        assert plan.graph.context["encoder"] == str(tiny_encoder)
    assert list(plan.graph) == list(planned().graph)


def test_routes_whose_budgets_differ_say_so(planned) -> None:  # type: ignore[no-untyped-def]
    equal = "{tasks: [{name: snli, split: dev}], budget: {examples: 40}}"
    other = "{tasks: [{name: udpos}], budget: {examples: 40}}"
    more = "{tasks: [{name: udpos}], budget: {examples: 50}}"
    assert _budget_notes(planned(f"routes={{a: [{equal}], b: [{other}]}}")) == []
    (note,) = _budget_notes(planned(f"routes={{a: [{equal}], b: [{more}]}}"))
    assert note == "The routes' budgets of labelled examples differ: a 40, b 50."
    # With several seeds a route's phase counts once; a route without phases has no budget to compare.
    (note,) = _budget_notes(planned(f"routes={{none: [], a: [{equal}], b: [{more}]}}", "seeds=[1, 2]"))
    assert note == "The routes' budgets of labelled examples differ: a 40, b 50."


def test_budgets_of_any_measure_are_compared_in_examples(planned) -> None:  # type: ignore[no-untyped-def]
    steps = "{tasks: [udpos], budget: {steps: 5}, training: {batch_size: 8}}"
    epochs = "{tasks: [{name: udpos, rows: 0-19}], budget: {epochs: 2}}"
    equal = "{tasks: [{name: snli, split: dev}], budget: {examples: 40}}"
    assert _budget_notes(planned(f"routes={{a: [{steps}], b: [{epochs}], c: [{equal}]}}")) == []


def test_oracle_selection_is_a_cell_beside_the_english_one(planned) -> None:  # type: ignore[no-untyped-def]
    plan = planned("targets.tasks.udpos.oracle={name: udpos, split: dev}", "routes={none: []}", "perturb=[]")
    assert Counter(c.selection for c in plan.cells if c.target == "udpos") == {"english": 2, "oracle": 2}
    trained = [s for s in plan.graph.values() if s.label == "udpos for route none"]
    assert [len(s.params["select"]) for s in trained] == [1, 2]


def test_averaged_checkpoints_are_cells_of_the_same_training(planned) -> None:  # type: ignore[no-untyped-def]
    every = "targets.tasks.udpos.training.evaluate_every=1"
    plain = planned("routes={none: []}", "perturb=[]", every)
    plan = planned("targets.tasks.udpos.average=2", "routes={none: []}", "perturb=[]", every)
    cells = [c for c in plan.cells if c.target == "udpos"]
    assert Counter(c.selection for c in cells) == {"english": 2, "averaged": 2}
    models = {c.selection: plan.graph[plan.graph[c.key].inputs["model"]] for c in cells}
    assert (models["english"].kind, models["averaged"].kind) == ("train", "average")
    assert models["averaged"].inputs["model"] == models["english"].key
    assert {c.key for c in plain.cells if c.target != "udpos"} == {c.key for c in plan.cells if c.target != "udpos"}


def test_only_chosen_models_are_attacked_unless_asked(planned) -> None:  # type: ignore[no-untyped-def]
    base = ("routes={none: []}", "perturb=[]", "targets.tasks.udpos.oracle={name: udpos, split: dev}")
    attack = "{recipe: deepwordbug, targets: [udpos], budget: 5, examples: 5"

    def attacked(*overrides: str) -> Counter[str]:
        return Counter(c.selection for c in planned(*base, *overrides).cells if c.condition.attack != "none")

    chosen = attacked(f"attack=[{attack}}}]")
    assert chosen == {"english": chosen["english"]}
    assert attacked(f"attack=[{attack}, apart: true}}]") == {"english": chosen["english"], "oracle": chosen["english"]}
    assert chosen["english"] > 0


def test_the_order_of_seeds_and_routes_does_not_matter_to_keys(planned) -> None:  # type: ignore[no-untyped-def]
    forwards, backwards = planned("seeds=[1, 2]"), planned("seeds=[2, 1]")
    assert set(forwards.graph) == set(backwards.graph)
    assert {c.seed for c in forwards.cells} == {1, 2}


@pytest.mark.parametrize(
    ("override", "where", "what"),
    [
        ('perturb=["keybord:0.1"]', "perturb[0]", "unknown perturbation 'keybord'"),
        ('perturb=["keyboard:0.1", "keyboard:1.5"]', "perturb[1]", "1.5"),
        ("perturb=[keyboard]", "perturb[0]", "severity"),
        ('perturb=[{spec: "swap:0.1", languages: [de]}]', "perturb[0].languages", "unknown language 'de'"),
        ('perturb=[{spec: "swap:0.1", targets: [xquad]}]', "perturb[0].targets", "unknown target 'xquad'"),
        ('perturb=[{spec: "swap:0.1", protect: [all]}]', "perturb[0].protect", "unknown protection 'all'"),
        ("lexicons=nowhere", "lexicons", "no folder of lexicons"),
        ("data.root=nowhere", "data.root", "/nowhere'"),
        ("encoder=./nowhere", "encoder", "no folder './nowhere'"),
    ],
)
def test_what_cannot_run_is_refused_when_it_is_planned(planned, override: str, where: str, what: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(UserError) as caught:
        planned(override)
    assert caught.value.where == where
    assert what in caught.value.what


def test_a_step_names_its_base_encoder_only_where_no_other_step_does(planned) -> None:  # type: ignore[no-untyped-def]
    def names_encoder(step: Step) -> bool:
        return "encoder" in step.data

    for step in planned().graph.values():
        if step.kind in ("rewrite", "judge"):
            assert not names_encoder(step)
        else:
            assert names_encoder(step) == (not {"encoder", "model"} & set(step.inputs))


@pytest.mark.parametrize("name", ["phang2020-xlmr-large", "xtreme-r-question"])
def test_the_studies_for_the_hub_are_planned_without_a_network(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    text = (Path(__file__).resolve().parents[2] / "studies" / f"{name}.yaml").read_text(encoding="utf-8")
    plan = make_plan(parse_study(text, ["seeds=[1]", "draws=1"]), dry=True)
    assert plan.cells
    assert any("is not resolved" in note for note in plan.notes)
    with pytest.raises(UserError):  # what cannot be resolved is no plan to run
        make_plan(parse_study(text))


def test_targets_that_the_hub_lacks_are_noted_with_how_to_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CROSSWIND_DATA", raising=False)
    text = "{name: a, encoder: xlm-roberta-base, routes: {none: []}, targets: {preset: xtreme, languages: [de]}}"
    plan = make_plan(parse_study(text), dry=True)
    assert "bucc2018" not in {cell.target for cell in plan.cells}
    (note,) = (note for note in plan.notes if "bucc2018" in note)
    assert note == (
        "bucc2018 is left out: the hub has no repository of bucc2018 that is read. With the official files it is "
        "evaluated: set data.root (or CROSSWIND_DATA) beside the hub, or name it under targets.tasks to see which "
        "files it needs and where they are to be had."
    )
    (left_out,) = (cells for cells in plan.left_out if cells.target == "bucc2018")
    assert (left_out.cause, left_out.language, left_out.split) == ("no data", "de", "test")


def test_two_folders_of_lexicons_in_one_study_are_two_rewrites_each_with_its_own(
    planned,
    small_data: Path,
    tmp_path: Path,  # type: ignore[no-untyped-def]
) -> None:
    for name, word in (("a", "casa"), ("b", "hogar")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "en-es.txt").write_text(f"house {word}\n")
    spec = "codemix(embed=es,lexicon={}):0.5"
    plan = planned(
        f'perturb=[{{spec: "{spec.format(tmp_path / "a")}", targets: udpos, languages: en}}, '
        f'{{spec: "{spec.format(tmp_path / "b")}", targets: xnli, languages: en}}]',
        "routes={none: []}",
    )
    rewrites = {s.key: s.params["ref"]["task"] for s in plan.graph.values() if s.kind == "rewrite"}
    written = {rewrites[key]: text for key, text in plan.graph.context["specs"].items()}
    assert written == {"udpos": spec.format(tmp_path / "a"), "xnli": spec.format(tmp_path / "b")}


def test_noise_that_reads_the_translations_of_the_items_themselves_is_noted(planned, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "en-es.txt").write_text("house casa\n")
    note = "codemix(embed=es,senses=reference) reads the test set's own translations of each item (oracle access)."
    for senses, noted in (("reference", True), ("all", False)):
        spec = f"codemix(embed=es,senses={senses},lexicon={tmp_path}):0.5"
        plan = planned(f'perturb=[{{spec: "{spec}", targets: xnli, languages: en}}]', "routes={none: []}")
        assert (note in plan.notes) is noted


def test_selection_data_bring_their_metric_into_the_key(planned) -> None:  # type: ignore[no-untyped-def]
    (trained,) = {s.key: s for s in planned().graph.values() if s.label == "udpos for route none"}.values()
    assert trained.data["metric seqeval-f1"] == "1"
