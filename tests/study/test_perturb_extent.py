"""Perturbations of some fields and under named constraints: planned, run, signed and reported."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from crosswind.errors import UserError
from crosswind.perturb.constraint import parse_constraints
from crosswind.perturb.extent import Extent, check_fields
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.attacked import require_attackable
from crosswind.study.evaluate import evaluation
from crosswind.study.plan import make_plan
from crosswind.study.run import run_study
from crosswind.study.spec import parse_study

STUDY = """
name: extents
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 64}}
routes: {{none: []}}
targets: {{limit: 20, tasks: {{tatoeba: {{languages: [jv], train: []}}}}}}
perturb:
- "swap:0.5"
- {{spec: "swap:0.5", fields: query, constraints: [digits, "similarity(model={encoder},least=-1)"]}}
- {{spec: "swap:0.5", fields: [premise]}}
"""


def test_the_fields_of_each_kind() -> None:
    assert Extent(("premise",)).of("pair", ("first", "second")) == ("first",)
    assert Extent(("premise",)).of("choice", ("choices",)) == ("context",)
    assert Extent(("hypothesis", "question")).of("span", ("question", "context")) == ("question",)
    assert Extent(("text",)).of("tagging", ("words",)) == ("words",)
    assert Extent(("query", "pool")).of("query", ("query",)) == ("query", "pool")
    assert Extent(("premise",)).of("query", ("query",)) == ()
    assert Extent().of("pair", ("second",)) == ("second",)


def test_an_extent_is_in_the_name_of_the_condition_and_refuses_what_it_has_not() -> None:
    extent = Extent(check_fields(["pool", "query", "query"], "x"), parse_constraints(["digits", "chrf(least=90)"]))
    assert extent.suffix == "@query,pool~chrf(least=90)+digits"
    assert Extent().suffix == ""
    swap = parse_spec("swap:0.5")
    assert Extent(("premise",)).refusal(swap, TextScope("en", "query", ("query",)), "query") == (
        "examples of kind query have no premise"
    )
    negation = Extent((), parse_constraints(["negation"]))
    assert negation.refusal(swap, TextScope("en", "pair", ("first",)), "pair") is None
    assert negation.refusal(swap, TextScope("cy", "pair", ("first",)), "pair") is not None
    with pytest.raises(UserError, match="unknown field 'hypotesis'"):
        check_fields(["hypotesis"], "perturb[0].fields")


NLI = """
name: names
encoder: {encoder}
data: {{source: files, root: {data}}}
routes: {{none: []}}
targets: {{limit: 20, tasks: {{xnli: {{languages: [en], train: {{tasks: [{{name: snli, split: dev}}]}}}}}}}}
"""


def test_two_names_of_a_text_are_one_condition_of_noise_and_of_attacks(real_encoder: Path, small_data: Path) -> None:
    def conditions(fields: str) -> dict[str, str]:
        text = NLI.format(encoder=real_encoder, data=small_data)
        text += f"perturb: [{{spec: 'swap:0.5', fields: [{fields}]}}]\n"
        text += f"attack: [{{recipe: deepwordbug, fields: [{fields}], control: false}}]\n"
        cells = make_plan(parse_study(text)).cells
        return {c.condition.attack if c.perturbation == "clean" else c.perturbation: c.key for c in cells}

    for short, usual in (("first", "premise"), ("second", "hypothesis")):
        named = conditions(usual)
        assert set(named) == {"none", f"swap@{usual}", f"deepwordbug@{usual}"}
        assert conditions(short) == named


def test_a_refusal_of_fields_names_those_that_a_recipe_changes(real_encoder: Path, small_data: Path) -> None:
    study = parse_study(NLI.format(encoder=real_encoder, data=small_data))
    with pytest.raises(UserError, match="viper attacks premise, hypothesis of xnli, and is limited to words") as caught:
        require_attackable(study, "viper@words")
    assert caught.value.hint == "of xnli it changes premise, hypothesis"


@pytest.mark.slow
def test_a_study_signs_fields_and_constraints_and_measures_the_damage(
    tmp_path: Path, tiny_encoder: Path, small_data: Path
) -> None:
    study = parse_study(STUDY.format(encoder=tiny_encoder, data=small_data))
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert finished.outcome.complete
    rows = pl.read_parquet(tmp_path / "run" / "results.parquet").filter(pl.col("score").is_not_null())
    by = {row["perturbation"]: row for row in rows.to_dicts()}
    limited = next(name for name in by if name.startswith("swap@query~digits+similarity(model="))
    assert set(by) == {"clean", "swap", limited}
    assert "fields=query" in by[limited]["signature"]
    assert "constraints=" in by[limited]["signature"]
    assert "fields" not in by["swap"]["signature"]
    (left,) = pl.read_parquet(tmp_path / "run" / "left_out.parquet").to_dicts()
    assert left["reason"].startswith("examples of kind query have no premise")
    clean, noisy = by["clean"], by[limited]
    assert (clean["words_hit"], clean["edits"], clean["chrf"], clean["unknown_tokens"]) == (0, 0, 100, 0)
    assert clean["changed_sites"] is None
    assert 0.2 < noisy["changed_sites"] < 0.5  # of the pairs of letters that are drawn at .5, those that overlap go
    assert 0 < noisy["words_hit"] < 1
    assert noisy["edits"] > 1
    assert 30 < noisy["chrf"] < 95
    assert any(note.startswith("The constraint digits left 0 of 2") for note in noisy["notes"])
    # Nothing is predicted twice, and digits stand where they stood.
    (path,) = (p for p in (tmp_path / "run" / "rewrites").rglob("*.parquet") if "@" in p.name or "query" in p.name)
    assert set(pl.read_parquet(path)["part"]) == {"example"}


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ("{spec: 'swap:0.5', fields: [premis]}", "perturb[0].fields"),
        ("{spec: 'swap:0.5', constraints: digit}", "perturb[0].constraints"),
    ],
)
def test_a_mistake_is_named_at_its_key(entry: str, where: str, real_encoder: Path, small_data: Path) -> None:
    text = STUDY.format(encoder=real_encoder, data=small_data).partition("perturb:")[0] + f"perturb: [{entry}]\n"
    with pytest.raises(UserError) as caught:
        make_plan(parse_study(text))
    assert caught.value.where == where


def test_the_command_line_names_fields_and_constraints(real_encoder: Path, small_data: Path) -> None:
    study = evaluation(
        str(real_encoder),
        ["xnli"],
        languages=["en"],
        data=small_data,
        perturb=["swap:0.5"],
        fields=["hypothesis"],
        constraints=["digits"],
        predictions=(),
    )
    (entry,) = study.section("perturb")
    assert (entry.spec, entry.fields, entry.constraints) == ("swap:0.5", ["hypothesis"], ["digits"])
    with pytest.raises(UserError, match="fields and constraints of no perturbation"):
        evaluation(str(real_encoder), ["xnli"], data=small_data, fields=["hypothesis"])
