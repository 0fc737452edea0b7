"""A task of the user's own that is declared as data: `{like: panx, files: "mner/{language}/{split}.txt", …}`.

The declaration is JSON (checked in `study/own.py`), so that it travels to workers and is part of fingerprints.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from crosswind.data.source import FileLayout
from crosswind.data.tables import format_of
from crosswind.errors import UserError
from crosswind.run.step import canonical
from crosswind.tasks.base import Task
from crosswind.tasks.declaration import (
    base_task,
    codes_and_languages,
    field_columns,
    labels_and_values,
    named_questions,
    tag_map,
    usual_columns,
    usual_metrics,
)
from crosswind.tasks.forms import FIELDS, Form
from crosswind.tasks.own_files import OwnReader, patterns_by_split

_VERSION = 2  # of the readers of this module: raised when the same bytes and declaration give other examples


def own_task(
    name: str,
    declared: Mapping[str, Any],
    tasks: Mapping[str, Task],
    origins: Mapping[str, str | None] | None = None,
) -> Task:
    """The task that a checked declaration stands for; `like` is one of `tasks`.

    `like` gives group, metric, fields, labels, head and what the task is trained on; its official counts and hub do
    not count. `origins` tell the tasks from others of their names (`Registry.origin`). Raises `UserError` at the study
    key `tasks.NAME` for what does not fit together.
    """
    where = f"tasks.{name}"
    if name in tasks:
        hint = "give your data another name; {like: NAME} says what they are like"
        raise UserError(f"there is a task {name!r} already", where=where, hint=hint)
    base = base_task(declared, tasks, where)
    labels, table_of_labels = labels_and_values(declared.get("labels"), base, where)
    names = tuple(codes_and_languages(declared).values())
    form = Form(
        task=name,
        kind=base.kind,
        columns=field_columns(declared.get("columns"), base, where),
        usual=usual_columns(base),
        required=frozenset(base.columns.values()) & set(FIELDS[base.kind]) - {"label"},
        labels=table_of_labels,
        label_names=labels,
        questions=named_questions(declared.get("questions"), base, where),
        map=tag_map(declared.get("map"), base, labels, where),
        parallel=declared.get("parallel", True),
        source_language="en" if "en" in names or base.kind == "query" else names[0],
    )
    if declared.get("bad_answers") and base.kind != "span":
        hint = "`bad_answers` is for span QA: leave it out"
        raise UserError(f"a {base.kind} task has no answers", where=f"{where}.bad_answers", hint=hint)
    reader = OwnReader(form, base, declared, where)
    splits = reader.splits()
    own_data = "train" in splits and not declared.get("like")
    return replace(
        base,
        name=name,
        summary=f"own data, {'like ' + declared['like'] if declared.get('like') else base.kind}",
        group=base.group or name,
        languages=names,
        splits=splits,
        files=FileLayout(reader.locate, reader.read, _VERSION),
        metrics=base.metrics or usual_metrics(base.kind, labels),
        labels=labels,
        hub=reader.hub(),
        counts={},
        trains_on=name if own_data else base.trains_on,
        source_language=form.source_language,
        licence="",
        citation="",
        across=None,
        context_languages=(),
        crossed=None,
        generated=None,
        submission="",
        declaration=canonical(_keyed(declared, base, (origins or {}).get(base.name))),
        codes=codes_and_languages(declared),
    )


def _keyed(declared: Mapping[str, Any], base: Task, origin: str | None) -> dict[str, Any]:
    """What of a declaration makes results others: not where files lie, but how they are read, and the base's code."""
    keyed = {k: v for k, v in declared.items() if k not in ("languages", "files") and (k, v) != ("parallel", True)}
    formats = {tuple(format_of(pattern) for pattern in patterns) for patterns in patterns_by_split(declared).values()}
    code = {"origin": origin, "version": base.files.version} if base.name else {}
    return {**keyed, "formats": sorted(formats), "base": code}
