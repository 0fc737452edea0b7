"""WinoGrande: which of two options a blank stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from crosswind.data.examples import ChoiceExample
from crosswind.data.files import Files
from crosswind.data.ids import ContentIds
from crosswind.data.records import Labels, TableRecord, hub_table, jsonl_table
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.errors import UserError
from crosswind.tasks.base import Task

_LABELS = ("option1", "option2")
_TABLE: Labels = {"1": 0, "2": 1, "": None}
_SIZES = ("xs", "s", "m", "l", "xl")


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """The sentences; the answers stand in them, and again in `-labels.lst`, which is not needed."""
    name = f"{'train_xl' if split == 'train' else split}.jsonl"
    return (files.find(f"winogrande_1.1/{name}", f"winogrande/{name}", what=f"winogrande {split}"),)


def _read(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return _content(jsonl_table(paths[0]), split)


def _convert(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return _content(hub_table(rows), split)


def _content(records: Iterable[TableRecord], split: str) -> Content:
    ids = ContentIds()
    return Content(tuple(_example(record, split, ids) for record in records))


def _example(record: TableRecord, split: str, ids: ContentIds) -> ChoiceExample:
    """The context ends at the blank, a choice is an option with the rest of the sentence.

    An item is named by the hash of its sentence and options, and a number if they come again: the
    hub's copy lacks the official ids (`PAIR-1`, `PAIR-2`), and the training sizes hold one another.
    The cluster is the pair, where it is known.
    """
    sentence, options = record.text("sentence"), [record.text(option) for option in _LABELS]
    before, blank, after = sentence.partition("_")
    if not blank:
        raise UserError("the sentence has no blank `_`", where=record.where, hint="fetch the file again")
    corpus = f"winogrande/{split.partition('_')[0]}"
    name, before_it = ids.parts("\n".join([sentence, *options]))
    name = f"{name}-{before_it + 1}" if before_it else name
    pair = record.text("qID").rpartition("-")[0] if record.has("qID") else name
    return ChoiceExample(
        id=f"{corpus}/{name}",
        cluster=f"{corpus}/{pair}",
        language="en",
        context=before.strip(),
        question="",
        choices=tuple(f"{option}{after}" for option in options),
        label=record.label("answer", _TABLE) if record.has("answer") else None,
    )


WINOGRANDE = Task(
    name="winogrande",
    kind="choice",
    summary="English pronoun resolution with two options (train_xs to train_xl; train: xl)",
    group="commonsense-choice",
    related=("causal-choice",),
    languages=("en",),
    splits=("train", *(f"train_{size}" for size in _SIZES), "dev", "test"),
    files=FileLayout(_locate, _read),
    hub=HubSource(
        "allenai/winogrande",
        {"dev": "validation", "test": "test", **{f"train{s}": "train" for s in ("", "_xs", "_s", "_m", "_l", "_xl")}},
        _convert,
        config="winogrande_{split}",
        columns=("sentence", "option1", "option2", "answer"),
        revision="01e74176c63542e6b0bcb004dcdea22d94fb67b5",
        split_names={"train": "xl", "dev": "xl", "test": "xl", **{f"train_{size}": size for size in _SIZES}},
    ),
    metrics=("accuracy",),
    perturbed=("context", "choices"),
    labels=_LABELS,
    counts={
        **{("en", f"train_{s}"): n for s, n in zip(_SIZES, (160, 640, 2558, 10234, 40398), strict=True)},
        ("en", "train"): 40398,
        ("en", "dev"): 1267,
        ("en", "test"): 1767,
    },
    trains_on="winogrande",
    licence="CC BY",
    citation="Sakaguchi et al. 2020, WinoGrande: An Adversarial Winograd Schema Challenge at Scale",
)
