"""Sizes, encoders, the evaluation of a checkpoint and the catalogue."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crosswind.errors import UserError
from crosswind.model.encoder import load_encoder
from crosswind.steps.parameters import examples_of
from crosswind.steps.train import labelled_of, training_tokens
from crosswind.study.catalogue import CATALOGUE
from crosswind.study.encoders import encoder_fingerprint
from crosswind.study.evaluate import evaluation
from crosswind.study.resolve import routes, targets
from crosswind.study.spec import parse_study
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef

# Sizes


def test_examples_are_counted_from_declarations_alone() -> None:
    assert examples_of(DataRef("xnli", "sw", "test")) == 5010
    assert examples_of(DataRef("xnli", "sw", "test", limit=100)) == 100
    assert examples_of(DataRef("xnli", "sw", "test", rows="0-9,20-24")) == 15
    assert examples_of(DataRef("xnli", "sw", "test", rows="0-9", limit=7)) == 7


@pytest.mark.parametrize(
    ("phase", "labelled"),
    [
        ("{tasks: [mnli]}", 392_702),
        ("{tasks: [mnli], budget: {epochs: 2}}", 785_404),
        ("{tasks: [{name: mnli, rows: 0-99}], budget: {epochs: 3}}", 300),
        ("{tasks: [mnli], budget: {examples: 1000}}", 1000),
        ("{tasks: [mnli], budget: {steps: 10}, training: {batch_size: 16}}", 160),
        ("{tasks: [mnli], budget: {tokens: 5000}}", 100),  # about 50 tokens a pair
    ],
)
def test_a_budget_in_any_measure_is_a_number_of_examples(phase: str, labelled: float) -> None:
    text = f"name: s\nencoder: a/b\nroutes: {{r: [{phase}]}}\ntargets: {{tasks: {{xnli: {{}}}}}}\n"
    (plan,) = routes(parse_study(text))["r"]
    params = plan.params(seed=1)
    assert labelled_of(params) == labelled
    assert training_tokens(params) == labelled * 50


def test_masked_lm_comes_on_top_of_the_labelled_tokens() -> None:
    phase = "{tasks: [mnli], budget: {examples: 1000}, mlm: {share: 0.75}}"
    text = f"name: s\nencoder: a/b\nroutes: {{r: [{phase}]}}\ntargets: {{tasks: {{xnli: {{}}}}}}\n"
    (plan,) = routes(parse_study(text))["r"]
    assert training_tokens(plan.params(seed=1)) == 4 * 1000 * 50


# Encoders


def test_a_fingerprint_is_of_the_bytes_not_of_the_place(tiny_encoder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_encoder, copy)
    (copy / "README.md").write_text("a card")
    assert encoder_fingerprint(str(copy)) == encoder_fingerprint(str(tiny_encoder))
    for part in ("config.json", "tokenizer.json", "model.safetensors"):
        data = (copy / part).read_bytes()
        (copy / part).write_bytes(data + b" ")
        assert encoder_fingerprint(str(copy)) != encoder_fingerprint(str(tiny_encoder))
        (copy / part).write_bytes(data)
    assert encoder_fingerprint(str(copy)) == encoder_fingerprint(str(tiny_encoder))


@pytest.mark.parametrize(
    "name",
    [
        *("special_tokens_map.json", "bpe.codes", "sentencepiece.model", "source.spm", "vocab.bpe"),
        *("entity_vocab.json", "added_tokens.json", "pooling/config.json", "dense/model.safetensors", "notes.txt"),
    ],
)
def test_whatever_a_checkpoint_may_read_is_part_of_its_fingerprint(
    name: str, tiny_encoder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_encoder, copy)
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_text("one")
    before = encoder_fingerprint(str(copy))
    assert before != encoder_fingerprint(str(tiny_encoder))
    (copy / name).write_text("two")
    assert encoder_fingerprint(str(copy)) != before


@pytest.mark.parametrize(
    "name",
    [
        *("README.md", "LICENSE", ".gitattributes", ".git/config", "pytorch_model.bin", "onnx/model.onnx", "model.py"),
        *("__pycache__/a.x", "train.log", "runs/a/b", "checkpoint-500/model.safetensors", "trainer_state.json"),
    ],
)
def test_what_no_result_depends_on_is_no_part_of_a_fingerprint(name: str, tiny_encoder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_encoder, copy)
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_text("one")
    assert encoder_fingerprint(str(copy)) == encoder_fingerprint(str(tiny_encoder))


def test_a_name_that_no_repository_can_have_is_refused() -> None:
    with pytest.raises(UserError, match=r"encoder: 'micro\"world' is no folder, and no id that the hub could have"):
        encoder_fingerprint('micro"world')


def test_a_folder_without_a_checkpoint_says_what_it_needs(tiny_encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"encoder: no folder '\./nowhere'"):
        encoder_fingerprint("./nowhere")
    with pytest.raises(UserError, match=r"encoder: no checkpoint in .*\n  it needs config\.json and \*\.safetensors"):
        encoder_fingerprint(str(tmp_path))
    copy = tmp_path / "copy"
    shutil.copytree(tiny_encoder, copy)
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(UserError, match="weights are read from safetensors only"):
        encoder_fingerprint(str(copy))


def test_an_encoder_without_a_tokenizer_says_what_to_put_there(tiny_encoder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_encoder, copy)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (copy / name).unlink()
    with pytest.raises(UserError, match="no tokenizer"):
        encoder_fingerprint(str(copy))


def test_a_hub_id_without_a_network_has_its_revision_for_a_commit() -> None:
    assert encoder_fingerprint("owner/never-cached") == "owner/never-cached@main"
    assert encoder_fingerprint("owner/never-cached", "v1") == "owner/never-cached@v1"


def test_the_tiny_encoder_is_an_ordinary_checkpoint(tiny_encoder: Path) -> None:
    encoder = load_encoder(str(tiny_encoder))
    assert (encoder.layers, encoder.fresh) == (2, ())
    assert encoder.tokenizer.tokenize("the old house")


# The evaluation of a checkpoint


def test_an_evaluation_is_a_study_without_training() -> None:
    study = evaluation("model", ["xnli", "pawsx"], languages=["de"], perturb=["keyboard:0.1"], limit=5, max_length=96)
    assert (study.fine_tuned, study.routes, study.data.source) == (True, {"none": []}, "hub")
    plans = targets(study)
    assert [(t.task.name, t.chain, [d.language for d in t.data]) for t in plans] == [
        ("xnli", (), ["de"]),
        ("pawsx", (), ["de"]),
    ]
    assert {t.training.max_length for t in plans} == {96}
    assert evaluation("model", ["udpos"], data=Path.cwd()).data.source == "files"
    with pytest.raises(UserError, match="--data: no folder '/nodata'"):
        evaluation("model", ["udpos"], data=Path("/nodata"))


def test_a_task_is_evaluated_on_dev_where_it_has_no_test_set() -> None:
    (plan,) = targets(evaluation("model", ["tydiqa"], languages=["en"]))
    assert [d.split for d in plan.data] == ["dev"]


def test_the_microworlds_tasks_are_generated_wherever_official_files_lie(tmp_path: Path) -> None:
    assert evaluation("microworld", ["mw-sentences"], data=tmp_path).data.source == "microworld"
    with pytest.raises(UserError, match="mw-sentences is generated and tatoeba is not"):
        evaluation("microworld", ["tatoeba", "mw-sentences"], data=tmp_path)


def test_an_evaluation_of_nothing_is_refused() -> None:
    with pytest.raises(UserError, match="--task: no task is named"):
        evaluation("model", [])
    with pytest.raises(UserError, match="--limit: the limit is 0"):
        evaluation("model", ["xnli"], limit=0)


# The catalogue


@pytest.mark.parametrize("what", sorted(CATALOGUE))
def test_every_listing_names_and_describes_its_things(what: str) -> None:
    rows = CATALOGUE[what]()
    assert rows
    assert len({tuple(row) for row in rows}) == 1  # the same columns
    if what != "published":  # figures have sources and no names
        assert len({row["name"] for row in rows}) == len(rows)
    assert json.loads(json.dumps(rows)) == rows
    assert all(row.get("summary", "-") for row in rows)


def test_a_task_of_the_users_own_folder_is_listed(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(
        "from dataclasses import replace\n"
        "from crosswind.tasks.declared.xnli import XNLI\n"
        "OURS = replace(XNLI, name='our-nli', trains_on='our-nli')\n"
    )
    code = (
        "import json, sys, pathlib\n"
        "from crosswind.registry import include\n"
        "from crosswind.study.catalogue import CATALOGUE\n"
        "include(pathlib.Path(sys.argv[1]))\n"
        "print(json.dumps(CATALOGUE['tasks']()))\n"
    )
    listed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "our-nli" in {row["name"] for row in json.loads(listed.stdout)}
    assert "our-nli" not in TASKS
