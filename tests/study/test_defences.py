"""Defences in a study: what they change of keys, what is refused, and a small run with all of them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError
from crosswind.evaluate.purify import PURIFIERS
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.report.defended import DefendedRow
from crosswind.run.progress import Silent
from crosswind.run.step import Step
from crosswind.run.store import Store
from crosswind.steps.train import TRAIN, robust_passes
from crosswind.study.encoders import encoder_fingerprint
from crosswind.study.plan import make_plan
from crosswind.study.planned import Plan
from crosswind.study.run import run_study
from crosswind.study.spec import Study, parse_study, read_study
from crosswind.tasks.refs import DataRef
from crosswind.train.robust import ROBUST
from tiny_models import write_encoder

STUDY = """
name: defended
encoder: {encoder}
data: {{source: files, root: {data}}}
lexicons: {lexicons}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes: {{none: []}}
targets:
  languages: [en, es]
  limit: 9
  tasks: {{xnli: {{train: {{tasks: [{{name: snli, split: dev}}], budget: {{steps: 2}}}}}}}}
perturb: ["swap:0.4"]
defences:
  none: {{}}
  sanitize: {{purify: sanitize}}
  freelb: {{robust: {{freelb: {{steps: 2}}}}}}
  noise: {{augment: [{{spec: "swap:0.3", share: 0.5}}]}}
  cat: {{augment: [{{spec: "codemix(embed=es):0.5", share: 0.33, pick: 1}}]}}
  pieces: {{subwords: {{bpe-dropout: {{dropout: 0.2}}}}}}
  mined: {{mined: {{recipe: deepwordbug, budget: 6, examples: 8, share: 1}}}}
"""


@pytest.fixture
def text(tiny_encoder: Path, small_data: Path, tmp_path: Path) -> str:
    (tmp_path / "lexicons").mkdir()
    (tmp_path / "lexicons" / "en-es.txt").write_text("house casa\ndog perro\nwater agua\n")
    return STUDY.format(encoder=tiny_encoder, data=small_data, lexicons=tmp_path / "lexicons")


def plan_of(text: str, *overrides: str) -> Plan:
    return make_plan(parse_study(text, list(overrides)))


def test_the_label_of_a_step_names_the_defence_of_its_model(text: str) -> None:
    """Progress lines and the entries of a store tell the models of a route apart."""
    for overrides in ([], ["seeds=[1,2]"]):
        plan = plan_of(text, *overrides)
        for kind in ("train", "predict"):
            labels = [step.label for step in plan.graph.values() if step.kind == kind]
            assert len(set(labels)) == len(labels) > 5, sorted(labels)
    trained = {step.label for step in plan.graph.values() if step.kind == "train"}
    assert {"xnli for route none, seed 1", "xnli for route none@freelb, seed 1"} <= trained


def trained(plan: Plan) -> dict[str, str]:
    """The key of the step that trained each defence's model."""
    keys = {}
    for cell in plan.cells:
        keys[cell.defence] = plan.graph[cell.key].inputs["model"]
    return keys


def test_a_defence_that_only_reads_shares_the_training_of_none(text: str) -> None:
    plan = plan_of(text)
    keys = trained(plan)
    assert keys["sanitize"] == keys["none"]
    assert len(set(keys.values())) == 6
    cells = {c.defence: c for c in plan.cells if c.condition.clean and c.data.language == "en"}
    assert cells["sanitize"].key != cells["none"].key
    reading = plan.graph[cells["sanitize"].key]
    assert reading.params["purify"] == ["sanitize"]
    assert "purify sanitize confusables.json" in reading.data


def test_a_study_without_defences_keeps_its_keys(text: str) -> None:
    only = plan_of(text, "defences={none: {}}")
    assert {c.key for c in only.cells} == {c.key for c in plan_of(text).cells if c.defence == "none"}
    assert all(
        "robust" not in s.params and "augment" not in s.params and "subwords" not in s.params
        for s in only.graph.values()
    )


def test_a_lexicon_that_changes_trains_the_code_mixed_defence_anew_and_no_other(text: str, tmp_path: Path) -> None:
    before = trained(plan_of(text))
    (tmp_path / "lexicons" / "en-es.txt").write_text("house hogar\n")
    after = trained(plan_of(text))
    assert {name for name in before if before[name] != after[name]} == {"cat"}


def test_the_words_of_every_text_that_is_read_are_part_of_the_key(
    tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    """Tatoeba's queries are English and its pool is in the language under test: both lists of words decide."""
    words = tmp_path / "words"
    words.mkdir()
    for name in ("en", "sw"):
        (words / f"{name}.txt").write_text("nyumba 3\n")
    study = f"""
name: corrected
encoder: {tiny_encoder}
data: {{source: files, root: {small_data}}}
words: {words}
routes: {{none: []}}
targets: {{tasks: {{tatoeba: {{languages: [sw], train: [], pooling: {{mode: mean}}}}}}}}
defences: {{correct: {{purify: correct}}}}
"""

    def keys() -> tuple[str, str]:
        plan = plan_of(study)
        (cell,) = plan.cells
        return cell.key, plan.graph[cell.key].inputs["pool"]

    before = keys()
    (words / "en.txt").write_text("house 3\n")
    english = keys()
    (words / "sw.txt").write_text("nyota 3\n")
    swahili = keys()
    assert len({before[0], english[0], swahili[0]}) == 3
    assert len({before[1], english[1], swahili[1]}) == 3


CORRECTED = """
name: corrected
encoder: {encoder}
data: {{source: files, root: {data}}}
words: {words}
routes: {{none: []}}
targets: {{tasks: {{tatoeba: {{languages: [sw], train: [], pooling: {{mode: mean}}}}}}}}
perturb: ["swap:0.3"]
defences:
  correct: {{purify: correct}}
  same: {{purify: "correct(model={encoder})"}}
  other: {{purify: ["sanitize", "correct(model={other})"]}}
"""


@pytest.fixture
def corrected(tiny_encoder: Path, small_data: Path, tmp_path: Path) -> str:
    words = tmp_path / "words"
    words.mkdir()
    for name, listed in (("en", "house,horse,mouse,tree,three,road,read,stone"), ("sw", "casa,cosa,perro,gato,gata")):
        (words / f"{name}.txt").write_text("".join(f"{w} {i + 1}\n" for i, w in enumerate(listed.split(","))))
    other = write_encoder(tmp_path / "other", "xlm-roberta")
    return CORRECTED.format(encoder=tiny_encoder, data=small_data, words=words, other=other)


def test_a_model_that_corrects_is_signed_by_what_it_is(corrected: str, tmp_path: Path) -> None:
    def cells() -> dict[str, Step]:
        plan = plan_of(corrected)
        return {c.defence: plan.graph[c.key] for c in plan.cells if c.condition.clean}

    before = cells()
    role = "masked-lm that corrects model"
    assert before["same"].data[role] == before["same"].data["encoder"]
    assert before["other"].data["masked-lm that corrects (2) model"] == encoder_fingerprint(str(tmp_path / "other"))
    assert before["other"].params["purify"] == ["sanitize", f"correct(model={tmp_path / 'other'})"]
    # Without a model nothing is said of one.
    assert before["correct"].params["purify"] == ["correct"]
    assert {name for name in before["correct"].data if "correct" in name} == {
        "purify correct words/en.txt",
        "purify correct words/sw.txt",
    }
    assert {"purify correct words/en.txt", "purify correct words/sw.txt"} <= {*before["same"].data}
    (tmp_path / "other" / "more.json").write_text("{}")  # every file of a checkpoint counts
    after = cells()
    assert {name for name in before if before[name].key != after[name].key} == {"other"}


@pytest.mark.slow
def test_a_model_that_corrects_and_shares_weights_with_the_one_that_reads_is_noted(
    corrected: str, tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    study = parse_study(corrected, ["perturb=[]", "targets.limit=12"])
    finished = run_study(study, out=tmp_path / "run", store=store, reporter=Silent())
    assert finished.outcome.complete, finished.outcome.failed
    results = pl.read_parquet(tmp_path / "run" / "results.parquet")
    said = {row["defence"]: " ".join(row["notes"]) for row in results.iter_rows(named=True)}
    assert {name: "shares its weights" in notes for name, notes in said.items()} == {
        "correct": False,
        "same": True,
        "other": False,
    }


def test_an_attack_is_on_the_model_behind_its_input_defence(text: str) -> None:
    plan = plan_of(text, "attack=[{recipe: deepwordbug, budget: 5, examples: 3, control: false, languages: [en]}]")
    attacked = {c.defence: c.rewrite for c in plan.cells if c.condition.attack != "none"}
    assert len(set(attacked.values())) == len(attacked) == 7
    step = plan.graph[str(attacked["sanitize"])]
    assert step.params["purify"] == ["sanitize"]
    assert "purify sanitize confusables.json" in step.data


def test_a_condition_is_of_a_defences_family_or_held_out(text: str) -> None:
    """`noise` trains on swap and `cat` on codemix; `sanitize` is made for look-alikes; robust training for neither."""
    recipe = "{recipe: %s, budget: 5, examples: 3, control: false, languages: [en]}"
    both = ", ".join(recipe % name for name in ("bad-characters(class=homoglyph)", "textbugger"))
    plan = plan_of(text, 'perturb=["swap:0.4", "swap:0.1+homoglyph:0.2", "homoglyph:0.3"]', f"attack=[{both}]")
    of: dict[str, dict[str, str]] = {}
    for cell in plan.cells:
        if cell.data.language == "en":
            of.setdefault(cell.defence, {})[cell.condition.name] = cell.familiarity
    assert set(of["none"].values()) == {"none"}
    assert {values["clean"] for values in of.values()} == {"none"}

    def known(defence: str) -> set[str]:
        return {name for name, value in of[defence].items() if value == "in-family"}

    assert known("sanitize") == {"homoglyph:0.3", "clean, bad-characters(class=homoglyph), 5 queries"}
    assert known("noise") == {"swap:0.4"}
    assert known("freelb") == known("cat") == set()
    assert set(of["freelb"].values()) == {"none", "held-out"}
    # What a run cannot tell apart changes no key: the same steps with and without the defence's family.
    assert {s.kind for s in plan.graph.values()} >= {"attack", "rewrite"}


def test_a_defence_learns_from_an_attack_on_its_training_data_alone(text: str) -> None:
    plan = plan_of(text)
    keys = trained(plan)
    step = plan.graph[keys["mined"]]
    ((role, key),) = [(role, key) for role, key in step.inputs.items() if role != "encoder"]
    assert role == "mined 0 snli/en/dev"
    attack = plan.graph[key]
    assert attack.kind == "attack"
    assert attack.inputs == {"model": keys["none"]}  # the undefended model of the same seed, trained once
    assert DataRef.from_json(attack.params["ref"]) == DataRef("snli", "en", "dev", limit=8)
    assert not {cell.data for cell in plan.cells} & {DataRef.from_json(attack.params["ref"])}
    other = plan_of(text, "defences.mined.mined.budget=7")
    assert trained(other)["mined"] != keys["mined"]
    (mined,) = TRAIN.load(step.params).mined
    assert (mined.role, mined.ref, mined.share) == (role, DataRef("snli", "en", "dev"), 1.0)


def test_what_is_searched_in_training_is_of_the_family(text: str) -> None:
    attacks = "[{recipe: deepwordbug, budget: 5, examples: 3, control: false}, "
    attacks += "{recipe: bad-characters, budget: 5, examples: 3, control: false}]"
    plan = plan_of(text, 'perturb=["swap:0.4", "case:0.4"]', f"attack={attacks}")
    of = {c.condition.name: c.familiarity for c in plan.cells if c.defence == "mined" and c.data.language == "es"}
    assert of == {
        "clean": "none",
        "swap:0.4": "in-family",
        "case:0.4": "held-out",
        "clean, deepwordbug, 5 queries": "in-family",
        "clean, bad-characters, 5 queries": "held-out",
    }


def test_a_purifier_is_made_for_perturbations_that_there_are() -> None:
    assert all(purifier.made_for <= set(PERTURBATIONS.names()) for purifier in PURIFIERS)
    assert all(PURIFIERS[name].made_for for name in ("sanitize", "correct"))


def test_robust_training_costs_its_passes(text: str) -> None:
    plan = plan_of(text, "defences.freelb={robust: {freelb: {steps: 4}}}", "defences.pgd={robust: pgd}")
    keys = trained(plan)
    passes = {name: robust_passes(TRAIN.load(plan.graph[key].params)) for name, key in keys.items()}
    assert passes == {"none": 1, "sanitize": 1, "noise": 1, "cat": 1, "pieces": 1, "mined": 1, "freelb": 4, "pgd": 4}
    assert plan.graph[keys["freelb"]].cost == pytest.approx(4 * plan.graph[keys["none"]].cost)


@pytest.mark.parametrize(
    ("override", "where", "what"),
    [
        ("defences.x={purify: sanitise}", "defences.x.purify", "sanitise"),
        ("defences.x={robust: freelbs}", "defences.x.robust", "freelbs"),
        ("defences.x={robust: {freelb: {stepz: 1}}}", "defences.x.robust.freelb", "stepz"),
        ("defences.x={augment: [swop:0.1]}", "defences.x.augment[0].spec", "swop"),
        ("defences.x={augment: [swap]}", "defences.x.augment[0].spec", "severity"),
        ("defences.x={augment: [shuffle:0.5]}", "defences.x.augment[0]", "diagnostic"),
        ('defences.x={augment: [{spec: "swap:0.1", pick: 2}]}', "defences.x.augment[0].pick", "no languages"),
        ('defences.x={augment: ["codemix(embed=de):0.5"]}', "augment[0]", "de"),
        ("defences.x={subwords: {bpe-dropout: {p: 1}}}", "defences.x.subwords.bpe-dropout", "p"),
        ("defences.x={subwords: bpe-dropuot}", "defences.x.subwords", "bpe-dropuot"),
        (
            "defences.x={subwords: unigram-sampling}",
            "defences.x.subwords",
            "Unigram tokenizers, and the encoder's is BPE",
        ),
        ("defences.x={mined: deepwordbog}", "defences.x.mined[0].recipe", "deepwordbog"),
        ("defences.x={mined: deepwordbug.random}", "defences.x.mined[0].recipe", "searches nothing"),
        ("defences.x={mined: entity-swap}", "defences.x.mined[0].recipe", "attacks none of the data"),
        ("defences.x={purify: correct}", "words", "lists of words"),
        ("defences.x={purify: sanitize(model=m)}", "defences.x.purify", "model"),
        ("defences.x={purify: correct(modle=m)}", "defences.x.purify", "did you mean 'model'"),
        ("defences.x={purify: correct(model=/nowhere)}", "defences.x.purify", "/nowhere"),
        (
            'defences.x={augment: [{spec: "swap:0.1", share: 0.6}, {spec: "swap:0.2", share: 0.6}]}',
            "defences.x",
            "at most to 1",
        ),
    ],
)
def test_what_no_defence_is_is_refused_with_its_place(text: str, override: str, where: str, what: str) -> None:
    with pytest.raises(UserError) as caught:
        plan_of(text, override)
    assert str(caught.value.where).endswith(where)
    assert what in str(caught.value)


@pytest.mark.slow
def test_a_run_with_all_of_them_has_a_row_for_each_and_repeats(text: str, tmp_path: Path) -> None:
    def go(workers: int, name: str) -> Path:
        store = Store(tmp_path / f"store-{name}")
        study: Study = parse_study(text, [])
        finished = run_study(study, out=tmp_path / name, store=store, reporter=Silent(), workers=workers)
        assert finished.outcome.complete, finished.outcome.failed
        return tmp_path / name

    one, two = go(1, "one"), go(2, "two")
    results = pl.read_parquet(one / "results.parquet")
    assert set(results["defence"]) == {"none", "sanitize", "freelb", "noise", "cat", "pieces", "mined"}
    assert results.group_by("defence").len()["len"].n_unique() == 1
    for path in sorted((one / "predictions").rglob("*.parquet")):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()
    assert set(results["n"]) == {9}
    sides = {(row["defence"], row["perturbation"]): row["familiarity"] for row in results.iter_rows(named=True)}
    assert sides["noise", "swap"] == "in-family"
    assert sides["freelb", "swap"] == sides["sanitize", "swap"] == "held-out"
    costs = {row["defence"]: row for row in pl.read_parquet(one / "costs.parquet").iter_rows(named=True)}
    assert set(costs) == set(results["defence"])
    # What an attack is learnt from is part of the cost: two steps for the model that is attacked.
    assert {name: row["steps"] for name, row in costs.items()} == dict.fromkeys(costs, 2.0) | {"mined": 4.0}
    assert costs["mined"]["train_cpu"] > costs["none"]["train_cpu"]
    notes = [x for row in results.filter(pl.col("defence") == "mined")["notes"].to_list() for x in row]
    assert any("of 8 attacked training examples of snli/en/dev worse" in note for note in notes)
    assert costs["sanitize"]["train_cpu"] == costs["none"]["train_cpu"] > 0  # one training serves both
    assert all(row["predict_cpu"] > 0 for row in costs.values())
    # The two share a model whose predictions a worker keeps: reading costs what purifying adds.
    assert costs["none"]["predict_cpu"] < costs["sanitize"]["predict_cpu"]
    report = (one / "report.html").read_text(encoding="utf-8")
    assert ">Defences</h2>" in report


def test_the_study_of_all_defences_plans() -> None:
    study = read_study(Path(__file__).resolve().parents[2] / "studies" / "defences.yaml")
    every = study.defences
    assert {name for d in every.values() for name in d.robust or ()} == {m.name for m in ROBUST}
    assert every["noise"].augment
    assert every["cat"].augment[0].pick == 2
    assert every["mined"].mined
    assert every["pieces"].subwords
    assert every["sanitize"].purify
    small = study.model_copy(update={"seeds": [1]})
    plan = make_plan(small)
    noisy = [c for c in plan.cells if c.condition.attack == "none" and not c.condition.clean]
    # Two are of the family of defences that train, one is what `sanitize` is made for, one is held out of all.
    of: dict[str, set[str]] = {c.condition.perturbation: set() for c in noisy}
    for c in noisy:
        of[c.condition.perturbation] |= {c.defence} if c.familiarity == "in-family" else set()
    assert of == {
        "swap": {"noise", "mined"},
        "codemix(embed=qlo)": {"cat"},
        "homoglyph": {"sanitize"},
        "word-order": set(),
    }
    assert {c.defence for c in plan.cells if c.condition.attack == "deepwordbug"} == set(every)


def test_the_table_of_defences_leaves_out_what_is_empty() -> None:
    spec = importlib.util.spec_from_file_location(
        "defence_table", Path(__file__).resolve().parents[2] / "benchmarks" / "defence_table.py"
    )
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    gains = ("+0.1 [-1.0, +1.2]", "+2.0 [+0.5, +3.5]", "", "", "")
    rows = [DefendedRow("noise", gains, ("100", "9.1 s (×1.05)", "", "", ""))]
    rows.append(DefendedRow("freelb", ("", "", "", "", ""), ("100", "27 s (×3.11)", "", "", "")))
    assert script.markdown(script.shown(rows)).splitlines() == [
        "| defence | clean | in-family | steps | training |",
        "|---|---|---|---|---|",
        "| noise | +0.1 [-1.0, +1.2] | +2.0 [+0.5, +3.5] | 100 | 9.1 s (×1.05) |",
        "| freelb | – | – | 100 | 27 s (×3.11) |",
    ]


def test_cat_takes_phrase_tables_whose_place_is_no_part_of_its_key(text: str, tmp_path: Path) -> None:
    keys = []
    for name, line in (("a", "the house\tla casa\t2"), ("b", "the house\tla casa\t2"), ("c", "the dog\tel perro\t2")):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "en-es.phrases.tsv").write_text(line, encoding="utf-8")
        spec = f'codemix-phrase(embed=es,phrases=\\"{folder}\\"):0.15'
        plan = plan_of(text, f'defences.phrases={{augment: [{{spec: "{spec}", share: 0.33, pick: 1}}]}}')
        keys.append(trained(plan)["phrases"])
        cells = [c for c in plan.cells if c.defence == "phrases" and not c.condition.clean]
        assert {c.familiarity for c in cells} == {"held-out"}
    assert keys[0] == keys[1] != keys[2]
    # Tables of a test set's own text may perturb it, which is said, and are not trained on.
    origin = '{"oracle": ["xnli"], "sources": ["xnli"]}'
    (folder / "en-es.phrases.origin.json").write_text(origin, encoding="utf-8")
    noise = f'perturb=["codemix-phrase(embed=es,phrases={folder}):0.5"]'
    said = "Tables in c were derived from the test text of xnli (oracle access)."
    assert said in plan_of(text, noise).notes
    attack = f'attack=["bumblebee-derived(embed=es,phrases={folder})"]'
    assert said in plan_of(text, attack).notes
    with pytest.raises(UserError, match=r"would train on tables .* derived from the test text of xnli"):
        plan_of(text, f'defences.phrases={{augment: [{{spec: "{spec}", share: 0.33, pick: 1}}]}}')
    for name, key in (("bumblebee-derived", "phrases"), ("polygloss", "lexicon")):
        recipe = f'{name}(embed=es,{key}=\\"{folder}\\")'
        (folder / "en-es.txt").write_text("dog perro\n", encoding="utf-8")
        with pytest.raises(UserError, match=r"would train on tables .* the test text of xnli") as refused:
            plan_of(text, f'defences.found={{mined: {{recipe: "{recipe}", budget: 6, examples: 8}}}}')
        assert refused.value.where == "defences.found.mined[0].recipe"
    (tmp_path / "lexicons" / "en-es.origin.json").write_text(origin, encoding="utf-8")
    with pytest.raises(UserError, match=r"codemix\(embed=es\) would train on tables"):
        plan_of(text)
