"""What the keys of an own task's declaration mean: its base, columns, labels, questions, tags; checked one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from crosswind.data.examples import Kind
from crosswind.data.source import Content, FileLayout
from crosswind.errors import UserError, unknown
from crosswind.tasks.base import Task
from crosswind.tasks.forms import CHOICE, COMMON, FIELDS

_METRICS: Mapping[Kind, tuple[str, ...]] = {
    "pair": ("accuracy",),
    "choice": ("accuracy",),
    "tagging": ("token-accuracy",),
    "span": ("mlqa",),
    "query": ("accuracy",),
}
_ENTITY_METRICS = ("seqeval-f1", "seqeval-f1-new", "token-accuracy")
_PERTURBED: Mapping[Kind, tuple[str, ...]] = {
    "pair": ("first", "second"),
    "choice": ("context", "choices"),
    "tagging": ("words",),
    "span": ("question", "context"),
    "query": ("pool",),
}


def base_task(declared: Mapping[str, Any], tasks: Mapping[str, Task], where: str) -> Task:
    """The task that the data are like, or an empty one of their kind."""
    if like := declared.get("like"):
        if like not in tasks:
            raise unknown("task", like, tasks, where=f"{where}.like")
        base = tasks[like]
        if base.across is not None or (base.kind == "query" and base.perturbed != ("pool",)):
            raise UserError(
                f"the pool of {like!r} is made of more than files of its own",
                where=f"{where}.like",
                hint="declare such a task in Python (CONTRIBUTING.md), or pairs of lines: like: tatoeba",
            )
        if declared.get("kind") not in (None, base.kind):
            hint = "`like` says the kind: leave `kind` out"
            raise UserError(f"{like!r} is a {base.kind} task", where=f"{where}.kind", hint=hint)
        return base
    kind = declared["kind"]
    if kind not in get_args(Kind):
        raise unknown("kind", kind, get_args(Kind), where=f"{where}.kind")
    nothing = FileLayout(lambda *_: (), lambda *_: Content(()))
    return Task("", kind, "", "", (), (), nothing, (), _PERTURBED[kind])


def codes_and_languages(declared: Mapping[str, Any]) -> dict[str, str]:
    """Code in the files -> BCP 47."""
    given = declared.get("languages") or ("en",)
    return dict(given) if isinstance(given, Mapping) else {code: code for code in given}


def field_columns(given: Mapping[str, str] | Sequence[str] | None, base: Task, where: str) -> dict[str, str]:
    """Field -> column, of what the user names by the official columns or by the fields; `{}` of a list."""
    if not isinstance(given, Mapping):
        return {}
    fields = {**{f: f for f in (*FIELDS[base.kind], *COMMON)}, **dict(base.columns)}
    for key in given:
        if key not in fields and not (base.kind == "choice" and CHOICE.fullmatch(key)):
            raise unknown("column", key, fields, where=f"{where}.columns")
    return {fields.get(key, key): column for key, column in given.items()}


def usual_columns(base: Task) -> dict[str, tuple[str, ...]]:
    """Field -> the columns that fill it where the user says nothing: the official one, or that of the field's name."""
    usual: dict[str, list[str]] = {}
    for column, name in base.columns.items():
        usual.setdefault(name, []).append(column)
    if base.kind == "tagging":
        usual |= {"words": ["tokens"], "tags": ["ner_tags", "upos", "pos_tags"]}
    for name in (*FIELDS[base.kind], "id", "cluster"):
        usual.setdefault(name, []).append(name)
    return {name: tuple(dict.fromkeys(columns)) for name, columns in usual.items()}


def labels_and_values(
    given: Sequence[str] | Mapping[str, int | str] | None, base: Task, where: str
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The task's labels, and what the files write -> index.

    Numbers have an order of ours only where the official files of the base write them: elsewhere the user says it.
    """
    where = f"{where}.labels"
    if given is None:
        if not base.name and base.kind in ("pair", "tagging"):
            hint = 'for example labels: [no, yes], or what the files write: {"1": 0, "2": 1}'
            raise UserError(f"a {base.kind} task needs its labels", where=where, hint=hint)
        aliases = {alias: base.labels.index(name) for alias, name in base.aliases.items()}
        values = _numbered(base.labels) if base.numbered else {name: i for i, name in enumerate(base.labels)}
        return base.labels, values | aliases
    if not isinstance(given, Mapping):
        if base.name and base.labels and (len(given) != len(base.labels) or base.kind == "tagging"):
            what = f"{base.name} has {len(base.labels)} labels: {', '.join(base.labels)}"
            hint = "say what each label of your files is: labels: {mine: theirs}; tags are mapped by `map`"
            raise UserError(what, where=where, hint=hint)
        _refuse_another_order(given, base, where)
        names = base.labels if base.name and base.labels else tuple(given)
        return names, _numbered(tuple(given)) | {label: i for i, label in enumerate(given)}
    table_of_labels = {str(key): _index(value, base, where) for key, value in given.items()}
    if base.labels:
        names = base.labels
    else:
        highest = max(table_of_labels.values())
        first = {index: key for key, index in reversed(table_of_labels.items())}
        missing = [i for i in range(highest + 1) if i not in first]
        if missing and base.kind != "choice":
            hint = "labels are numbered from 0, without gaps"
            raise UserError(f"no label has the number {missing[0]}", where=where, hint=hint)
        names = tuple(first.get(i, str(i)) for i in range(highest + 1)) if base.kind != "choice" else ()
    if names and max(table_of_labels.values()) >= len(names):
        what = f"there is no label {max(table_of_labels.values())}: {', '.join(names)} are 0 to {len(names) - 1}"
        raise UserError(what, where=where, hint="labels are numbered from 0")
    return names, table_of_labels


def _refuse_another_order(given: Sequence[str], base: Task, where: str) -> None:
    """A list renames the base's labels in their order: one that says the base's own names in another misleads."""
    known = {**base.aliases, **{label: label for label in base.labels}}
    if base.name and any(known.get(label, name) != name for label, name in zip(given, base.labels, strict=False)):
        numbers = ", ".join(f'"{i}": {label}' for i, label in enumerate(given))
        raise UserError(
            f"a list renames the labels of {base.name} in their order ({', '.join(base.labels)}), and this one says "
            f"them in another",
            where=where,
            hint=f"leave it out where the files write these names; for numbers: labels: {{{numbers}}}",
        )


def _index(value: int | str, base: Task, where: str) -> int:
    if isinstance(value, int):
        if value < 0:
            raise UserError(f"a label numbered {value}", where=where, hint="labels are numbered from 0")
        return value
    if value not in base.labels:
        raise unknown("label", value, base.labels, where=where)
    return base.labels.index(value)


def _numbered(names: tuple[str, ...]) -> dict[str, int]:
    """Each name and its number as text -> index; names that are numbers themselves stand for nothing else."""
    numbers = {} if any(n.isdecimal() for n in names) else {str(i): i for i in range(len(names))}
    return numbers | {name: i for i, name in enumerate(names)}


def named_questions(given: Mapping[str, str] | None, base: Task, where: str) -> dict[str, str]:
    """What a file writes -> the question; the values that the user names are the base's names, if it has some."""
    if given and base.kind != "choice":
        raise UserError(f"a {base.kind} task has no named questions", where=f"{where}.questions", hint="leave it out")
    questions = dict(base.questions)
    for key, value in (given or {}).items():
        if base.questions and value not in base.questions:
            raise unknown("question", value, base.questions, where=f"{where}.questions.{key}")
        questions[key] = base.questions.get(value, value)
    return questions


def tag_map(given: Mapping[str, str] | None, base: Task, labels: tuple[str, ...], where: str) -> dict[str, str]:
    """Tag of another set -> the task's."""
    if given and base.kind != "tagging":
        hint = "`map` is for tags; labels are named by `labels`"
        raise UserError(f"a {base.kind} task has no tags", where=f"{where}.map", hint=hint)
    for key, value in (given or {}).items():
        if value not in labels:
            raise unknown("tag", value, labels, where=f"{where}.map.{key}")
    return dict(given or {})


def usual_metrics(kind: Kind, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Entities are judged by spans: tags that are O, B-… and I-…; other tags word by word."""
    entities = kind == "tagging" and all(tag == "O" or tag[:2] in ("B-", "I-") for tag in labels)
    return _ENTITY_METRICS if entities else _METRICS[kind]
