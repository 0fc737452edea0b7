"""The files (or rows of the hub) of a task of the user's own: found by their patterns, read by their endings."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from crosswind.data.conll import read_conll
from crosswind.data.examples import TaggingExample
from crosswind.data.files import Files
from crosswind.data.records import TableRecord, hub_table
from crosswind.data.retrieval import read_line_pairs
from crosswind.data.source import HUB_SPLITS, Content, HubSource
from crosswind.data.squad import Paragraph, read_squad, span_content
from crosswind.data.tables import OwnTable, format_of, read_own_table
from crosswind.data.tagging import read_conllu
from crosswind.errors import UserError, shown, unknown
from crosswind.tasks.base import Task
from crosswind.tasks.declaration import codes_and_languages
from crosswind.tasks.forms import Form

SPLITS = ("train", "dev", "test")
_SPELLINGS = {"dev": ("dev", "val", "validation", "valid"), "train": ("train",), "test": ("test",)}
_TABLES = ("tsv", "csv", "json", "jsonl", "ndjson", "parquet")


def file_patterns(files: Any) -> list[str]:
    """Every pattern of a declaration's `files`."""
    values = files.values() if isinstance(files, Mapping) else [files or []]
    return [pattern for value in values for pattern in ([value] if isinstance(value, str) else value)]


def patterns_by_split(declared: Mapping[str, Any]) -> dict[str | None, tuple[str, ...]]:
    """Split (None: every one) -> the patterns of a declaration."""
    given = declared.get("files")
    by_split = given if isinstance(given, Mapping) else {None: given} if given is not None else {}
    return {split: (value,) if isinstance(value, str) else tuple(value) for split, value in by_split.items()}


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


class OwnReader:
    """Finds and reads the files (or rows of the hub) of a declaration."""

    def __init__(self, form: Form, base: Task, declared: Mapping[str, Any], where: str) -> None:
        self.form, self.base, self.declared, self.where = form, base, declared, where
        self.codes = {language: code for code, language in codes_and_languages(declared).items()}
        self.patterns = self._patterns(declared)
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
            lines = enumerate(read_line_pairs(*paths))
            records = [TableRecord({"query": q, "candidate": c}, f"{path}:{row + 1}", row) for row, (q, c) in lines]
            return replace(form, columns={}).content(records, language, self.codes[language], split)
        if kind == "span" and (name not in _TABLES or (name == "json" and not self.declared.get("columns"))):
            return self._span(read_squad(path), language, split)
        if kind == "tagging" and name not in _TABLES:
            return self._tagged(path, language, split)
        if kind == "tagging" and name == "tsv" and not self.declared.get("columns"):
            return self._tagged(path, language, split)
        table = self._table(path)
        content = self._content(table.records, language, split)
        return replace(content, notes=(*table.notes, *content.notes))

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
            not_parquet="data of the study's own; its columns are read as their values are written",
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

    def _table(self, path: Path) -> OwnTable:
        given, base, form = self.declared.get("columns"), self.base, self.form
        if isinstance(given, Sequence):
            return read_own_table(path, (), tuple(given))
        order = [f"{c}?" if name == "label" else c for c, name in base.columns.items() if name != "id"]
        known = {*form.columns.values(), *(c for columns in form.usual.values() for c in columns)}
        return read_own_table(path, known, () if given else order)

    def _tagged(self, path: Path, language: str, split: str) -> Content:
        form = self.form
        given = self.declared.get("labels")
        tags = {*form.label_names, *form.map, *(given if isinstance(given, Mapping) else ())}
        if format_of(path) == "conllu":
            sentences = read_conllu(path, tags)
        else:
            sentences = read_conll(path, tags, self.declared.get("separator"))
        examples = []
        for name, words, marks in sentences:
            item = form.name(name, language, split)
            mapped = None if marks is None else tuple(form.tag(mark) or mark for mark in marks)
            examples.append(TaggingExample(item, item, language, words, mapped))
        return Content(tuple(examples))

    def _span(self, paragraphs: list[Paragraph], language: str, split: str) -> Content:
        form = self.form
        return span_content(
            paragraphs,
            language,
            item=lambda paragraph, question: form.name(question.id, language, split),
            cluster=lambda paragraph, question: form.name(f"p-{paragraph.first_id}", language, split),
            bad_answers=self.declared.get("bad_answers", "repair"),
            unanswerable=self.base.unanswerable,
        )

    def _patterns(self, declared: Mapping[str, Any]) -> dict[str | None, tuple[str, ...]]:
        """The patterns of each split, checked."""
        patterns = patterns_by_split(declared)
        for pattern in (p for parts in patterns.values() for p in parts):
            self._check_pattern(pattern)
        if any(len(parts) > 1 for parts in patterns.values()) and self.form.kind != "query":
            hint = "two files are the queries and the candidates of a query task, line by line"
            raise UserError("several files", where=f"{self.where}.files", hint=hint)
        return patterns

    def _check_pattern(self, pattern: str) -> None:
        where = f"{self.where}.files"
        try:
            places = [part[1:] for part in string.Formatter().parse(pattern) if part[1] is not None]
        except ValueError:
            raise UserError(
                f"{pattern!r} has a brace that is not closed", where=where, hint="{language}, {split}"
            ) from None
        names = {name for name, _, _ in places}
        for name in names - {"language", "split"}:
            raise unknown("placeholder", str(name), ("language", "split"), where=where)
        if any(form or conversion for _, form, conversion in places):
            hint = "write {language} and {split} as they are"
            raise UserError(f"{shown(pattern)} says how a placeholder is written", where=where, hint=hint)
        many = len(self.codes) > 1
        if many and "language" not in names and "language" not in self.form.columns:
            hint = "write {language} into the file's name, or name the column of the language"
            raise UserError("every language would be the same file", where=where, hint=hint)


def _plain_name(pattern: str) -> str:
    """The name without the ending of a compression, which is tried anyway."""
    return pattern.removesuffix(".gz").removesuffix(".xz")
