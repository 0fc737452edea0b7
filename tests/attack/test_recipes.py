"""Every recipe: where it applies, that it keeps its limits, and what its alternatives are."""

from __future__ import annotations

import importlib.util
import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crosswind.analysis.condition import is_control
from crosswind.attack.matrix import recipe_cells
from crosswind.attack.outcome import Attacked
from crosswind.attack.prepare import SpaceMaker
from crosswind.attack.recipe import RECIPES, Call, needed_spec, parse_recipe, unattackable
from crosswind.attack.run import AttackBudget, attack_examples, perturbed_by
from crosswind.attack.space import GoalVerdict
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import Dataset, SpanExample, TaggingExample
from crosswind.data.source import open_source
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS
from crosswind.model.filling import EncoderFiller
from crosswind.model.subwords import encoder_aligner
from crosswind.perturb.draw import key
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.needs import DataNeed, ModelNeed
from crosswind.perturb.retag import entities
from crosswind.study.attacked import control_of
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

ENVIRONMENT = environment_of("microworld")
SOURCE = open_source({"source": "microworld"})
# Recipe with its parameters -> a task and a language of the microworld that it attacks.
WHERE = {
    "polygloss(embed=qlo)": ("mw-nli", "qla-Latn"),
    "deepwordbug": ("mw-pos", "qcy-Cyrl"),
    "textbugger": ("mw-nli", "en"),
    "bad-characters(edits=2)": ("mw-causes", "qla-Latn"),
    "bad-characters(class=homoglyph,edits=2)": ("mw-nli", "qcy-Cyrl"),
    "bad-characters(class=reorder,edits=2)": ("mw-nli", "qhb-Hebr"),
    "bad-characters(class=deletion,edits=2)": ("mw-nli", "qdv-Deva"),
    "viper": ("mw-nli", "qgr-Grek"),
    "stresstest": ("mw-nli", "en"),
    "add-one-sent": ("mw-qa", "qla-Latn"),
    "add-sent": ("mw-qa", "qth-Thai"),
    "entity-swap": ("mw-ner", "qla-Latn"),
    "bert-attack(model=microworld)": ("mw-nli", "qla-Latn"),
    "bae(model=microworld)": ("mw-ner", "qcy-Cyrl"),
    "clare(model=microworld)": ("mw-nli", "en"),
    "bumblebee(embed=qcy,qlo,model=microworld)": ("mw-nli", "qla-Latn"),
    'morpheus(tables="TABLES")': ("mw-nli", "qla-Latn"),
    'bumblebee-derived(embed=qcy,phrases="TABLES")': ("mw-nli", "qla-Latn"),
    "genetic(model=microworld,top=4,population=4)": ("mw-nli", "qla-Latn"),
}


def stubborn(task: str) -> PredictingVictim:
    """A victim that is always right, with a loss by a hash of the text: every attack uses its budget up."""

    def predict(examples: Any) -> list[dict[str, Any]]:
        records = []
        for e in examples:
            record: dict[str, Any] = {"loss": key(repr(e)) / 2**64}
            if isinstance(e, TaggingExample):
                record["tags"] = list(e.tags or ())
            elif isinstance(e, SpanExample):
                record["text"] = e.answer_texts[0]
            else:
                record["scores"] = [float(i == e.label) for i in range(len(getattr(e, "choices", "abc")))]
            records.append(record)
        return records

    return PredictingVictim(predict, METRICS[TASKS[task].metric], classes=len(TASKS[task].labels))


@pytest.fixture(autouse=True, scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of two forms for every word of some sentences, and one of phrases for their pairs of words."""
    folder = tmp_path_factory.mktemp("tables")
    examples = load(TASKS["mw-nli"], "qla-Latn", "test", SOURCE, limit=6).examples
    known = sorted({w.lower() for e in examples for w in e.first.split()})  # type: ignore[union-attr]
    rows = [f"{w}\t{form}\tN;NOM" for w in known for form in (w, w + "is")]
    (folder / "inflections-qla.tsv").write_text("\n".join(rows), encoding="utf-8")
    sentences = [e.first.lower().strip(".").split() for e in examples]  # type: ignore[union-attr]
    phrases = dict.fromkeys(" ".join(pair) for some in sentences for pair in itertools.pairwise(some))
    lines = [f"{phrase}\tслово-{i} другое\t{i + 1}" for i, phrase in enumerate(phrases)]
    (folder / "qla-qcy.phrases.tsv").write_text("\n".join(lines), encoding="utf-8")
    _TABLES.append(folder)
    return folder


_TABLES: list[Path] = []


def written(recipe: str) -> str:
    return recipe.replace("TABLES", str(_TABLES[-1]))


def attacked(recipe: str, budget: int = 20, limit: int = 6) -> tuple[Dataset, list[Attacked]]:
    task, language = WHERE[recipe.replace(".random", "")]
    recipe = written(recipe)
    data = load(TASKS[task], language, "test", SOURCE, limit=limit)
    whole = load(TASKS[task], language, "test", SOURCE)
    call = parse_recipe(recipe)
    setting = call.setting(TASKS[task], language, ENVIRONMENT)
    spec = needed_spec(call, setting)
    needs = spec.needs(setting.scope(call.declaration.fields(setting)))
    resolved: dict[Any, Any] = {}
    for need in needs:
        if isinstance(need, DataNeed):
            resolved[need] = load(TASKS[task], need.language, "test", SOURCE) if need.language else whole
        else:
            assert isinstance(need, ModelNeed)
            make = encoder_aligner if need.role == "aligner" else EncoderFiller
            resolved[need] = make(place_of(need.source))
    return data, attack_examples(stubborn(task), data.examples, call, setting, AttackBudget(budget), resolved=resolved)


def test_every_recipe_is_tried_here() -> None:
    of_models = {r.name for r in RECIPES if r.access == "gradient" or r.pool is not None}  # in test_attack_models.py
    assert {name.partition("(")[0] for name in WHERE} == set(RECIPES.names()) - of_models


@pytest.mark.parametrize("recipe", WHERE)
def test_a_recipe_changes_texts_within_its_limits(recipe: str) -> None:
    data, outcomes = attacked(recipe)
    call = parse_recipe(written(recipe))
    setting = call.setting(TASKS[data.task], data.language, ENVIRONMENT)
    limit, rate = call.declaration.most_changes(setting), call.declaration.most_edits(setting)
    assert any(o.changed for o in outcomes)
    for o in outcomes:
        assert o.queries <= 20
        assert limit is None or o.changes <= limit
        assert o.edit_rate <= rate
    perturbed = perturbed_by(data, outcomes)
    for before, after in zip(data.examples, perturbed.examples, strict=True):
        if isinstance(before, TaggingExample):
            assert isinstance(after.example, TaggingExample)
            assert after.example.tags == before.tags


def test_a_recipe_whose_search_does_not_look_is_its_own_control() -> None:
    for recipe in RECIPES:
        setting = Call(recipe.name).setting(TASKS["xquad" if recipe.kinds == ("span",) else "xnli"], "en")
        if all(p.default is not None or p.location for p in recipe.params):
            assert recipe.blind == (recipe.search(setting).name in ("random", "singles")), recipe.name


@pytest.mark.parametrize("recipe", [r for r in WHERE if "(" not in r])
def test_the_control_of_a_recipe_draws_from_the_same_alternatives(recipe: str) -> None:
    _, attack = attacked(recipe)
    _, control = attacked(f"{recipe}.random")
    assert [(o.positions, o.alternatives, o.words) for o in attack] == [
        (o.positions, o.alternatives, o.words) for o in control
    ]
    assert all(o.queries <= 20 for o in control)


def test_entities_become_others_of_their_type_and_length() -> None:
    data, outcomes = attacked("entity-swap", budget=40, limit=12)
    known: dict[tuple[str, int], set[tuple[str, ...]]] = {}
    for e in load(TASKS["mw-ner"], "qla-Latn", "test", SOURCE).examples:
        assert isinstance(e, TaggingExample)
        for group in entities(e.tags or ()):
            kind = ((e.tags or ())[group[0]][2:], len(group))
            known.setdefault(kind, set()).add(tuple(e.words[i] for i in group))
    changed = 0
    for before, after in zip(data.examples, perturbed_by(data, outcomes).examples, strict=True):
        assert isinstance(before, TaggingExample)
        assert isinstance(after.example, TaggingExample)
        inside = {i for group in entities(before.tags or ()) for i in group}
        for i, (a, b) in enumerate(zip(before.words, after.example.words, strict=True)):
            assert a == b or i in inside
        for group in entities(before.tags or ()):
            words = tuple(after.example.words[i] for i in group)
            assert words in known[(before.tags or ())[group[0]][2:], len(group)]
            changed += words != tuple(before.words[i] for i in group)
    assert changed


def test_bumblebees_phrases_stand_in_the_items_own_translations() -> None:
    recipe = "bumblebee(embed=qcy,qlo,model=microworld)"
    data, outcomes = attacked(recipe, budget=60)
    others = [{e.id: e for e in load(TASKS["mw-nli"], c, "test", SOURCE).examples} for c in ("qcy-Cyrl", "qlo-Latn")]
    changed = 0
    for before, outcome in zip(data.examples, outcomes, strict=True):
        for field, rewrite in outcome.rewrites.items():
            kept = [p for p in rewrite.pieces if not hasattr(p, "text")]
            assert rewrite.length == len(getattr(before, field))
            for piece in rewrite.pieces:
                if hasattr(piece, "text"):
                    assert any(piece.text.lower() in getattr(o[before.id], field).lower() for o in others)
                    assert 1 <= len(piece.text.split()) <= 4
                    changed += 1
            assert len(kept) <= len(rewrite.pieces)
    assert changed > 3


def test_bumblebee_has_a_twin_that_knows_a_phrase_table_alone() -> None:
    recipe = 'bumblebee-derived(embed=qcy,phrases="TABLES")'
    call = parse_recipe(written(recipe))
    setting = call.setting(TASKS["mw-nli"], "qla-Latn", ENVIRONMENT)
    assert call.name == "bumblebee-derived(embed=qcy)"
    assert not call.declaration.knows(setting)
    assert needed_spec(call, setting).needs(setting.scope(("first", "second"))) == ()
    _, outcomes = attacked(recipe, budget=60)
    new = [p.text for o in outcomes for r in o.rewrites.values() for p in r.pieces if hasattr(p, "text")]
    assert len(new) > 3
    assert all(re.fullmatch(r"слово-\d+ другое", text, re.IGNORECASE) for text in new)


def test_a_masked_language_model_proposes_as_many_words_as_it_is_asked_for() -> None:
    data = load(TASKS["mw-nli"], "qla-Latn", "test", SOURCE, limit=2)
    filler = EncoderFiller(place_of("microworld"))
    counts = {}
    for top in (3, 5):
        call = parse_recipe(f"bert-attack(model=microworld,top={top})")
        setting = call.setting(TASKS["mw-nli"], "qla-Latn", ENVIRONMENT)
        spec = needed_spec(call, setting)
        resolved = dict.fromkeys(spec.needs(setting.scope(call.declaration.fields(setting))), filler)
        maker = SpaceMaker(call.declaration, setting, resolved=resolved)
        (space, *_) = maker([(i, e, GoalVerdict(0.0, 1.0)) for i, e in enumerate(data.examples)])
        assert {len(site.options) for site in space.sites} == {top}
        counts[top] = space.size
    assert counts[5] * 3 == counts[3] * 5


def test_stress_tests_are_naiks_sentences() -> None:
    data, outcomes = attacked("stresstest")
    texts = set()
    for before, after in zip(data.examples, perturbed_by(data, outcomes).examples, strict=True):
        for field in ("first", "second"):
            old, new = getattr(before, field), getattr(after.example, field)
            if old != new:
                stem = old.rstrip(" .!?")
                assert new.startswith(stem)
                texts.add(new[len(stem) :].rstrip(" .!?"))
    # Naik et al. 2018, §3.2.
    assert texts <= {" and true is true", " and false is not true", " and true is true" * 5}
    assert len(texts) > 1


def test_the_published_setting_takes_the_papers_numbers_and_is_refused_where_there_are_none() -> None:
    call = parse_recipe("bad-characters(setting=published,class=deletion)")
    setting = call.setting(TASKS["mw-nli"], "en", ENVIRONMENT)
    # Boucher et al. 2022, §V: at most 5 edits, a population of 32, up to 10 generations.
    assert [setting.params[n] for n in ("edits", "population", "generations")] == [5, 32, 10]
    assert setting.params["class"] == "deletion"
    with pytest.raises(Exception, match="no published setting"):
        parse_recipe("entity-swap(setting=published)")


def test_the_reason_is_told_where_a_recipe_does_not_apply() -> None:
    def reason(recipe: str, task: str, language: str) -> str:
        call = parse_recipe(recipe)
        return unattackable(call, call.setting(TASKS[task], language, ENVIRONMENT)) or ""

    assert "attacks span tasks; mw-nli is a pair task" in reason("add-one-sent", "mw-nli", "en")
    assert "only natural language inference" in reason("stresstest", "mw-paraphrase", "en")
    assert "only for" in reason("stresstest", "mw-nli", "qla-Latn")
    assert "join" in reason("bad-characters(class=reorder)", "panx", "ar")
    assert reason("bad-characters", "panx", "ar") == ""
    assert "only named-entity recognition" in reason("entity-swap", "udpos", "de")


def test_a_recipe_attacks_only_the_fields_that_are_named_and_so_does_its_control() -> None:
    data = load(TASKS["mw-nli"], "qla-Latn", "test", SOURCE, limit=6)
    call = parse_recipe("deepwordbug(edits=0.5)").limited_to(["hypothesis"], "--fields")
    assert call.name == "deepwordbug(edits=0.5)@hypothesis"
    assert parse_recipe(call.name) == call
    assert call.counterpart().name == "deepwordbug.random(edits=0.5)@hypothesis" == control_of(call.name)
    assert control_of("deepwordbug@premise;restarts=2") == "deepwordbug.random@premise;restarts=2"
    assert is_control("deepwordbug.random@premise")
    assert not is_control("deepwordbug@premise;digits")
    for one in (call, call.counterpart()):
        setting = one.setting(TASKS["mw-nli"], "qla-Latn", ENVIRONMENT)
        outcomes = attack_examples(stubborn("mw-nli"), data.examples, one, setting, AttackBudget(30))
        after = [p.example for p in perturbed_by(data, outcomes).examples]
        assert [e.first for e in after] == [e.first for e in data.examples]  # type: ignore[union-attr]
        assert sum(a.second != b.second for a, b in zip(after, data.examples, strict=True)) > 3  # type: ignore[union-attr]


def test_fields_that_a_recipe_cannot_be_limited_to_are_refused() -> None:
    def reason(recipe: str, task: str) -> str:
        call = parse_recipe(recipe)
        return unattackable(call, call.setting(TASKS[task], "en", ENVIRONMENT)) or ""

    assert reason("add-one-sent@question", "mw-qa") == "the context of this task may not change"
    assert "changes no field" in reason("universal-trigger@hypothesis", "mw-nli")
    limited = "deepwordbug attacks premise, hypothesis of mw-nli, and is limited to words"
    assert reason("deepwordbug@words", "mw-nli") == limited
    assert reason("deepwordbug@premise,words", "mw-pos") == ""
    with pytest.raises(UserError, match="hypotesis"):
        parse_recipe("deepwordbug@hypotesis", where="--recipe")
    with pytest.raises(UserError, match="once more"):
        parse_recipe("deepwordbug@premise").limited_to(["hypothesis"], "--fields")
    # Two names of one text of a pair are one in results; of other kinds they are not the same.
    call = parse_recipe("deepwordbug@second,first")
    assert call.named_for("pair").name == "deepwordbug@premise,hypothesis"
    assert call.named_for("choice").name == "deepwordbug@first,second"
    for name in ("deepwordbug", "deepwordbug@hypothesis", "deepwordbug@text"):
        assert parse_recipe(name).named_for("pair").name == name
    # An @ within brackets is a parameter's.
    assert parse_recipe("bert-attack(model=name@main)").fields == ()


def test_a_smaller_limit_of_words_is_kept() -> None:
    data = load(TASKS["mw-nli"], "qla-Latn", "test", SOURCE, limit=4)
    call = parse_recipe("deepwordbug(edits=0.2)")
    setting = call.setting(TASKS["mw-nli"], "qla-Latn", ENVIRONMENT)
    outcomes = attack_examples(stubborn("mw-nli"), data.examples, call, setting, AttackBudget(400))
    assert all(o.edit_rate <= 0.2 for o in outcomes)
    assert sum(o.refused.get("label or edits", 0) for o in outcomes)
    empty = [replace(e, first="…", second="…") for e in data.examples]  # type: ignore[call-arg]
    assert {o.end for o in attack_examples(stubborn("mw-nli"), empty, call, setting, AttackBudget(5))} == {"no site"}


def test_the_guide_to_the_recipes_is_up_to_date() -> None:
    root = Path(__file__).resolve().parents[2]
    spec = importlib.util.spec_from_file_location("recipe_guide", root / "benchmarks" / "recipe_guide.py")
    assert spec is not None
    assert spec.loader is not None
    guide = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(guide)
    text = (root / "docs" / "attacks.md").read_text(encoding="utf-8")
    assert guide.page(text) == text, "python benchmarks/recipe_guide.py writes it"
    # A recipe that differs from another in its name alone is none.
    written, mark, measured = text.partition("### What each reaches")
    declared = written.partition("<!-- generated by benchmarks/recipe_guide.py -->")[2]
    assert mark
    assert declared
    rows = [line.split(" | ")[1:] for line in declared.splitlines() if line.startswith("| `")]
    assert len(rows) == len(RECIPES.names())
    assert len({tuple(row) for row in rows}) == len(rows)
    # Each was measured, at the same budget, or is named as one that was not.
    names = {re.split(r"[(`]", line[3:])[0] for line in measured.splitlines() if line.startswith("| `")}
    named = re.search(r"^Not measured: (.*)", measured, re.MULTILINE)
    others = set(re.findall(r"`([^`]*)`", named[1])) if named else set()
    assert names | others == {*RECIPES.names()}
    assert not names & others


def test_the_matrix_says_where_each_recipe_attacks() -> None:
    cells = {(c.perturbation, c.kind, c.language): (c.state, c.reason) for c in recipe_cells(("de", "ar", "th"))}
    assert len(cells) == (len(RECIPES.names()) + 3) * 7 * 3  # four classes of Bad Characters, each a row
    # Arabic letters join, so that nothing is reordered among them; look-alikes are asked for in one script alone.
    classes = ("invisible", "homoglyph", "reorder", "deletion")
    of_class = {c: [cells[f"bad-characters(class={c})", "nli", x][0] for x in ("de", "ar", "th")] for c in classes}
    assert of_class["invisible"] == of_class["deletion"] == ["applies"] * 3
    assert of_class["reorder"] == ["applies", "n/a", "applies"]
    assert of_class["homoglyph"][0] == "applies"
    assert cells["deepwordbug", "ner", "th"][0] == "applies"
    assert cells["stresstest", "nli", "ar"][0] == "applies"
    assert cells["stresstest", "paraphrase", "ar"] == (
        "n/a",
        "only natural language inference has a hypothesis to distract",
    )
    assert cells["add-one-sent", "nli", "de"] == ("n/a", "it attacks span tasks")
    assert cells["bert-attack", "qa", "de"] == ("needs", "bert-attack needs model")
    assert cells["polygloss", "nli", "de"][0] == "needs"
