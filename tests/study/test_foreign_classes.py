"""Evaluating checkpoints that Crosswind did not make: how their classes and lengths were read stands in the results."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from safetensors.torch import load_file, save_file

from crosswind.cli import main
from crosswind.errors import UserError
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.encoders import describe_encoder
from crosswind.study.evaluate import evaluation, pooling_option
from crosswind.study.plan import make_plan
from crosswind.study.run import run_study
from crosswind.study.spec import PoolingSpec

NLI = ("entailment", "neutral", "contradiction")


@pytest.fixture
def classifier(tiny_encoder: Path, tmp_path: Path) -> Callable[..., Path]:
    """`classifier("entail", …)`: somebody's fine-tuned checkpoint with classes of these names."""

    def write(*names: str) -> Path:
        encoder = load_encoder(str(tiny_encoder))
        head: Any = attach(encoder, "pair", names, seed=3)
        folder = tmp_path / "theirs"
        head.module.save_pretrained(folder)
        encoder.tokenizer.save_pretrained(folder)
        return folder

    return write


def evaluated(model: Path, data: Path, tmp_path: Path, **options: Any) -> pl.DataFrame:
    study = evaluation(str(model), ["xnli"], languages=["en"], data=data, limit=9, **options)
    finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
    assert not finished.outcome.failed
    return pl.read_parquet(tmp_path / "run" / "results.parquet").filter(pl.col("metric") == "accuracy")


def test_classes_without_names_are_refused_before_anything_runs_with_exit_code_2(
    classifier: Callable[..., Path],
    small_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = classifier("LABEL_0", "LABEL_1", "LABEL_2")
    command = ["crosswind", "evaluate", str(model), "--task", "xnli", "--languages", "en", "--data", str(small_data)]
    monkeypatch.setattr(sys, "argv", [*command, "--store", str(tmp_path / "store"), "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "have no names (LABEL_0, LABEL_1, LABEL_2), and their order is not known" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
    # transformers makes such names up where config.json has none
    config = json.loads((model / "config.json").read_text())
    del config["id2label"], config["label2id"]
    (model / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="have no names"):
        make_plan(evaluation(str(model), ["xnli"], languages=["en"], data=small_data))


def test_named_classes_are_part_of_keys_and_signature_and_turn_the_score(
    classifier: Callable[..., Path], small_data: Path, tmp_path: Path
) -> None:
    model = classifier("LABEL_0", "LABEL_1", "LABEL_2")
    straight = evaluated(model, small_data, tmp_path, labels=NLI)
    turned = evaluated(model, small_data, tmp_path, labels=NLI[::-1])
    assert "labels=entailment,neutral,contradiction" in straight["signature"][0]
    assert "labels=contradiction,neutral,entailment" in turned["signature"][0]
    assert straight["cell"][0] != turned["cell"][0]


def test_other_spellings_more_classes_and_cut_rows_stand_in_notes_and_signature(
    classifier: Callable[..., Path], small_data: Path, tmp_path: Path
) -> None:
    model = classifier("Contradict", "neutral ", "entailment", "hidden")
    positions = load_encoder(str(model)).max_positions
    row = evaluated(model, small_data, tmp_path, max_length=positions + 900)
    notes = " ".join(row["notes"][0])
    assert "classes were read as the task's: Contradict as contradiction, neutral as neutral." in notes
    assert "The model has 1 class that the task has not (hidden), which is never right." in notes
    assert (
        f"Rows have {positions} tokens, all that the model has positions for; {positions + 900} were asked for."
        in notes
    )
    signature = row["signature"][0]
    assert f"|max_length={positions}|" in signature
    assert "classes_read=Contradict>contradiction,neutral >neutral" in signature
    assert "classes_beyond=hidden" in signature
    short = evaluated(model, small_data, tmp_path, max_length=12)
    assert "9 of 9 pairs were longer than 12 tokens and were cut." in short["notes"][0]


def test_one_bias_that_is_no_number_is_found_before_the_plan_runs_and_named_with_its_layer(
    classifier: Callable[..., Path], small_data: Path, tmp_path: Path
) -> None:
    model = classifier(*NLI)
    weights = load_file(model / "model.safetensors")
    weights["classifier.out_proj.bias"][1] = float("nan")
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    study = evaluation(str(model), ["xnli"], languages=["en"], data=small_data, limit=3)
    said = r"theirs gives nan as a class's score of a short example; the first layer to do so is classifier\.out_proj"
    with pytest.raises(UserError, match=said):
        run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())


def test_an_option_that_no_task_reads_is_refused() -> None:
    for options, named in (
        ({"stride": 64}, "--stride"),
        ({"pooling": PoolingSpec(mode="cls")}, "--pooling and --prefix"),
    ):
        with pytest.raises(UserError, match=f"none of the tasks reads {named}"):
            evaluation("model", ["xnli"], **options)
    with pytest.raises(UserError, match="none of the tasks reads --labels"):
        evaluation("model", ["xquad"], labels=NLI)


def test_pooling_and_prefix_are_read_from_one_word_each() -> None:
    assert pooling_option(None, None) is None
    assert pooling_option("mean:8", None) == PoolingSpec(mode="mean", layer=8)
    assert pooling_option("mean:0.6", "query: ") == PoolingSpec(mode="mean", layer=0.6, prefix="query: ")
    assert pooling_option(None, "query: ") == PoolingSpec(prefix="query: ")  # the rest is the checkpoint's own
    with pytest.raises(UserError, match="--pooling: unknown pooling 'men'"):
        pooling_option("men", None)
    with pytest.raises(UserError, match="'x' is no layer"):
        pooling_option("mean:x", None)


def test_a_prefix_goes_before_every_text_and_stands_in_the_signature(
    tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    def scored(**options: Any) -> pl.DataFrame:
        study = evaluation(str(tiny_encoder), ["tatoeba"], languages=["jv"], data=small_data, limit=20, **options)
        finished = run_study(study, out=tmp_path / "run", store=Store(tmp_path / "store"), reporter=Silent())
        assert not finished.outcome.failed
        return pl.read_parquet(tmp_path / "run" / "results.parquet")

    plain, prefixed = scored(), scored(pooling=pooling_option(None, "query: "))
    assert "prefix" not in plain["signature"][0]
    assert "|pooling=mean|" in prefixed["signature"][0]
    assert "|prefix=query: |" in prefixed["signature"][0]
    assert plain["cell"][0] != prefixed["cell"][0]


def test_an_encoder_of_any_architecture_is_described_without_none(tmp_path: Path) -> None:
    for config in (
        {"n_layers": 6, "dim": 768, "vocab_size": 1000},
        {"num_layers": 8, "d_model": 512},
        {"model_type": "canine", "num_hidden_layers": 12, "hidden_size": 768},
        {},
    ):
        (tmp_path / "config.json").write_text(json.dumps(config))
        assert "None" not in describe_encoder(str(tmp_path))
    (tmp_path / "config.json").write_text(json.dumps({"n_layers": 6, "dim": 768, "vocab_size": 1000}))
    assert describe_encoder(str(tmp_path)).endswith(": 6 layers of 768, 0.0 M parameters, 1,000 pieces")


def test_a_checkpoint_that_contradicts_itself_on_its_classes_is_refused(
    classifier: Callable[..., Path], small_data: Path, tmp_path: Path
) -> None:
    model = classifier("entailment", "neutral", "contradiction")
    config = json.loads((model / "config.json").read_text())
    other = {"contradiction": 0, "neutral": 1, "entailment": 2}
    (model / "config.json").write_text(json.dumps(config | {"label2id": other}))
    message = "`label2id` gives 'contradiction' the number 0, and 2 is read elsewhere"
    with pytest.raises(UserError, match=message):
        evaluated(model, small_data, tmp_path)


def test_layers_of_the_weights_that_the_configuration_leaves_out_are_refused(
    classifier: Callable[..., Path], tiny_encoder: Path, small_data: Path, tmp_path: Path
) -> None:
    model = classifier("entailment", "neutral", "contradiction")
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"num_hidden_layers": config["num_hidden_layers"] - 1}))
    with pytest.raises(UserError, match=r"have layers that its config\.json does not \(roberta\.encoder\.layer\.\d"):
        evaluated(model, small_data, tmp_path)
    bare = tmp_path / "bare"
    shutil.copytree(tiny_encoder, bare)
    load_encoder(str(bare))
    (bare / "config.json").write_text(
        json.dumps(json.loads((bare / "config.json").read_text()) | {"num_hidden_layers": 1})
    )
    with pytest.raises(UserError, match=r"have layers that its config\.json does not"):
        load_encoder(str(bare))
