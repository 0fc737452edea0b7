"""`crosswind export --adversarial`: official readers read what an attack ended with; tokenizers without offsets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predictions import read_predictions
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


@pytest.fixture(autouse=True)
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CROSSWIND_STORE", str(tmp_path / "store"))


# Right but for a third of all texts, clean ones among them.
PREDICTING = """
import hashlib

def predict(examples):
    return [record(e, hashlib.sha256(repr(e).encode()).digest()[0] % 3 > 0) for e in examples]

def record(e, right):
    kind = type(e).__name__
    if kind == "TaggingExample":
        other = "O" if any(t == "O" or "-" in t for t in e.tags) else "X"  # a tag of the task: entities, or UPOS
        return {"tags": list(e.tags) if right else [other] * len(e.words)}
    if kind == "SpanExample":
        return {"text": e.answer_texts[0] if right else "nothing"}
    if kind == "QueryExample":
        return {"ranks": [1 if right else 2] * len(e.gold)}
    scores = [float(i == e.label) for i in range(len(getattr(e, "choices", "abc")))]
    return {"scores": scores if right else [-s for s in scores]}
"""


@pytest.mark.parametrize(
    ("task", "language", "split", "recipe"),
    [
        ("xnli", "de", "dev", "viper"),
        ("panx", "sw", "dev", "entity-swap"),
        ("udpos", "tr", "dev", "viper"),
        ("xquad", "de", "test", "viper"),
        ("xcopa", "sw", "dev", "viper"),
        pytest.param("lareqa", "de", "test", "viper", marks=pytest.mark.slow),  # all 1,190 queries: it has no part
    ],
)
def test_official_readers_read_what_an_attack_on_a_function_left(
    task: str, language: str, split: str, recipe: str, official_data: Callable[..., Path], tmp_path: Path
) -> None:
    data = official_data(task)
    file, out = tmp_path / "mine.py", tmp_path / "out"
    file.write_text(PREDICTING)
    arguments = ["--task", task, "--language", language, "--recipe", recipe, "--budget", "2"]
    arguments += ["--examples", "1190" if task == "lareqa" else "6"]
    options = ["--data", str(data), "--out", str(out), "--quiet", "--split", split, "--json"]
    (line,) = json.loads(crosswind("attack", f"{file}:predict", *arguments, *options))["attacks"]
    crosswind("export", "--adversarial", str(out), "--out", str(tmp_path / "items"))
    (condition,) = json.loads((tmp_path / "items" / "export.json").read_text())["conditions"]
    assert condition["condition"] == f"clean, {recipe}, 2 queries"
    assert condition["changed_items"] > 0
    folder = tmp_path / "items" / condition["folder"]
    pool, limit = ((language,), None) if task == "lareqa" else (None, 6)
    layout = layout_of(TASKS[task], Portion(language, split, pool, None))
    again = layout.read(layout.locate(Files(folder), language, split), language, split).examples
    clean = load(TASKS[task], language, split, FilesSource(data), limit=limit, pool_languages=pool)
    (rewrites,) = (folder / "rewrites").glob("*.parquet")
    expected = replay_dataset(clean, pl.read_parquet(rewrites)).dataset.examples
    assert [unnamed(e) for e in again] == [unnamed(e) for e in expected]
    assert [unnamed(e) for e in again] != [unnamed(e) for e in clean.examples]
    # What the function said of these texts and of the clean ones is kept, and is what the figures are of.
    scope: dict[str, Any] = {}
    exec(PREDICTING, scope)
    name = f"mine.py_predict-{task}-{language}-{split}-"
    for stem, examples, score in ((f"{name}{recipe}-2", expected, "after"), (f"{name}clean", clean.examples, "before")):
        (path,) = out.glob(f"{stem}-*.predictions.parquet")
        ids, kept = read_predictions(path)
        assert ids == [e.id for e in examples]
        said = scope["predict"](examples)
        assert [{k: p[k] for k in s} for p, s in zip(kept, said, strict=True)] == said
        judged = METRICS[TASKS[task].metric].judge(examples, kept, {})
        assert line[score]["score"] == pytest.approx(METRICS[TASKS[task].metric].score(judged.statistics.sum(axis=0)))


def unnamed(example: Any) -> tuple[Any, ...]:
    return tuple(getattr(example, field) for field in example.__slots__ if field not in ("id", "cluster", "gold"))


def test_several_attacks_and_victims_of_a_folder_are_told_apart(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text(PREDICTING + f"# {name}")
        options = [
            "--task",
            "mw-nli",
            "--language",
            "qla-Latn",
            *ATTACK[:2],
            "--budget",
            "3",
            *ATTACK[4:],
            "--out",
            str(out),
        ]
        for more in ([], ["--seed", "2"]):
            crosswind("attack", f"{tmp_path / name}:predict", *options, *more)
    crosswind("export", "--adversarial", str(out), "--out", str(tmp_path / "all"), "--format", "hf")
    conditions = json.loads((tmp_path / "all" / "export.json").read_text())["conditions"]
    assert sorted(c["folder"] for c in conditions) == [
        f"{victim}_predict/0/clean-0-none-draw0-deepwordbug{seed}-3"
        for victim in ("one.py", "two.py")
        for seed in ("", "_seed=2")
    ]
    control = "deepwordbug.random;seed=2"
    crosswind(
        "export", "--adversarial", str(out), "--attack", control, "--out", str(tmp_path / "one"), "--format", "hf"
    )
    assert len(json.loads((tmp_path / "one" / "export.json").read_text())["conditions"]) == 2
    (first, *_) = sorted(out.glob("*.attack.json"))
    for text, said in (("{}", "does not say what was attacked"), ("{", "not JSON")):
        first.write_text(text)
        with pytest.raises(UserError, match=said):
            crosswind("export", "--adversarial", str(out), "--out", str(tmp_path / "none"))


def test_other_victims_of_one_name_and_other_questions_lie_beside_each_other(tmp_path: Path) -> None:
    """One name in two folders, an edited file, other numbers of examples: nothing is written over."""
    out, texts = tmp_path / "out", {}
    options = [
        "--task",
        "mw-nli",
        "--language",
        "qla-Latn",
        "--budget",
        "3",
        "--quiet",
        "--out",
        str(out),
        "--no-control",
    ]
    files = [tmp_path / name / "vic.py" for name in ("a", "b", "a")]
    for i, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        file.write_text(PREDICTING.replace("% 3", f"% {i + 3}"))
        for recipe, examples in (("deepwordbug", "12"), ("deepwordbug", "4"), ("viper", "4")):
            crosswind("attack", f"{file}:predict", *options, "--recipe", recipe, "--examples", examples)
            new = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
            assert {name: new[name] for name in texts} == texts
            texts = new
    attacks = sorted(name.removesuffix(".attack.json") for name in texts if name.endswith(".attack.json"))
    assert len(attacks) == 9
    assert sum("-clean-" in name for name in texts) == 6  # of 12 and of 4 examples, three victims
    again = crosswind("attack", f"{files[1]}:predict", *options, "--recipe", "viper", "--examples", "4")
    assert again
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == texts
    crosswind("export", "--adversarial", str(out), "--out", str(tmp_path / "all"), "--format", "hf")
    conditions = json.loads((tmp_path / "all" / "export.json").read_text())["conditions"]
    assert len({c["folder"] for c in conditions}) == 9


SENTENCES = """
Yesterday nobody walked along the river.
Seven horses stand behind our house.
She reads letters under the old lamp.
Their garden grows without any water.
""".strip()


def test_what_an_attack_adds_to_a_pool_is_exported_with_it(tmp_path: Path) -> None:
    for side in ("eng", "ast"):
        (tmp_path / f"ast-eng.{side}").write_text(SENTENCES, encoding="utf-8")
    own = tmp_path / "own.yaml"
    own.write_text("bitext: {like: tatoeba, languages: [ast], files: ['{language}-eng.eng', '{language}-eng.ast']}")
    model, run = write_encoder(tmp_path / "tiny", "xlm-roberta"), tmp_path / "run"
    recipe = ["--recipe", "hard-negative-pool(sites=2,options=2,changes=1)", "--budget", "3", "--no-control", "--quiet"]
    data = ["--task", "bitext", "--task-file", str(own), "--language", "ast"]
    crosswind("attack", str(model), *data, *recipe, "--out", str(run))
    (added_file,) = (run / "rewrites").rglob("*-added.parquet")
    added = pl.read_parquet(added_file)
    assert added.height
    crosswind("export", "--adversarial", str(run), "--out", str(tmp_path / "out"), "--format", "hf")
    (condition,) = json.loads((tmp_path / "out" / "export.json").read_text())["conditions"]
    assert condition["changed_items"] == pytest.approx(added.height / 4)
    folder = tmp_path / "out" / condition["folder"]
    pool = pl.read_parquet(folder / "bitext" / "ast-pool.parquet")
    assert pool["text"].to_list() == [*SENTENCES.split("\n"), *added["text"]]
    assert pool["id"].to_list()[4:] == added["id"].to_list()
    assert pl.read_parquet(folder / "rewrites" / "bitext-ast-added.parquet").equals(added)
    # The folder of an older version does not say what was added: that is no clean pool.
    cells = pl.read_parquet(run / "cells.parquet")
    assert cells["added"].to_list().count("") == 1  # the clean cell
    cells.drop("added").write_parquet(run / "cells.parquet")
    (run / "logs" / "tables.json").unlink()
    with pytest.raises(UserError, match="does not say what the attack added to the pool"):
        crosswind("export", "--adversarial", str(run), "--out", str(tmp_path / "none"), "--format", "hf")


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
