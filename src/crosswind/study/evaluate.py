"""Evaluating any checkpoint: a study without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from crosswind.data.examples import Kind
from crosswind.errors import UserError, unknown
from crosswind.evaluate.given import CLEAN_CONDITION, GivenCondition, GivenPredictions, read_given
from crosswind.perturb.spec import parse_spec
from crosswind.perturb.suite import load_suite
from crosswind.perturb.tuning import damage_named
from crosswind.registry import declare
from crosswind.study.own import OwnTask, read_task_file
from crosswind.study.spec import (
    Data,
    PerturbSpec,
    PoolingSpec,
    Study,
    Target,
    Targets,
    TrainingSpec,
    validate_mapping,
)
from crosswind.tasks.base import TASKS

POOLINGS = ("mean", "cls", "pooler")  # what `--pooling` may name


def evaluation(
    model: str,
    tasks: Sequence[str],
    *,
    languages: Sequence[str] = (),
    perturb: Sequence[str] = (),
    suite: str | None = None,
    fields: Sequence[str] = (),
    constraints: Sequence[str] = (),
    data: Path | None = None,
    official: Path | None = None,
    split: str | None = None,
    limit: int | None = None,
    draws: int = 1,
    lexicons: Path | None = None,
    precision: str = "fp32",
    max_length: int | None = None,
    stride: int | None = None,
    pooling: PoolingSpec | None = None,
    labels: Sequence[str] = (),
    task_file: Path | None = None,
    predictions: Sequence[Path] | None = None,
    attack: Sequence[Mapping[str, object]] = (),
    attacked_only: int | None = None,
) -> Study:
    """The study that evaluates a fine-tuned checkpoint (or, for retrieval, any encoder).

    The microworld's tasks are generated; of others, with `data` the files below it are read, otherwise the official
    ones below `official`, or else the hub. `max_length` and `stride` default to the kind's; `pooling` is for retrieval,
    and what it leaves unset is the checkpoint's own; `labels` name the model's classes in its own order. `task_file`
    declares tasks of the user's own, whose files lie below `data` or else beside it; without `tasks` all of them are
    evaluated. `attacked_only` is how many examples of a test set are read at all, but of retrieval, where fewer queries
    would have a smaller pool: all are predicted, and so many attacked. With files of `predictions` nothing is loaded,
    and `model` is a name; what is not said (tasks, languages, perturbations, draws) is what the files have. Raises
    `UserError` for no task, and for an option that none of the tasks reads.
    """
    given = None
    if predictions:
        _refuse_of_models(precision != "fp32", max_length, stride, pooling, labels)
        given = read_given(predictions)
        tasks = tasks or given.tasks
        draws = max(draws, given.draws)
    declared = read_task_file(task_file) if task_file else {}
    tasks = tasks or list(declared)
    if not tasks:
        raise UserError("no task is named", where="--task", hint="for example --task xnli")
    if limit is not None and limit < 1:
        raise UserError(f"the limit is {limit}", where="--limit", hint="evaluate at least one example")
    declare({"task": {name: task.canonical() for name, task in declared.items()}})
    kinds = {TASKS.get(name, where="--task").kind for name in tasks}
    _require_reader(stride, "--stride", kinds, "span")
    _require_reader(pooling, "--pooling and --prefix", kinds, "query")
    _require_reader(labels or None, "--labels", kinds, "pair", "tagging")
    target = Target(split=split, limit=limit, train=[])
    special = {
        "query": target.model_copy(update={"pooling": pooling}),
        "pair": target.model_copy(update={"labels": list(labels) or None}),
        "tagging": target.model_copy(update={"labels": list(labels) or None}),
    }
    if perturb or suite or given is None:
        section = _perturbations(perturb, suite, fields, constraints)
    else:
        section = conditions_of(given, tasks, languages)
    if attacked_only is not None:
        limited = target.model_copy(update={"limit": attacked_only})
        target, special = (
            limited,
            {
                kind: one if kind == "query" else one.model_copy(update={"limit": attacked_only})
                for kind, one in special.items()
            },
        )
    targets = {name: special.get(TASKS[name].kind, target) for name in tasks}
    if given is not None:
        chosen = {name: _languages_of(given, name, languages) for name in tasks}
        targets = {name: t.model_copy(update={"languages": chosen[name]}) for name, t in targets.items()}
        for name in (name for name in tasks if TASKS[name].search == "mined"):
            targets[name] = targets[name].model_copy(update={"metrics": ["set-f1"]})  # pairs without margins
    more: dict[str, Any] = {"attack": [dict(a) for a in attack]} if attack else {}
    values = dict(
        **more,
        name="evaluate",
        encoder=model,
        predictions=None if predictions is None else [*predictions],
        fine_tuned=True,
        draws=draws,
        data=_data(tasks, data, official, declared, task_file),
        lexicons=lexicons,
        training=TrainingSpec(
            precision="bf16" if precision == "bf16" else "fp32", max_length=max_length, stride=stride
        ),
        routes={"none": []},
        tasks=declared,
        targets=Targets(tasks=targets, languages=list(languages) or None),
        perturb=section,
    )
    study: Study = validate_mapping(Study, values, "options")
    return study


def conditions_of(given: GivenPredictions, tasks: Sequence[str], languages: Sequence[str] = ()) -> list[PerturbSpec]:
    """The perturbations that files of predictions have, each in the tasks and languages that they have it in.

    Of these `tasks`, and of these `languages` alone if some are named.
    """
    entries: dict[tuple[str, str], list[GivenCondition]] = {}
    for key in given.rows:
        wanted = (not key.task or key.task in tasks) and (
            not languages or not key.language or key.language in languages
        )
        if key.condition != CLEAN_CONDITION and wanted:
            entries.setdefault((key.condition, key.task), []).append(key)
    return [
        PerturbSpec(
            spec=condition if damage_named(condition) else str(parse_spec(condition, where="--predictions")),
            languages=sorted({k.language for k in keys if k.language}) or None,
            targets=[task] if task else None,
            protect=sorted({k.protection for k in keys}),
        )
        for (condition, task), keys in entries.items()
    ]


def _languages_of(given: GivenPredictions, task: str, asked: Sequence[str]) -> list[str] | None:
    """The languages that files of predictions have of a task, of those asked for; None: the task's only one."""
    named = list(dict.fromkeys(k.language for k in given.rows if k.language and k.task in ("", task)))
    if named:
        return [code for code in named if not asked or code in asked] or list(asked)
    if not asked and len(TASKS[task].languages) > 1:
        hint = "a column `language`, or --languages"
        raise UserError("the files of predictions do not say the language", where="--predictions", hint=hint)
    return list(asked) or None


def _refuse_of_models(*values: object) -> None:
    """Predictions that are given have been made: no option of the model can change them."""
    if any(values):
        raise UserError(
            "options of a model beside predictions that are given",
            where="--predictions",
            hint="leave out --precision, --max-length, --stride, --pooling, --prefix and --labels",
        )


def _perturbations(
    perturb: Sequence[str], suite: str | None, fields: Sequence[str], constraints: Sequence[str]
) -> list[PerturbSpec]:
    limits: dict[str, Any] = {"fields": list(fields) or None, "constraints": list(constraints)}
    if (fields or constraints) and not perturb:
        hint = "a frozen suite is taken as it is" if suite else "name what is perturbed: --perturb SPEC"
        raise UserError("fields and constraints of no perturbation", where="--perturb", hint=hint)
    if suite is not None:
        load_suite(suite, where="--suite")
    return [*(PerturbSpec(spec=p, **limits) for p in perturb), *([PerturbSpec(suite=suite)] if suite else [])]


def pooling_option(text: str | None, prefix: str | None) -> PoolingSpec | None:
    """`mean`, `cls`, `pooler`, or with a layer `mean:8`, `mean:0.6`; and the text before every query and candidate."""
    if text is None and prefix is None:
        return None
    mode, colon, layer = (text or "").partition(":")
    value: dict[str, object] = {"mode": mode or None, "prefix": prefix}
    if colon:
        try:
            value["layer"] = float(layer) if "." in layer else int(layer)
        except ValueError:
            hint = "for example --pooling mean:8, or mean:0.6 for a share of the depth"
            raise UserError(f"{layer!r} is no layer", where="--pooling", hint=hint) from None
    if text is not None and mode not in POOLINGS:
        raise unknown("pooling", mode, POOLINGS, where="--pooling")
    spec: PoolingSpec = validate_mapping(PoolingSpec, value, "--pooling" if text is not None else "--prefix")
    return spec


def _require_reader(value: object, option: str, kinds: Set[Kind], *readers: Kind) -> None:
    if value is not None and not kinds & set(readers):
        raise UserError(
            f"none of the tasks reads {option}",
            where=option,
            hint=f"it is for tasks of kind {' and '.join(readers)} (`crosswind list tasks`)",
        )


def _data(
    tasks: Sequence[str],
    data: Path | None,
    official: Path | None,
    declared: Mapping[str, OwnTask],
    task_file: Path | None,
) -> Data:
    root = data or official
    generated = [name for name in tasks if name not in declared and name in TASKS and TASKS[name].generated is not None]
    if not generated:
        if root is not None and not root.expanduser().is_dir():
            hint = "name the folder that holds the official files"
            raise UserError(f"no folder {str(root)!r}", where="--data" if data else "CROSSWIND_DATA", hint=hint)
        folder = task_file.absolute().parent if task_file and data is None else None
        with_files = [name for name, task in declared.items() if folder and task.files]
        sources = {name: Data(source="files", root=folder) for name in with_files}
        return Data(source="files", root=root, tasks=sources) if root else Data(source="hub", tasks=sources)
    if len(generated) < len(tasks):
        raise UserError(
            f"{generated[0]} is generated and {next(n for n in tasks if n not in generated)} is not",
            where="--task",
            hint="evaluate the microworld's tasks apart",
        )
    return Data(source="microworld")
