"""Exported test sets: official readers read them back, Parquet has the hub's schema, rewrites stand beside."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import polars as pl
import pytest

from crosswind.data.examples import Dataset, PairExample, SpanExample, TaggingExample
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.spec import parse_spec
from crosswind.plain_yaml import parse_yaml
from crosswind.run.progress import Silent
from crosswind.run.store import Store
from crosswind.study.evaluate import evaluation
from crosswind.study.items import ExportedItems, ItemForm, export_items, item_form
from crosswind.tasks import load as load_module
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

SPEC = "swap:0.3"
NOISY = "swap-0.3-none-draw1"
# (task, language, split, limit): every kind, in official files; a limit keeps whole clusters
SETS = [
    ("xnli", "sw", "dev", 60),
    ("pawsx", "fr", "dev", 60),  # with quotation marks
    ("xcopa", "et", "test", 60),
    ("copa", "en", "dev", None),
    ("panx", "yo", "dev", None),
    ("udpos", "af", "dev", 60),
    ("xquad", "es", "test", 30),
    ("mlqa", "de", "dev", 30),
    ("tydiqa", "fi", "dev", 30),
    ("tatoeba", "jv", "test", None),
    ("lareqa", "es", "test", 30),
]


def exported(
    data: Path, folder: Path, task: str, language: str, split: str, form: ItemForm, spec: str = SPEC, **more: Any
) -> ExportedItems:
    study = evaluation(
        "items", [task], languages=[language], split=split, data=data, perturb=[spec], predictions=(), **more
    )
    return export_items(study, form, folder / "out", Store(folder / "store"), Silent())


def read(data: Path, task: str, language: str, split: str, limit: int | None = None) -> Dataset:
    pool = [language] if task == "lareqa" else None
    return load(TASKS[task], language, split, FilesSource(data), limit=limit, pool_languages=pool)


def both(data: Path, task: str, language: str, split: str, limit: int | None) -> tuple[Dataset, Dataset]:
    """The clean data set and the perturbed one, drawn here once more."""
    clean = read(data, task, language, split, limit)
    return clean, perturb_dataset(clean, parse_spec(SPEC), draw=1, fields=TASKS[task].perturbed).dataset


def unnamed(example: Any) -> tuple[Any, ...]:
    names = ("words", "tags") if isinstance(example, TaggingExample) else ("first", "second", "label")
    return tuple(getattr(example, name) for name in names)


@pytest.mark.parametrize(("task", "language", "split", "limit"), SETS)
def test_official_readers_read_exported_items_as_they_were_meant(
    official_data: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    task: str,
    language: str,
    split: str,
    limit: int | None,
) -> None:
    data = official_data(task)
    items = exported(data, tmp_path, task, language, split, "official", limit=limit)
    clean, noisy = both(data, task, language, split, limit)
    assert noisy.examples != clean.examples or noisy.pool != clean.pool
    for name, expected in (("clean", clean), (NOISY, noisy)):
        monkeypatch.setattr(load_module, "_check_count", lambda *_: None)  # a part of a split has not its size
        again = read(tmp_path / "out" / name, task, language, split)
        if limit and task in (
            "xnli",
            "pawsx",
            "udpos",
        ):  # files without ids: rows of a part have other numbers, which is noted
            assert [unnamed(e) for e in again.examples] == [unnamed(e) for e in expected.examples]
            assert any("items have other ids" in note for note in items.notes)
        else:
            assert again.examples == expected.examples
            assert again.pool == expected.pool
            assert not any("items have other ids" in note for note in items.notes)
    table = pl.read_parquet(tmp_path / "out" / NOISY / "rewrites" / f"{task}-{language}.parquet")
    replayed = replay_dataset(clean, table).dataset
    assert (replayed.examples, replayed.pool) == (noisy.examples, noisy.pool)
    assert [(c["condition"], c["draw"], c["items"]) for c in items.conditions] == [
        ("clean", 0, len(clean)),
        ("swap:0.3", 1, len(clean)),
    ]


@pytest.mark.parametrize(("task", "language", "split", "limit"), SETS[:-1])
def test_exported_parquet_has_the_hubs_schema_and_ids(
    official_data: Callable[..., Path], tmp_path: Path, task: str, language: str, split: str, limit: int | None
) -> None:
    data = official_data(task)
    exported(data, tmp_path, task, language, split, "hf", limit=limit)
    hub = TASKS[task].hub
    assert hub is not None
    noisy = both(data, task, language, split, limit)[1]
    path = tmp_path / "out" / NOISY / task / f"{language}.parquet"
    rows: list[dict[str, Any]] = pl.read_parquet(path).to_dicts()
    span = isinstance(noisy.examples[0], SpanExample)
    assert [r["id"] for r in rows] == [e.id.split("/")[-1] if span else e.id for e in noisy.examples]
    # The converter of the hub's rows reads them: classes are numbers there, which the hub's reader names.
    for row in rows:
        row["_config"] = "MLQA.de.de"
        for column, names in hub.classes.items():
            value = row[column]
            row[column] = [names[v] for v in value] if isinstance(value, list) else names[value]
    again = hub.convert(rows, language, split)
    if task in ("mlqa", "xquad"):  # their clusters are official paragraphs, which rows do not have
        assert [(e.id, e.question, e.context, e.answers) for e in again.examples] == [  # type: ignore[union-attr]
            (e.id, e.question, e.context, e.answers)
            for e in noisy.examples  # type: ignore[union-attr]
        ]
    elif task == "tydiqa":  # a cluster is the hash of its context there
        assert [e.id for e in again.examples] == [e.id for e in noisy.examples]
    elif limit and task in ("xnli", "pawsx", "udpos"):
        assert [unnamed(e) for e in again.examples] == [unnamed(e) for e in noisy.examples]
    else:
        assert tuple(again.examples) == noisy.examples
        assert again.pool == noisy.pool


def test_classes_of_exported_parquet_are_named(official_data: Callable[..., Path], tmp_path: Path) -> None:
    import datasets

    exported(official_data("xnli"), tmp_path, "xnli", "sw", "dev", "hf", limit=30)
    path = str(tmp_path / "out" / "clean" / "xnli" / "sw.parquet")
    features = datasets.Dataset.from_parquet(path, cache_dir=str(tmp_path / "cache")).features
    assert features["label"].names == ["entailment", "neutral", "contradiction"]


def test_items_of_the_harness_declare_a_task_and_render(official_data: Callable[..., Path], tmp_path: Path) -> None:
    data = official_data("xnli", "xcopa", "xquad", "panx")
    expected = {
        ("xnli", "sw", "dev"): ("multiple_choice", "\nLabel:", "contradiction"),
        ("xcopa", "et", "test"): ("multiple_choice", "What was the cause?\n", None),
        ("xquad", "es", "test"): ("generate_until", "\nAnswer:", None),
        ("panx", "yo", "dev"): ("generate_until", "\nTags, one a word:", None),
    }
    for number, ((task, language, split), (output, end, choice)) in enumerate(expected.items()):
        folder = tmp_path / str(number)
        exported(data, folder, task, language, split, "lm-eval", limit=6)
        stem = folder / "out" / NOISY / f"{task}-{language}"
        declared = parse_yaml(stem.with_suffix(".yaml").read_text(encoding="utf-8"), "task")
        assert declared["task"] == f"crosswind_{task}_{language}_swap_0_3"
        assert declared["output_type"] == output
        assert declared["dataset_kwargs"]["data_files"]["test"] == str(stem.with_suffix(".jsonl"))
        docs = [json.loads(line) for line in stem.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        for doc in docs:
            assert (doc["condition"], doc["draw"], doc["task"]) == ("swap:0.3", 1, task)
            assert environment.from_string(declared["doc_to_text"]).render(**doc).endswith(end) or choice is None
            target = declared["doc_to_target"]
            if output == "multiple_choice":
                assert doc["choices"][doc[target]]
                assert environment.from_string(declared["doc_to_choice"]).render(**doc) == str(doc["choices"])
            else:
                assert environment.from_string(target).render(**doc)
        if choice:
            assert choice in docs[0]["choices"]


def test_an_export_says_what_it_holds_and_is_whole_or_not_there(
    official_data: Callable[..., Path], tmp_path: Path
) -> None:
    data = official_data("xcopa")
    exported(data, tmp_path, "xcopa", "et", "test", "official", draws=2)
    about = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert [c["folder"] for c in about["conditions"]] == ["clean", NOISY, "swap-0.3-none-draw2"]
    assert about["licences"] == {"xcopa": "CC BY 4.0"}
    for name, digest in about["files"].items():
        assert hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest() == digest
    assert {*about["files"]} == {
        p.relative_to(tmp_path / "out").as_posix()
        for p in (tmp_path / "out").rglob("*")
        if p.is_file() and p.name != "export.json"
    }
    with pytest.raises(UserError, match="is there and not empty"):
        exported(data, tmp_path, "xcopa", "et", "test", "official")
    with pytest.raises(UserError, match="retrieval, which the harness does not evaluate"):
        exported(official_data("tatoeba"), tmp_path / "b", "tatoeba", "jv", "test", "lm-eval")
    assert not (tmp_path / "b" / "out").exists()
    with pytest.raises(UserError, match="unknown form 'hub'"):
        item_form("hub")


def test_a_text_that_a_line_cannot_hold_is_refused() -> None:
    for text, write in (("a\tb", TASKS["xnli"]), ("a\nb", TASKS["xnli"]), ("a\tb", TASKS["panx"])):
        example = (
            TaggingExample("i", "i", "de", (text,), ("O",))
            if write.kind == "tagging"
            else (PairExample("i", "i", "de", text, "c", 0))
        )
        assert write.files.write is not None
        with pytest.raises(UserError, match="a text holds a tab or the end of a line"):
            write.files.write(Dataset(write.name, "de", "test", (example,)), ())


def test_a_perturbation_that_a_language_cannot_have_is_named(
    official_data: Callable[..., Path], tmp_path: Path
) -> None:
    items = exported(official_data("xcopa"), tmp_path, "xcopa", "th", "test", "official", spec="diacritics:0.2")
    assert [c["folder"] for c in items.conditions][:1] == ["clean"]
    assert len(items.conditions) == 2 or any("no diacritics" in note for note in items.notes)


def test_generated_tasks_and_those_without_a_schema_have_the_fields_of_their_kind(tmp_path: Path) -> None:
    fields = {
        "mw-nli": ["id", "first", "second", "label"],
        "mw-ner": ["id", "tokens", "tags"],
        "mw-qa": ["id", "context", "question", "answers"],
        "mw-sentences": ["id", "query", "context", "mention", "gold"],
        "mw-causes": ["id", "context", "question", "choices", "label"],
    }
    language = next(code for code in TASKS["mw-nli"].languages if code != "en")
    study = evaluation("items", [*fields], languages=[language], limit=6, perturb=[SPEC], predictions=())
    items = export_items(study, "hf", tmp_path / "out", Store(tmp_path / "store"), Silent())
    for task, columns in fields.items():
        table = pl.read_parquet(tmp_path / "out" / NOISY / task / f"{language}.parquet")
        assert table.columns == columns
        assert len(table)
        assert f"{task} has no schema of the hub: its columns are the fields of its kind." in items.notes
    pool = pl.read_parquet(tmp_path / "out" / "clean" / "mw-sentences" / f"{language}-pool.parquet")
    gold = pl.read_parquet(tmp_path / "out" / "clean" / "mw-sentences" / f"{language}.parquet")["gold"].explode()
    assert {*gold} <= {*pool["id"]}
    one = evaluation("items", ["mw-nli"], languages=[language], limit=6, predictions=())
    with pytest.raises(UserError, match="the official layout of mw-nli is not written"):
        export_items(one, "official", tmp_path / "b", Store(tmp_path / "store"), Silent())
