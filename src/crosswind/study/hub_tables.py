"""Test sets as Parquet in the schema that they have on the hub, with Crosswind's ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.data.writing import squad_question
from crosswind.run.step import canonical
from crosswind.tasks.base import Task


def hub_tables(task: Task, dataset: Dataset) -> tuple[dict[str, Callable[[Path], None]], list[str]]:
    """What writes each table, by its path: `TASK/LANGUAGE.parquet`, and the pool of a retrieval task; and notes.

    Rows have the schema of the task's repository, and an `id`: the repository's own where its schema has one (SQuAD's,
    which predictions may name items by), Crosswind's otherwise. Columns of classes are numbers, and the table
    says their names as the library `datasets` does. A task without a repository has the fields of its kind.
    """
    name = f"{task.name}/{dataset.language}"
    notes = []
    if task.hub is not None and task.hub.rows is not None:
        rows, classes = task.hub.rows(dataset), dict(task.hub.classes)
    else:
        rows, classes = [_fields(example) for example in dataset.examples], {}
        if task.labels and dataset.examples and isinstance(dataset.examples[0], PairExample | ChoiceExample):
            classes["label"] = task.labels
        notes.append(f"{task.name} has no schema of the hub: its columns are the fields of its kind.")
    named = [{"id": example.id, **row} for example, row in zip(dataset.examples, rows, strict=True)]
    tables: dict[str, Callable[[Path], None]] = {f"{name}.parquet": partial(_write, named, classes)}
    if dataset.pool is not None:
        tables[f"{name}-pool.parquet"] = partial(_write, _candidates(dataset.pool), {})
    return tables, notes


def _candidates(pool: Pool) -> list[dict[str, Any]]:
    names = ("id", "language", "text", "context", "cluster")
    return [{name: getattr(candidate, name) for name in names} for candidate in pool.candidates]


def _fields(example: Example) -> dict[str, Any]:
    match example:
        case PairExample():
            return {"first": example.first, "second": example.second, "label": example.label}
        case ChoiceExample():
            texts = {"context": example.context, "question": example.question}
            return {**texts, "choices": list(example.choices), "label": example.label}
        case TaggingExample():
            return {"tokens": list(example.words), "tags": list(example.tags or ())}
        case SpanExample():
            question = squad_question(example)
            answers = {key: [a[key] for a in question["answers"]] for key in ("text", "answer_start")}
            return {"context": example.context, "question": example.question, "answers": answers}
        case QueryExample():
            texts = {"query": example.query, "context": example.context, "mention": example.mention}
            return {**texts, "gold": list(example.gold)}
        case _:
            assert_never(example)


def _write(rows: Sequence[Mapping[str, Any]], classes: Mapping[str, tuple[str, ...]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([dict(row) for row in rows])
    features = {field.name: _feature(field.type, classes.get(field.name)) for field in table.schema}
    metadata = {"huggingface": canonical({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def _feature(type_: Any, names: tuple[str, ...] | None) -> Any:
    """A column as the library `datasets` describes it."""
    import pyarrow as pa

    if pa.types.is_list(type_):
        return {"feature": _feature(type_.value_type, names), "_type": "List"}
    if pa.types.is_struct(type_):
        return {field.name: _feature(field.type, None) for field in type_}
    if names is not None and pa.types.is_integer(type_):
        return {"names": list(names), "_type": "ClassLabel"}
    return {"dtype": str(type_).replace("double", "float64"), "_type": "Value"}
