"""`crosswind translate`: a task's data in other languages as files, with the declaration that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, assert_never

from crosswind.data.examples import (
    ChoiceExample,
    Example,
    PairExample,
    Pool,
    QueryExample,
    SpanExample,
    TaggingExample,
)
from crosswind.data.stored import read_examples, write_lines
from crosswind.errors import UserError
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.run.executors import EXECUTORS
from crosswind.run.folders import check_writable, replacing
from crosswind.run.loop import run_graph
from crosswind.run.outcome import StepFailed
from crosswind.run.progress import Reporter
from crosswind.run.store import Store
from crosswind.study.phases import checked_split
from crosswind.study.plan import Planner
from crosswind.study.spec import Data, Study, Targets, TaskUse, TranslateSpec, validate_mapping
from crosswind.study.translation import source_language, translation_of
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.mixture import members_of
from crosswind.tasks.refs import DataRef

TASK_FILE = "tasks.yaml"


@dataclass(frozen=True)
class TranslatedFile:
    """A file that was written: where it lies, how many of the source's examples are in it, and what was noted."""

    path: Path
    count: int
    of: int
    notes: tuple[str, ...]


def translate_into(
    use: TaskUse,
    out: Path,
    store: Store,
    reporter: Reporter,
    *,
    data: Data,
    lexicons: Path | None = None,
    device: str = "auto",
) -> list[TranslatedFile]:
    """Translate a task's data (`use.translate` says how) into each of `use.languages`; one file a task and language.

    What the store has is not translated again, and what was stopped goes on. Raises `UserError` for what cannot be
    translated, and for a folder that holds something else.
    """
    assert use.translate is not None
    study = _study(use, data, lexicons, device)
    check_writable(out)
    if out.is_dir() and any(out.iterdir()) and not (out / TASK_FILE).exists():
        raise UserError("is a folder of something else", where=str(out), hint="name a new folder with --out")
    planner = Planner(study, False, EXECUTORS["local"])
    steps: dict[str, tuple[DataRef, str]] = {}
    for name in members_of(use.name):
        task = TASKS.get(name, where="--task")
        source = source_language(use.translate, name, "--task")
        split = checked_split(task, use.split or "train", "--split")
        for language in use.languages or ():
            if language == source:
                raise UserError(f"{name} is in {source}", where="--to", hint="name languages to translate into")
            ref = DataRef(name, source, split, use.rows, use.limit)
            steps[planner.translate(translation_of(use.translate, ref, language, "--to"))] = (ref, language)
    outcome = run_graph(
        planner.graph(), list(steps), store, EXECUTORS["local"], reporter=reporter, folder=store.root / "logs"
    )
    for failure in outcome.failed.values():
        if failure.mistake:
            raise UserError(failure.message, where="translate")
        if failure.traceback:
            raise RuntimeError(failure.traceback)
        raise StepFailed(failure.message)
    out.mkdir(parents=True, exist_ok=True)
    files = [_write(store, key, ref, language, out) for key, (ref, language) in steps.items()]
    _declare(out, steps.values())
    return files


def _study(use: TaskUse, data: Data, lexicons: Path | None, device: str) -> Study:
    """A study that has nothing but the data: what opens them is the planner's."""
    return Study(
        name="translate",
        encoder="microworld",
        device="cuda" if device == "cuda" else "cpu" if device == "cpu" else "auto",
        data=data,
        lexicons=lexicons,
        routes={"none": []},
        targets=Targets(tasks={use.name: None}),
    )


def _write(store: Store, key: str, ref: DataRef, language: str, out: Path) -> TranslatedFile:
    examples, pool = read_examples(store.path(key))
    meta = store.manifest(key)["meta"]
    path = out / ref.task / f"{ref.split}-{language}.jsonl"
    path.parent.mkdir(exist_ok=True)
    with replacing(path) as draft:
        write_lines(draft, [_row(example, TASKS[ref.task], pool) for example in examples])
    return TranslatedFile(path, meta["n"], meta["of"], tuple(meta.get("notes", ())))


def _row(example: Example, task: Task, pool: Pool | None) -> dict[str, Any]:
    """An example as a record of own data: its fields by their names, its id without the split."""
    head = {"id": example.id.split("/", 2)[-1], "cluster": example.cluster.split("/", 2)[-1]}
    match example:
        case PairExample():
            return {**head, "first": example.first, "second": example.second, "label": _label(example.label, task)}
        case ChoiceExample():
            names = {text: name for name, text in task.questions.items()}
            question = names.get(example.question, example.question)
            texts = {"context": example.context, "question": question, "choices": list(example.choices)}
            return {**head, **texts, "label": _label(example.label, task)}
        case TaggingExample():
            return {**head, "words": list(example.words), "tags": None if example.tags is None else list(example.tags)}
        case SpanExample():
            answers = [
                {"text": example.context[a.start : a.end], "answer_start": a.start} for a in example.answers or ()
            ]
            row = {**head, "question": example.question, "context": example.context, "answers": answers}
            return {**row, "is_impossible": not answers} if task.unanswerable else row
        case QueryExample():
            assert pool is not None
            return {**head, "query": example.query, "candidate": pool.candidates[pool.index[example.gold[0]]].text}
        case _:
            assert_never(example)


def _label(label: int | None, task: Task) -> str | None:
    return None if label is None else task.labels[label]


def _declare(out: Path, made: Iterable[tuple[DataRef, str]]) -> None:
    """Write the task file, which `--task-file` and `tasks:` of a study take, beside the data; others of it stay."""
    path = out / TASK_FILE
    declared: dict[str, Any] = dict(parse_yaml(yaml_text(path, "task file"), str(path))) if path.exists() else {}
    for ref, language in made:
        name = f"{ref.task}-translated"
        known: Mapping[str, Any] = declared.get(name, {})
        languages = list(dict.fromkeys([*known.get("languages", ()), language]))
        task = TASKS[ref.task]
        like = {"like": ref.task} if task.kind != "query" or task.perturbed == ("pool",) else {"kind": "query"}
        files = f"{ref.task}/{{split}}-{{language}}.jsonl"
        declared[name] = {**like, "files": files, "languages": languages, "parallel": True}
    lines = [f"{name}: {json.dumps(value, ensure_ascii=False)}\n" for name, value in declared.items()]
    with replacing(path) as draft:
        draft.write_text("".join(lines), encoding="utf-8")


def translate_options(
    model: str | None,
    lexicon: bool,
    *,
    revision: str | None,
    source: str | None,
    codes: Mapping[str, str],
    beams: int,
) -> TranslateSpec:
    """The settings of a translation as a command's options say them."""
    value = {"model": model, "lexicon": lexicon, "revision": revision, "source": source, "codes": dict(codes)}
    spec: TranslateSpec = validate_mapping(TranslateSpec, {**value, "beams": beams}, "translate")
    return spec
