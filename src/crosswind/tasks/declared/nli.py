"""English NLI for training: MNLI, SNLI and ANLI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.ids import text_hash
from crosswind.data.records import TableRecord, csv_table, hub_table, jsonl_table, label_table, tsv_with_header
from crosswind.data.source import Content, FileLayout, HubSource
from crosswind.tasks.base import Task

_LABELS = ("entailment", "neutral", "contradiction")
_TABLE = label_table(_LABELS, "-", -1, "", e=0, n=1, c=2)  # "-": the annotators did not agree
_ROUNDS = ("1", "2", "3")


_Fields = tuple[str, str, str]


def _examples(records: Iterable[TableRecord], corpus: str, split: str, fields: _Fields) -> Iterator[PairExample]:
    """Items named by row; rows without a gold label are passed over and keep their number.

    The cluster is the premise, by the hash of its text: the distributions name it differently.
    """
    first, second, label = fields
    for record in records:
        index = record.label(label, _TABLE) if record.has(label) else None
        if index is None and split != "test":
            continue
        premise = record.text(first)
        name = record.text("uid") if corpus == "anli" else str(record.row)
        yield PairExample(
            id=f"{corpus}/{split}/{name}",
            cluster=f"{corpus}/{split}/p-{text_hash(premise, 12)}",
            language="en",
            first=premise,
            second=record.text(second),
            label=index,
        )


def _numbered(parts: Iterable[Iterable[TableRecord]]) -> Iterator[TableRecord]:
    """The records of several files as one table."""
    for row, record in enumerate(chain.from_iterable(parts)):
        yield replace(record, row=row)


def _read_table(paths: tuple[Path, ...], corpus: str, split: str) -> Content:
    def records(path: Path) -> tuple[Iterable[TableRecord], tuple[str, str, str]]:
        if ".jsonl" in path.name:
            return jsonl_table(path), ("sentence1", "sentence2", "gold_label")
        if ".csv" in path.name:
            return csv_table(path), ("premise", "hypothesis", "label")
        return tsv_with_header(path), ("sentence1", "sentence2", "gold_label")

    tables = [records(path) for path in paths]
    rows = _numbered(table for table, _ in tables)
    return Content(tuple(_examples(rows, corpus, split, tables[0][1])))


# MNLI


def _locate_mnli(files: Files, language: str, split: str) -> tuple[Path, ...]:
    """GLUE's TSV, the original JSON lines, or (dev) `nli_en/mnli/dev.csv`, matched before mismatched."""
    parts = ("train",) if split == "train" else ("dev_matched", "dev_mismatched")
    what = f"mnli {split}"
    glue = [f"mnli/{part}.tsv" for part in parts]
    original = [f"multinli_1.0/multinli_1.0_{part}.jsonl" for part in parts]
    for names in (glue, [f"MNLI/{part}.tsv" for part in parts], original):
        if files.has(names[0]):
            return tuple(files.find(name, what=what) for name in names)
    return (files.find(glue[0], original[0], f"nli_en/mnli/{split}.csv", what=what),)


def _read_mnli(paths: tuple[Path, ...], language: str, split: str) -> Content:
    return _read_table(paths, "mnli", split)


def _convert_mnli(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_examples(hub_table(rows), "mnli", split, ("premise", "hypothesis", "label"))))


MNLI = Task(
    name="mnli",
    kind="pair",
    summary="English natural language inference over ten genres (dev: matched, then mismatched)",
    group="nli",
    related=("paraphrase",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate_mnli, _read_mnli, 2),
    hub=HubSource(
        "nyu-mll/glue",
        {"train": "train", "dev": "validation_matched+validation_mismatched"},
        _convert_mnli,
        config="mnli",
        columns=("premise", "hypothesis", "label"),
        classes={"label": _LABELS},
        revision="bcdcba79d07bc864c1c254ccfcedcce55bcc9a8c",
    ),
    metrics=("accuracy",),
    perturbed=("first", "second"),
    labels=_LABELS,
    columns={"premise": "first", "hypothesis": "second", "label": "label"},
    counts={("en", "train"): 392702, ("en", "dev"): 19647},  # Williams et al. 2018, Table 3, as in GLUE
    trains_on="mnli",
    licence="OANC (free redistribution), parts CC BY and CC BY-SA",
    citation="Williams et al. 2018, A Broad-Coverage Challenge Corpus for Sentence Understanding",
)


# SNLI


def _locate_snli(files: Files, language: str, split: str) -> tuple[Path, ...]:
    name = f"snli_1.0/snli_1.0_{split}.jsonl"
    return (files.find(name, f"snli/{name}", f"nli_en/snli/{split}.csv", what=f"snli {split}"),)


def _read_snli(paths: tuple[Path, ...], language: str, split: str) -> Content:
    content = _read_table(paths, "snli", split)
    if ".csv" not in paths[0].name:
        return content
    # This copy lacks rows of the official file, so its row numbers are its own.
    renamed = tuple(replace(e, id=e.id.replace(f"snli/{split}/", f"snli/{split}/csv-")) for e in content.examples)
    return Content(renamed, counted=False)


def _convert_snli(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    return Content(tuple(_examples(hub_table(rows), "snli", split, ("premise", "hypothesis", "label"))))


SNLI = Task(
    name="snli",
    kind="pair",
    summary="English natural language inference on image captions",
    group="nli",
    related=("paraphrase",),
    languages=("en",),
    splits=("train", "dev"),
    files=FileLayout(_locate_snli, _read_snli, 2),
    hub=HubSource(
        "stanfordnlp/snli",
        {"train": "train", "dev": "validation"},
        _convert_snli,
        config=None,
        columns=("premise", "hypothesis", "label"),
        classes={"label": _LABELS},
        revision="cdb5c3d5eed6ead6e5a341c8e56e669bb666725b",
    ),
    metrics=("accuracy",),
    perturbed=("first", "second"),
    labels=_LABELS,
    columns={"premise": "first", "hypothesis": "second", "label": "label"},
    counts={("en", "train"): 549367, ("en", "dev"): 9842},  # labelled pairs, Bowman et al. 2015, Table 2
    trains_on="snli",
    licence="CC BY-SA 4.0",
    citation="Bowman et al. 2015, A large annotated corpus for learning natural language inference",
)


# ANLI


def _locate_anli(files: Files, language: str, split: str) -> tuple[Path, ...]:
    base, rounds = _rounds(split)

    def path(number: str) -> Path:
        name = f"anli_v1.0/R{number}/{base}.jsonl"
        annotated = [f"anli/ANLI_analysis_r{number}_dev.csv"] if base == "dev" else []
        return files.find(name, f"anli/R{number}/{base}.jsonl", f"anli/{name}", *annotated, what=f"anli {split}")

    return tuple(path(number) for number in rounds)


def _rounds(split: str) -> tuple[str, tuple[str, ...]]:
    """`dev_r2` -> ("dev", ("2",)); `dev` -> all rounds."""
    base, _, number = split.partition("_r")
    return base, (number,) if number else _ROUNDS


def _read_anli(paths: tuple[Path, ...], language: str, split: str) -> Content:
    base, _ = _rounds(split)
    official = ("context", "hypothesis", "label")
    annotated = ("context", "statement", "gold_label")
    examples = [
        example
        for path in paths
        for example in (
            _examples(csv_table(path), "anli", base, annotated)
            if ".csv" in path.name
            else _examples(jsonl_table(path), "anli", base, official)
        )
    ]
    # The annotated copy of dev lacks two examples of round 3.
    return Content(tuple(examples), counted=not any(".csv" in path.name for path in paths))


def _convert_anli(rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
    base, _ = _rounds(split)
    return Content(tuple(_examples(hub_table(rows), "anli", base, ("premise", "hypothesis", "label"))))


# Nie et al. 2020, Table 2: rounds 1 to 3
_SIZES = {"train": (16946, 45460, 100459), "dev": (1000, 1000, 1200), "test": (1000, 1000, 1200)}
_ANLI_COUNTS = {
    **{base: sum(sizes) for base, sizes in _SIZES.items()},
    **{f"{base}_r{n}": size for base, sizes in _SIZES.items() for n, size in zip(_ROUNDS, sizes, strict=True)},
}

ANLI = Task(
    name="anli",
    kind="pair",
    summary="English adversarial natural language inference, three rounds (`dev_r1`, … or all: `dev`)",
    group="nli",
    related=("paraphrase",),
    languages=("en",),
    splits=tuple(_ANLI_COUNTS),
    files=FileLayout(_locate_anli, _read_anli, 2),
    hub=HubSource(
        "facebook/anli",
        {split: "+".join(f"{_rounds(split)[0]}_r{n}" for n in _rounds(split)[1]) for split in _ANLI_COUNTS},
        _convert_anli,
        config=None,
        columns=("uid", "premise", "hypothesis", "label"),
        classes={"label": _LABELS},
        revision="8e4813d81f46d313dac7892e1c28076917cfcdf9",
    ),
    metrics=("accuracy",),
    perturbed=("first", "second"),
    labels=_LABELS,
    columns={"premise": "first", "hypothesis": "second", "label": "label"},
    counts={("en", split): n for split, n in _ANLI_COUNTS.items()},
    trains_on="anli",
    licence="CC BY-NC 4.0",
    citation="Nie et al. 2020, Adversarial NLI: A New Benchmark for Natural Language Understanding",
)
