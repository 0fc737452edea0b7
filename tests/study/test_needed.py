"""Models that perturbations and constraints need, where no study resolves them: lines, files, reviews, API."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crosswind.cli import app
from crosswind.errors import UserError
from crosswind.model.filling import EncoderFiller
from crosswind.model.needed import loaded_model
from crosswind.perturb.constraint import parse_constraints
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.needs import DataNeed, ModelNeed, StepNeed
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.study.encoders import place_of
from crosswind.study.needed import NeedsMet, met_on_lines

TEXT = "The old dog sleeps in the garden of the house."
MLM = "mlm(model=microworld):1"


def perturbed(*arguments: str, text: str = TEXT) -> str:
    result = CliRunner().invoke(app, ["perturb", *arguments], input=text + "\n")
    assert result.exit_code == 0, result.output
    return result.stdout.removesuffix("\n")


def test_lines_get_words_of_the_model_that_a_perturbation_names() -> None:
    new = perturbed(MLM, "--language", "en")
    spec, scope = parse_spec(MLM), TextScope("en")
    (need,) = spec.needs(scope)
    filler = loaded_model("masked-lm", place_of("microworld"))
    assert isinstance(filler, EncoderFiller)
    assert [new] == list(perturb_lines([TEXT], spec, "en", draw=1, resolved={need: filler}))
    assert len(new.split()) == len(TEXT.split())
    assert new != TEXT


def test_the_severity_of_a_damage_is_found_with_the_model_too() -> None:
    call = ["perturb", "mlm(model=microworld)", "--damage", "words=0.3", "--language", "en"]
    result = CliRunner().invoke(app, call, input=TEXT + "\n")
    assert result.exit_code == 0, result.output
    assert "words=0.3 on the first 1 lines" in result.stderr
    assert sum(a != b for a, b in zip(result.stdout.split(), TEXT.split(), strict=True)) == 3


def test_lines_obey_constraints_of_models_and_of_texts() -> None:
    noisy = perturbed("keyboard:0.9", "--language", "en")
    near = "similarity(model=microworld,least={})"
    assert perturbed("keyboard:0.9", "--language", "en", "--constraint", near.format(-1)) == noisy
    assert perturbed("keyboard:0.9", "--language", "en", "--constraint", near.format(1)) == TEXT
    (judge,) = NeedsMet().of(parse_constraints([near.format(0)])[0].needs()).values()
    (least,) = judge([(TEXT, noisy)])
    least = (1 + least) / 2  # what all of the noise leaves is farther, what none of it leaves nearer
    some = perturbed("keyboard:0.9", "--language", "en", "--constraint", near.format(least))
    assert some not in (TEXT, noisy)
    assert judge([(TEXT, some)])[0] >= least
    assert "1999" in perturbed("keyboard:1", "--language", "en", "--constraint", "digits", text="in 1999, here")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["mlm(model=./nowhere):1"], "masked-lm model: no folder './nowhere'"),
        (["swap:1", "--constraint", "similarity(model=./nowhere)"], "similarity model: no folder './nowhere'"),
        (["swap:1", "--constraint", "digit"], "--constraint: unknown constraint 'digit'"),
        (["swap:1", "--constraint", "negation", "--language", "tlh"], "--constraint: "),
        (["entity-swap:1"], "SPEC: only named-entity recognition has entities"),
        (["hard-negatives:1"], "SPEC: only retrieval has candidates to add to"),
        (["translated-phrase(embed=de,model=./nowhere):1"], "SPEC: no translations of line examples"),
    ],
)
def test_what_lines_cannot_have_is_refused_before_anything_is_read(call: list[str], message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        app(["perturb", *call])


def test_a_model_is_loaded_once_and_what_only_a_study_has_is_left_to_who_needs_it() -> None:
    similar, donors = ModelNeed("similarity", "microworld"), DataNeed("donors")
    needs = NeedsMet()
    first = needs.of([similar, donors, StepNeed("words", "lexicon")])
    assert list(first) == [similar]
    assert needs.of([similar])[similar] is first[similar]
    assert loaded_model("tagger of mine", "anywhere") == "anywhere"
    with pytest.raises(NotApplicable, match="only choice questions have options"):
        met_on_lines(parse_spec("option-order:1"), TextScope("en"), ())


def test_files_and_reviews_get_the_models_too(official_data: Callable[..., Path], tmp_path: Path) -> None:
    root = official_data("xcopa")
    call = ["--task", "xcopa", "--language", "et", "--split", "dev", "--data", str(root)]
    result = CliRunner().invoke(app, ["perturb", "mlm(model=microworld):0.5", *call, "--constraint", "digits"])
    assert result.exit_code == 0, result.output
    changed = [json.loads(line) for line in result.stdout.splitlines()]
    clean = [json.loads(line) for line in (root / "xcopa/data/et/val.et.jsonl").read_text("utf-8").splitlines()]
    assert [c["label"] for c in changed] == [c["label"] for c in clean]
    assert sum(a["premise"] != b["premise"] for a, b in zip(changed, clean, strict=True)) > 50
    phrases = ["translated-phrase(embed=it,model=microworld):1", *call, "--constraint", "edit-rate(most=0.3)"]
    result = CliRunner().invoke(app, ["perturb", *phrases, "--review", "3", "-o", str(tmp_path / "review")])
    assert result.exit_code == 0, result.output
    about = json.loads((tmp_path / "review" / "key.json").read_text(encoding="utf-8"))
    assert about["spec"].endswith(":1~edit-rate(most=0.3)")
    assert sum(item["kind"] == "perturbed" for item in about["items"].values()) == 3
