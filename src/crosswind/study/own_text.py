"""`crosswind perturb --task-file`: the texts of a data set of the user's own, perturbed as a study would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from crosswind.data.examples import Dataset, text_fields
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.extent import Extent
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.perturb.spec import Spec, TextScope
from crosswind.study.own import declare_own, read_task_file
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load


def perturbed_texts(
    spec: Spec,
    task_file: Path,
    name: str | None,
    language: str | None,
    split: str,
    *,
    data: Path | None,
    draw: int,
    environment: Environment,
    fields: Sequence[str] = (),
) -> tuple[Iterator[tuple[str, bool]], tuple[str, ...]]:
    """(a JSON line {id, field: text, …}, whether it changed) for each example, then for each candidate of its pool.

    And notes on what reading changed or left out. The files lie below `data`, or else beside the task file; `name`
    may be left out where the file declares one task, `language` where the task has one. `fields` are names as a study
    has them (`Extent`); without them those of the task change. Raises `UserError` for a task
    that the file does not declare, and whatever reading its data raises.
    """
    dataset = own_dataset(task_file, name, language, split, data)
    names = changed_fields(spec, dataset, fields, environment)
    changed = perturb_dataset(dataset, spec, draw=draw, fields=names, environment=environment).dataset
    return _lines(dataset, changed), dataset.notes


def own_dataset(task_file: Path, name: str | None, language: str | None, split: str, data: Path | None) -> Dataset:
    """The data of a task that a file declares; arguments and errors are those of `perturbed_texts`."""
    declared = read_task_file(task_file)
    if name is None and len(declared) != 1:
        hint = f"name one of {', '.join(declared)} with --task"
        raise UserError(f"the file declares {len(declared)} tasks", where=str(task_file), hint=hint)
    declare_own(declared, data or task_file.absolute().parent)
    task = TASKS.get(name or next(iter(declared)), where="--task")
    if language is None and len(task.languages) != 1:
        hint = f"name one of {', '.join(task.languages)} with --language"
        raise UserError(f"{task.name} has {len(task.languages)} languages", where="--language", hint=hint)
    return load(task, language or task.languages[0], split, FilesSource(data or task_file.absolute().parent))


def changed_fields(spec: Spec, dataset: Dataset, fields: Sequence[str], environment: Environment) -> tuple[str, ...]:
    """The fields of a data set that may change; `NotApplicable` where the perturbation has nothing to change there."""
    task = TASKS[dataset.task]
    extent = Extent(tuple(fields))
    scope = TextScope.of(task, dataset.language, environment)
    if (reason := extent.refusal(spec, scope, task.kind)) is not None:
        raise NotApplicable(reason, where="--fields" if fields else "SPEC")
    return extent.of(task.kind, task.perturbed)


def _lines(dataset: Dataset, changed: Dataset) -> Iterator[tuple[str, bool]]:
    for before, after in zip(dataset.examples, changed.examples, strict=True):
        yield json.dumps({"id": after.id, **text_fields(after)}, ensure_ascii=False), before != after
    old = {c.id: c.text for c in dataset.pool.candidates} if dataset.pool else {}
    for candidate in changed.pool.candidates if changed.pool else ():
        line = json.dumps({"id": candidate.id, "text": candidate.text}, ensure_ascii=False)
        yield line, old.get(candidate.id) != candidate.text
