"""`crosswind perturb` on data sets: a task's official files, or data of the user's own, perturbed as a study would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    Dataset,
    Example,
    PairExample,
    QueryExample,
    SpanExample,
    TaggingExample,
    text_fields,
)
from crosswind.data.files import Files
from crosswind.data.source import Portion
from crosswind.data.sources.files import FilesSource
from crosswind.errors import UserError
from crosswind.perturb.constraint import NamedConstraint
from crosswind.perturb.dataset import perturb_dataset
from crosswind.perturb.extent import Extent
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.perturb.perturbed import Perturbed, PerturbedDataset
from crosswind.perturb.spec import Resolved, Spec, TextScope
from crosswind.study.items import write_official
from crosswind.study.needed import NeedsMet
from crosswind.study.own import declare_own, read_task_file
from crosswind.tasks.base import TASKS, Task, classes
from crosswind.tasks.load import load


def perturbed_own(
    spec: Spec,
    dataset: Dataset,
    root: Path,
    *,
    draw: int,
    environment: Environment,
    fields: Sequence[str] = (),
    constraints: Sequence[NamedConstraint] = (),
) -> PerturbedDataset:
    """A data set after noise in `fields`, named as a study names them (`Extent`); without, in those of its task.

    The data that a perturbation needs besides (other entities, articles, translations) are read below `root`, models
    that it or a constraint needs are loaded.
    """
    names = changed_fields(spec, dataset, fields, environment, constraints)
    resolved = needed_besides(spec, dataset, root, names, environment, constraints)
    made = [c.made(resolved) for c in constraints]
    return perturb_dataset(
        dataset, spec, draw=draw, fields=names, environment=environment, resolved=resolved, constraints=made
    )


def needed_besides(
    spec: Spec,
    dataset: Dataset,
    root: Path,
    fields: tuple[str, ...],
    environment: Environment,
    constraints: Sequence[NamedConstraint] = (),
) -> Resolved:
    """What a perturbation of a data set and constraints need besides: data read below `root`, models loaded."""
    scope = replace(TextScope.of(TASKS[dataset.task], dataset.language, environment), fields=fields)
    itself = (dataset.task, dataset.language, dataset.split)

    def data(need: DataNeed) -> Dataset:
        task, language, split = wanted = need.for_text(*itself)
        return dataset if wanted == itself else load(TASKS[task], language, split, FilesSource(root))

    return NeedsMet().of([*spec.needs(scope), *(need for c in constraints for need in c.needs())], data)


def own_dataset(task_file: Path, name: str | None, language: str | None, split: str, data: Path | None) -> Dataset:
    """The data of a task that a file declares, which lie below `data` or else beside that file.

    `name` may be left out where the file declares one task, `language` where the task has one. Raises `UserError` for
    a task that the file does not declare, and whatever reading its data raises.
    """
    declared = read_task_file(task_file)
    if name is None and len(declared) != 1:
        hint = f"name one of {', '.join(declared)} with --task"
        raise UserError(f"the file declares {len(declared)} tasks", where=str(task_file), hint=hint)
    declare_own(declared, data or task_file.absolute().parent)
    task = TASKS.get(name or next(iter(declared)), where="--task")
    return load(task, _language_of(task, language), split, FilesSource(data or task_file.absolute().parent))


def official_dataset(
    name: str, language: str | None, split: str, root: Path | None, file: Path | None = None
) -> tuple[Dataset, Path]:
    """A task's data in its official files below `root`, and that folder; with `file`, the one that this lies below."""
    task = TASKS.get(name, where="--task")
    portion = Portion(_language_of(task, language), split)
    if file is not None:
        root = _root_above(file, task, portion)
    if root is None:
        hint = "--data DIR or the variable CROSSWIND_DATA; data of your own: --task-file FILE"
        raise UserError("no folder of official files is named", where="--data", hint=hint)
    return load(task, portion.language, split, FilesSource(root)), root


def _root_above(file: Path, task: Task, portion: Portion) -> Path:
    """The folder below which a file is one of a task's official files."""
    path = file.absolute()
    for root in path.parents:
        try:
            if path in task.files.locate(Files(root), portion.language, portion.split):
                return root
        except UserError:
            continue
    what = f"is no official file of {task.name} {portion.split}, {portion.language}, where it lies"
    hint = "files have their official names and folders: name the folder above these with --data"
    raise UserError(what, where=str(file), hint=hint)


def _language_of(task: Task, language: str | None) -> str:
    if language is None and len(task.languages) != 1:
        hint = f"name one of {', '.join(task.languages)} with --language"
        raise UserError(f"{task.name} has {len(task.languages)} languages", where="--language", hint=hint)
    return task.languages[0] if language is None else language


def official_texts(clean: Dataset, changed: Dataset, root: Path) -> tuple[dict[str, bytes], list[str]]:
    """The official files below `root` that a data set was read from, with what it became; and notes on them.

    `crosswind export` writes the same bytes. Raises a `UserError` for a text that the layout cannot hold.
    """
    with TemporaryDirectory() as folder:
        portion = Portion(clean.language, clean.split)
        names, notes = write_official(changed, FilesSource(root), portion, Path(folder))
        return {name: (Path(folder) / name).read_bytes() for name in names}, notes


def changed_fields(
    spec: Spec,
    dataset: Dataset,
    fields: Sequence[str],
    environment: Environment,
    constraints: Sequence[NamedConstraint] = (),
) -> tuple[str, ...]:
    """The fields of a data set that may change; `NotApplicable` where the perturbation has nothing to change there, or
    a constraint cannot be judged."""
    task = TASKS[dataset.task]
    extent = Extent(tuple(fields), tuple(constraints))
    scope = TextScope.of(task, dataset.language, environment)
    if (reason := extent.refusal(spec, scope, task.kind)) is not None:
        raise NotApplicable(reason, where="--fields" if fields else "SPEC")
    return extent.of(task.kind, task.perturbed)


def text_lines(clean: Dataset, changed: PerturbedDataset, *, rewrites: bool = False) -> Iterator[tuple[str, bool]]:
    """(a JSON line {id, field: text, …}, whether it changed) for each example, then for each candidate of its pool.

    A line holds the gold as well, in the fields that a declaration of the same `kind` reads without naming a column.
    With `rewrites` it also says what was done: field -> `Rewrite.to_json`, of the fields that changed.
    """
    task = TASKS[clean.task]

    def line(item: Example | Candidate, texts: Mapping[str, Any], made: Perturbed[Any] | None) -> str:
        more = {"rewrites": {name: r.to_json() for name, r in made.rewrites.items()} if made else {}}
        return json.dumps({"id": item.id, **texts, **(more if rewrites else {})}, ensure_ascii=False)

    for before, made in zip(clean.examples, changed.examples, strict=True):
        yield line(made.example, _record(task, made.example), made), before != made.example
    old = {c.id: c.text for c in clean.pool.candidates} if clean.pool else {}
    by_id = {c.example.id: c for c in changed.candidates}
    for candidate in changed.dataset.pool.candidates if changed.dataset.pool else ():
        yield (
            line(candidate, {"text": candidate.text}, by_id.get(candidate.id)),
            old.get(candidate.id) != candidate.text,
        )


def _record(task: Task, example: Example) -> dict[str, Any]:
    """The texts and the gold of an example, named as `tasks.forms.FIELDS` names them; no gold where there is none."""
    match example:
        case PairExample() | ChoiceExample():
            names = classes(task)
            label = None if example.label is None else names[example.label] if names else example.label
            gold: dict[str, Any] = {} if label is None else {"label": label}
            if isinstance(example, ChoiceExample):
                texts = {"context": example.context, "question": example.question, "choices": list(example.choices)}
                return {**texts, **gold}
            return {**text_fields(example), **gold}
        case TaggingExample():
            return {"words": list(example.words), **({} if example.tags is None else {"tags": list(example.tags)})}
        case SpanExample():
            if example.answers is None:
                return text_fields(example)
            answers = {
                "text": [example.context[a.start : a.end] for a in example.answers],
                "answer_start": [a.start for a in example.answers],
            }
            return {**text_fields(example), "answers": answers}
        case QueryExample():
            return {**text_fields(example), "gold": list(example.gold)}
