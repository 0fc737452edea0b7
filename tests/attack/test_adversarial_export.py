"""`crosswind export --adversarial`: official readers read what an attack ended with; tokenizers without offsets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from transformers import PhobertTokenizer
from typer.testing import CliRunner

from crosswind.cli import app, main
from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.source import Portion
from crosswind.data.sources.files import FilesSource, layout_of
from crosswind.errors import UserError
from crosswind.model.checkpoint import save_head
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.perturb.replay import replay_dataset
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.load import load
from tiny_models import write_encoder

_WORDS = ["the", "fox", *(a + b for a in "bdfgk" for b in "aeiou")]
ATTACK = ["--recipe", "deepwordbug", "--budget", "60", "--examples", "6", "--quiet"]


def crosswind(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.slow
def test_official_readers_read_the_adversarial_examples_of_a_run(
    official_data: Callable[..., Path], tmp_path: Path
) -> None:
    data = official_data("xnli")
    encoder = load_encoder(place_of("microworld"), seed=1)
    save_head(tmp_path / "model", encoder, attach(encoder, "pair", classes(TASKS["xnli"]), seed=2))
    run = tmp_path / "run"
    arguments = ["--task", "xnli", "--language", "de", *ATTACK, "--data", str(data), "--out", str(run)]
    crosswind("attack", str(tmp_path / "model"), *arguments, "--split", "dev", "--store", str(tmp_path / "store"))
    out = tmp_path / "out"
    printed = crosswind("export", "--adversarial", str(run), "--out", str(out))
    (condition,) = json.loads((out / "export.json").read_text())["conditions"]  # the control is left out
    assert condition["condition"] == "clean, deepwordbug, 60 queries"
    assert condition["items"] == 6
    assert condition["changed_items"] > 0
    assert condition["folder"] in printed
    folder = out / condition["folder"]
    layout = layout_of(TASKS["xnli"], Portion("de", "dev", None, None))
    again = layout.read(layout.locate(Files(folder), "de", "dev"), "de", "dev")
    clean = load(TASKS["xnli"], "de", "dev", FilesSource(data), limit=6)
    (rewrites,) = (folder / "rewrites").glob("*.parquet")
    expected = [p.example for p in replay_dataset(clean, pl.read_parquet(rewrites)).examples]

    def texts(example: object) -> tuple[str, str, int | None]:
        assert isinstance(example, PairExample)
        return example.first, example.second, example.label

    assert [texts(e) for e in again.examples] == [texts(e) for e in expected]
    assert [texts(e) for e in again.examples] != [texts(e) for e in clean.examples]
    crosswind(
        "export", "--adversarial", str(run), "--attack", "deepwordbug.random", "--format", "hf", "--out", f"{out}2"
    )
    (table,) = (p for p in Path(f"{out}2").rglob("*.parquet") if "rewrites" not in p.parts)
    assert pl.read_parquet(table).height == 6
    with pytest.raises(UserError, match=r"unknown attack 'deepwordbugs'[\s\S]*did you mean 'deepwordbug'"):
        crosswind("export", "--adversarial", str(run), "--attack", "deepwordbugs", "--out", f"{out}3")
    with pytest.raises(UserError, match="no run is named"):
        crosswind("export", "--attack", "deepwordbug", "--out", f"{out}3")
    with pytest.raises(UserError, match="an export of their own"):
        crosswind("export", "--adversarial", str(run), "--task", "xnli", "--out", f"{out}3")
    with pytest.raises(UserError, match="is no run folder"):
        crosswind("export", "--adversarial", str(tmp_path), "--out", f"{out}3")


def test_a_tokenizer_without_offsets_is_refused_by_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_encoder(tmp_path / "base", "xlm-roberta")
    encoder = load_encoder(str(folder), seed=1)
    save_head(tmp_path / "model", encoder, attach(encoder, "pair", classes(TASKS["mw-nli"]), seed=2))
    model = tmp_path / "model"
    for file in model.glob("*token*"):
        file.unlink()
    (tmp_path / "vocab.txt").write_text("".join(f"{word} 9\n" for word in _WORDS), encoding="utf-8")
    (tmp_path / "bpe.codes").write_text("t h 9\nth e</w> 8\n", encoding="utf-8")
    slow = PhobertTokenizer(str(tmp_path / "vocab.txt"), str(tmp_path / "bpe.codes"))
    slow.save_pretrained(model)
    arguments = ["attack", str(model), "--task", "mw-nli", "--language", "qla-Latn", *ATTACK, "--max-length", "10"]
    monkeypatch.setattr("sys.argv", ["crosswind", *arguments, "--store", str(tmp_path / "store")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    said = capfd.readouterr().err
    assert "the tokenizer PhobertTokenizer gives no character offsets" in said
    assert "save a fast tokenizer (tokenizer.json) beside the model" in said
