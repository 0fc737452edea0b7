"""A task of the user's own that is declared as data: `{like: panx, files: "mner/{language}/{split}.txt", …}`.

The declaration is JSON (checked in `study/own.py`), so that it travels to workers and is part of fingerprints.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from crosswind.data.conll import read_conll
from crosswind.data.examples import Kind, TaggingExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, hub_table
from crosswind.data.retrieval import pair_content, read_line_pairs
from crosswind.data.source import HUB_SPLITS, Content, FileLayout, HubSource
from crosswind.data.squad import Paragraph, read_squad, span_content
from crosswind.data.tables import format_of, table_records
from crosswind.data.tagging import read_conllu
from crosswind.errors import UserError, unknown
from crosswind.run.step import canonical
from crosswind.tasks.base import Task
from crosswind.tasks.forms import CHOICE, COMMON, FIELDS, Form

_VERSION = 1  # of the readers of this module: raised when the same bytes and declaration give other examples
SPLITS = ("train", "dev", "test")
_SPELLINGS = {"dev": ("dev", "val", "validation", "valid"), "train": ("train",), "test": ("test",)}
_TABLES = ("tsv", "csv", "json", "jsonl", "ndjson", "parquet")
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


def own_task(name: str, declared: Mapping[str, Any], tasks: Mapping[str, Task]) -> Task:
    """The task that a checked declaration stands for; `like` is one of `tasks`.

    `like` gives group, metric, fields, labels, head and what the task is trained on; its official counts and hub do
    not count. Raises `UserError` at the study key `tasks.NAME` for what does not fit together.
    """
    where = f"tasks.{name}"
    if name in tasks:
        hint = "give your data another name; {like: NAME} says what they are like"
        raise UserError(f"there is a task {name!r} already", where=where, hint=hint)
    base = _base(declared, tasks, where)
    labels, table_of_labels = _labels(declared.get("labels"), base, where)
    names = tuple(_languages(declared).values())
    form = Form(
        task=name,
        kind=base.kind,
        columns=_columns(declared.get("columns"), base, where),
        usual=_usual(base),
        labels=table_of_labels,
        label_names=labels,
        questions=_questions(declared.get("questions"), base, where),
        map=_map(declared.get("map"), base, labels, where),
        unanswerable=base.unanswerable,
        source_language="en" if "en" in names or base.kind == "query" else names[0],
    )
    if declared.get("bad_answers") and base.kind != "span":
        hint = "`bad_answers` is for span QA: leave it out"
        raise UserError(f"a {base.kind} task has no answers", where=f"{where}.bad_answers", hint=hint)
    reader = _Reader(form, base, declared, where)
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
        metrics=base.metrics or _metrics(base.kind, labels),
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
        declaration=canonical({key: value for key, value in declared.items() if key != "languages"}),
        codes=_languages(declared),
    )


def _base(declared: Mapping[str, Any], tasks: Mapping[str, Task], where: str) -> Task:
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


def _languages(declared: Mapping[str, Any]) -> dict[str, str]:
    """Code in the files -> BCP 47."""
    given = declared.get("languages") or ("en",)
    return dict(given) if isinstance(given, Mapping) else {code: code for code in given}


def _columns(given: Mapping[str, str] | Sequence[str] | None, base: Task, where: str) -> dict[str, str]:
    """Field -> column, of what the user names by the official columns or by the fields; `{}` of a list."""
    if not isinstance(given, Mapping):
        return {}
    fields = {**{f: f for f in (*FIELDS[base.kind], *COMMON)}, **dict(base.columns)}
    for key in given:
        if key not in fields and not (base.kind == "choice" and CHOICE.fullmatch(key)):
            raise unknown("column", key, fields, where=f"{where}.columns")
    return {fields.get(key, key): column for key, column in given.items()}


def _usual(base: Task) -> dict[str, tuple[str, ...]]:
    """Field -> the columns that fill it where the user says nothing: the official one, or that of the field's name."""
    usual: dict[str, list[str]] = {}
    for column, name in base.columns.items():
        usual.setdefault(name, []).append(column)
    if base.kind == "tagging":
        usual |= {"words": ["tokens"], "tags": ["ner_tags", "upos", "pos_tags"]}
    for name in (*FIELDS[base.kind], "id", "cluster"):
        usual.setdefault(name, []).append(name)
    return {name: tuple(dict.fromkeys(columns)) for name, columns in usual.items()}


def _labels(
    given: Sequence[str] | Mapping[str, int | str] | None, base: Task, where: str
) -> tuple[tuple[str, ...], dict[str, int]]:
    """The task's labels, and what the files write -> index."""
    where = f"{where}.labels"
    if given is None:
        if not base.name and base.kind in ("pair", "tagging"):
            hint = 'for example labels: [no, yes], or what the files write: {"1": 0, "2": 1}'
            raise UserError(f"a {base.kind} task needs its labels", where=where, hint=hint)
        aliases = {alias: base.labels.index(name) for alias, name in base.aliases.items()}
        return base.labels, _numbered(base.labels) | aliases
    if not isinstance(given, Mapping):
        if base.name and base.labels and (len(given) != len(base.labels) or base.kind == "tagging"):
            what = f"{base.name} has {len(base.labels)} labels: {', '.join(base.labels)}"
            hint = "say what each label of your files is: labels: {mine: theirs}; tags are mapped by `map`"
            raise UserError(what, where=where, hint=hint)
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


def _questions(given: Mapping[str, str] | None, base: Task, where: str) -> dict[str, str]:
    """What a file writes -> the question; the values that the user names are the base's names, if it has some."""
    if given and base.kind != "choice":
        raise UserError(f"a {base.kind} task has no named questions", where=f"{where}.questions", hint="leave it out")
    questions = dict(base.questions)
    for key, value in (given or {}).items():
        if base.questions and value not in base.questions:
            raise unknown("question", value, base.questions, where=f"{where}.questions.{key}")
        questions[key] = base.questions.get(value, value)
    return questions


def _map(given: Mapping[str, str] | None, base: Task, labels: tuple[str, ...], where: str) -> dict[str, str]:
    if given and base.kind != "tagging":
        hint = "`map` is for tags; labels are named by `labels`"
        raise UserError(f"a {base.kind} task has no tags", where=f"{where}.map", hint=hint)
    for key, value in (given or {}).items():
        if value not in labels:
            raise unknown("tag", value, labels, where=f"{where}.map.{key}")
    return dict(given or {})


def _metrics(kind: Kind, labels: tuple[str, ...]) -> tuple[str, ...]:
    """Entities are judged by spans: tags that are O, B-… and I-…; other tags word by word."""
    entities = kind == "tagging" and all(tag == "O" or tag[:2] in ("B-", "I-") for tag in labels)
    return _ENTITY_METRICS if entities else _METRICS[kind]


def file_patterns(files: Any) -> list[str]:
    """Every pattern of a declaration's `files`."""
    values = files.values() if isinstance(files, Mapping) else [files or []]
    return [pattern for value in values for pattern in ([value] if isinstance(value, str) else value)]


def codes_of(pattern: str, root: Path) -> set[str]:
    """What stands for `{language}` in the names of the files below `root`."""
    pattern = _plain_name(pattern)
    if Path(pattern).is_absolute():
        root = Path(Path(pattern).anchor)
        pattern = Path(pattern).relative_to(root).as_posix()
    names = (path.relative_to(root).as_posix() for path in root.glob(re.sub(_PLACE, "*", pattern) + "*"))
    parts = re.split(_PLACE, pattern)
    first = pattern.count("{split}", 0, pattern.index("{language}"))
    marks = [_ANY if m == "{split}" else "(?P=code)" for m in re.findall(_PLACE, pattern)]
    marks[first] = "(?P<code>[^/]+?)"
    joined = "".join(re.escape(part) + mark for part, mark in zip(parts, [*marks, ""], strict=True))
    return {match["code"] for name in names if (match := re.fullmatch(joined + r"(?:\.gz|\.xz)?", name))}


_PLACE, _ANY = r"\{(?:language|split)\}", r"[^/]+?"


class _Reader:
    """Finds and reads the files (or rows of the hub) of a declaration."""

    def __init__(self, form: Form, base: Task, declared: Mapping[str, Any], where: str) -> None:
        self.form, self.base, self.declared, self.where = form, base, declared, where
        self.codes = {language: code for code, language in _languages(declared).items()}
        self.patterns = self._patterns(declared.get("files"))
        if not self.patterns and not declared.get("hub"):
            hint = 'say where they lie: files: "mine/{split}-{language}.tsv", or hub: owner/name'
            raise UserError("neither files nor a hub repository", where=where, hint=hint)

    def splits(self) -> tuple[str, ...]:
        """The splits that the files may have."""
        if not self.patterns:
            return tuple(self._hub_setting("splits", HUB_SPLITS))
        if None not in self.patterns:
            return tuple(split for split in self.patterns if split is not None)
        return SPLITS if any("{split}" in pattern for pattern in self.patterns[None]) else ("test",)

    def locate(self, files: Files, language: str, split: str) -> tuple[Path, ...]:
        """The file, or the two of aligned lines."""
        if not self.patterns:
            hint = f"data: {{tasks: {{{self.form.task}: {{source: hub}}}}}} reads it there"
            raise UserError(f"{self.form.task} is declared on the hub only", where=self.where, hint=hint)
        what = f"{self.form.task} {split}, {language}"
        patterns = self.patterns.get(split) or self.patterns[None]
        spellings = _SPELLINGS.get(split, (split,))
        values = [{"language": self.codes[language], "split": spelling} for spelling in spellings]
        return tuple(
            files.find(*dict.fromkeys(_plain_name(p.format(**v)) for v in values), what=what) for p in patterns
        )

    def read(self, paths: tuple[Path, ...], language: str, split: str) -> Content:
        """The examples of these files."""
        form, kind = self.form, self.form.kind
        path, name = paths[0], format_of(paths[0])
        if len(paths) > 1:
            return pair_content(
                read_line_pairs(*paths), f"{form.task}/{split}/{language}", form.source_language, language
            )
        if kind == "span" and (name not in _TABLES or (name == "json" and not self.declared.get("columns"))):
            return self._span(read_squad(path), language, split)
        if kind == "tagging" and name not in _TABLES:
            return self._tagged(path, language, split)
        if kind == "tagging" and name == "tsv" and not self.declared.get("columns"):
            return self._tagged(path, language, split)
        return self._content(self._table(path), language, split)

    def hub(self) -> HubSource | None:
        """The declaration of the hub, with the rows converted as a table's records."""
        if not self.declared.get("hub"):
            return None
        several = len(self.codes) > 1
        return HubSource(
            self._hub_setting("repo", self.declared["hub"]),
            self._hub_setting("splits", HUB_SPLITS),
            self._convert,
            config=self._hub_setting("config", "{language}" if several else None),
            revision=self._hub_setting("revision", "main"),
            names=self.codes,
        )

    def _hub_setting(self, key: str, default: Any) -> Any:
        given = self.declared.get("hub")
        return given.get(key, default) if isinstance(given, Mapping) else default

    def _convert(self, rows: Iterable[Mapping[str, Any]], language: str, split: str) -> Content:
        return self._content(hub_table(rows), language, split)

    def _content(self, records: Iterable[TableRecord], language: str, split: str) -> Content:
        code = self.codes[language]
        if self.form.kind == "span":
            return self._span(self.form.paragraphs(records, code), language, split)
        return self.form.content(records, language, code, split)

    def _table(self, path: Path) -> Iterable[TableRecord]:
        given, base, form = self.declared.get("columns"), self.base, self.form
        if isinstance(given, Sequence):
            return table_records(path, (), tuple(given))
        order = [f"{c}?" if name == "label" else c for c, name in base.columns.items() if name != "id"]
        known = {*form.columns.values(), *(c for columns in form.usual.values() for c in columns)}
        return table_records(path, known, () if given else order)

    def _tagged(self, path: Path, language: str, split: str) -> Content:
        form = self.form
        tags = {*form.label_names, *form.map}
        if format_of(path) == "conllu":
            sentences = read_conllu(path, tags)
        else:
            sentences = read_conll(path, tags, self.declared.get("separator"))
        examples = []
        for name, words, marks in sentences:
            item = f"{form.task}/{split}/{language}-{name}"
            mapped = None if marks is None else tuple(form.map.get(mark, mark) for mark in marks)
            examples.append(TaggingExample(item, item, language, words, mapped))
        return Content(tuple(examples))

    def _span(self, paragraphs: list[Paragraph], language: str, split: str) -> Content:
        task = self.form.task
        return span_content(
            paragraphs,
            language,
            item=lambda paragraph, question: f"{task}/{split}/{question.id}",
            cluster=lambda paragraph, question: f"{task}/{split}/p-{paragraph.first_id}",
            bad_answers=self.declared.get("bad_answers", "repair"),
        )

    def _patterns(self, given: Any) -> dict[str | None, tuple[str, ...]]:
        """Split (None: every one) -> patterns."""
        if given is None:
            return {}
        by_split = given if isinstance(given, Mapping) else {None: given}
        patterns: dict[str | None, tuple[str, ...]] = {
            split: (value,) if isinstance(value, str) else tuple(value) for split, value in by_split.items()
        }
        for pattern in (p for parts in patterns.values() for p in parts):
            self._check_pattern(pattern)
        if any(len(parts) > 1 for parts in patterns.values()) and self.form.kind != "query":
            hint = "two files are the queries and the candidates of a query task, line by line"
            raise UserError("several files", where=f"{self.where}.files", hint=hint)
        return patterns

    def _check_pattern(self, pattern: str) -> None:
        where = f"{self.where}.files"
        try:
            names = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        except ValueError:
            raise UserError(
                f"{pattern!r} has a brace that is not closed", where=where, hint="{language}, {split}"
            ) from None
        for name in names - {"language", "split"}:
            raise unknown("placeholder", name, ("language", "split"), where=where)
        many = len(self.codes) > 1
        if many and "language" not in names and "language" not in self.form.columns:
            hint = "write {language} into the file's name, or name the column of the language"
            raise UserError("every language would be the same file", where=where, hint=hint)


def _plain_name(pattern: str) -> str:
    """The name without the ending of a compression, which is tried anyway."""
    return pattern.removesuffix(".gz").removesuffix(".xz")
