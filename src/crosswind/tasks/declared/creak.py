"""CREAK: is a claim about an entity true?"""

from __future__ import annotations

from pathlib import Path

from crosswind.data.examples import PairExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, jsonl_table, label_table, reads
from crosswind.data.source import FileLayout
from crosswind.tasks.base import Task

_LABELS = ("false", "true")
_TABLE = label_table(_LABELS)
_FILES = {"train": "train", "dev": "dev", "contrast": "contrast_set"}


def _locate(files: Files, language: str, split: str) -> tuple[Path, ...]:
    name = f"{_FILES[split]}.json"
    return (files.find(f"creak/{name}", f"creak/data/creak/{name}", what=f"creak {split}"),)


def _example(record: TableRecord, language: str, split: str) -> PairExample:
    """The claim alone is read; the explanation gives its answer away. Claims on one entity are a cluster."""
    item = f"creak/{split}/{record.text('ex_id')}"
    cluster = f"creak/{split}/e-{record.text('entity')}"
    return PairExample(item, cluster, "en", record.text("sentence"), "", record.label("label", _TABLE))


CREAK = Task(
    name="creak",
    kind="pair",
    summary="English claims about entities, true or false by commonsense (contrast: its contrast set)",
    group="fact-verification",
    related=("nli", "commonsense-choice"),
    languages=("en",),
    splits=tuple(_FILES),
    files=FileLayout(_locate, reads(jsonl_table, _example)),
    hub=None,
    metrics=("accuracy",),
    perturbed=("first",),
    labels=_LABELS,
    columns={"sentence": "first", "label": "label", "ex_id": "id", "entity": "cluster"},
    counts={("en", "train"): 10176, ("en", "dev"): 1371, ("en", "contrast"): 500},  # Onoe et al. 2021, Table 2
    trains_on="creak",
    licence="MIT",
    citation="Onoe et al. 2021, CREAK: A Dataset for Commonsense Reasoning over Entity Knowledge",
)
