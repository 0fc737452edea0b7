"""What a source of data is, and what it needs of a declaration; `open_source` opens the one that a study names.

Official files below a folder, the hub and the microworld declare themselves in `data/sources/`; a source
reads declarations through the small protocols of this module and knows no task by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from crosswind.data.examples import Dataset, Example, ParallelLine, Pool, TextLine
from crosswind.data.files import Files
from crosswind.errors import UserError
from crosswind.registry import Registry

HUB_SPLITS: Mapping[str, str] = {"train": "train", "dev": "validation", "test": "test"}
"""Our names of splits -> those that most data sets have on the hub."""

TextLines = Sequence[TextLine] | Sequence[ParallelLine]


@dataclass(frozen=True)
class Content:
    """What a reader returns: examples in official order, and the pool of a retrieval task.

    The examples may be made when they are asked for; `clusters` then has the cluster of each, so that
    some can be chosen without making all. `counted` is False where the files are another layout
    than the one whose counts the task declares. `notes` are sentences on what reading changed or left out, for the
    reader of the results.
    `release` names the release of the data, where it is known and not the task's own.
    """

    examples: Sequence[Example]
    pool: Pool | None = None
    counted: bool = True
    clusters: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    release: str = ""


@dataclass(frozen=True)
class FileLayout:
    """The official files of a task: `locate` finds them without reading, `read` makes examples of them.

    `version` is raised when `read` gives another result for the same bytes; it is part of the
    fingerprint. `write` gives the text of the file of a data set's language, by its path below the root, of which
    `read` makes the same examples; it also gets the official files that the data were read from, where there are some.
    """

    locate: Callable[[Files, str, str], tuple[Path, ...]]  # (files, language, split)
    read: Callable[[tuple[Path, ...], str, str], Content]  # (paths, language, split)
    version: int = 1
    write: Callable[[Dataset, tuple[Path, ...]], Mapping[str, str]] | None = None


@dataclass(frozen=True)
class HubSource:
    """Where a task lives on the Hugging Face hub.

    `config`, `companion` and the values of `splits` may hold `{language}`, written as `names` has it
    (`udpos.German`), `{context}`, the language of the passages likewise, and `{split}`, our split as
    `split_names` has it; `splits` maps our split names to the hub's. `convert` turns the rows (dicts in
    the hub's schema, class labels as their names) into examples whose ids equal those that the file
    reader gives. `companion` is a second configuration that `convert` needs: its rows come behind the
    others, and each row has the name of its configuration under `_config`. Hub ids move: a failed
    download names the file of `convert`.

    `revision` is the commit that was checked, or `main` where none is known: then what it resolves to is noted.
    `release` and `counts` are those of the data in this repository, where they are not the task's; `languages` are
    those that it has, where it lacks some. `version` is raised when `convert` gives another result for the same rows;
    it is part of the fingerprint. `rows` makes of a data set the rows of its schema.

    A repository is Parquet; `not_parquet` is the reason why other files may be read, which is noted. Before a row is
    read, its schema must have the `columns` that `convert` reads (`outer.inner` within another) and the `classes` that
    columns of it write as numbers, in their order.
    """

    repo: str
    splits: Mapping[str, str]
    convert: Callable[[Iterable[Mapping[str, Any]], str, str], Content]  # (rows, language, split)
    config: str | None = "{language}"
    revision: str = "main"
    names: Mapping[str, str] = field(default_factory=dict)
    split_names: Mapping[str, str] = field(default_factory=dict)
    companion: str | None = None
    release: str = ""
    counts: Mapping[tuple[str, ...], int] | None = None
    languages: tuple[str, ...] | None = None
    version: int = 1
    rows: Callable[[Dataset], list[dict[str, Any]]] | None = None
    columns: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    not_parquet: str = ""


@dataclass(frozen=True)
class Generated:
    """How a generator makes the examples of a task, and how many there are of each split.

    `make` takes (seed, language, split, languages of the pool).
    """

    make: Callable[[int, str, str, tuple[str, ...] | None], Content]
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class Portion:
    """What is asked for of a task: a split in a language.

    `pool_languages` restricts the pool of a task whose pool spans languages (None: all of them);
    `context_language` is that of the passages where it is not the questions' (None: the same).
    """

    language: str
    split: str
    pool_languages: tuple[str, ...] | None = None
    context_language: str | None = None


class Declared(Protocol):
    """What a source needs of a task's declaration."""

    @property
    def name(self) -> str:
        """The task's name."""

    @property
    def release(self) -> str:
        """The release of the data whose counts it declares, where there are several."""

    def size(self, portion: Portion) -> int | None:
        """The official number of examples, as far as it is declared."""

    @property
    def files(self) -> FileLayout:
        """Where the files of one language or of several lie."""

    @property
    def hub(self) -> HubSource | None:
        """Its data set on the hub, if it has one."""

    @property
    def across(self) -> Callable[[tuple[str, ...]], FileLayout] | None:
        """The files of several languages read as one data set (a pool in all of them)."""

    @property
    def crossed(self) -> Callable[[str], FileLayout] | None:
        """The files whose contexts are in a language of their own (MLQA's pairs)."""

    @property
    def generated(self) -> Generated | None:
        """Makes its data, where they are not read."""


class DeclaredText(Protocol):
    """What a source needs of a text corpus's declaration."""

    @property
    def name(self) -> str:
        """The corpus's name."""

    @property
    def locate(self) -> Callable[[Files, tuple[str, ...]], tuple[Path, ...]]:
        """The files of some languages."""

    @property
    def read(self) -> Callable[[tuple[Path, ...], tuple[str, ...]], TextLines]:
        """The lines of these files."""

    @property
    def version(self) -> int:
        """Raised when `read` gives another result for the same bytes; part of the fingerprint."""

    @property
    def generated(self) -> Callable[[tuple[str, ...], int, int], TextLines] | None:
        """Makes lines, where they are not read: (languages, seed, lines of each language)."""


class Source(Protocol):
    """Gives the content of a task and, without reading it, its fingerprint; text corpora likewise."""

    def content(self, task: Declared, portion: Portion) -> Content:
        """The examples of a portion, and its pool."""

    def fingerprint(self, task: Declared, portion: Portion) -> str:
        """What changes when the content would."""

    def located(self, task: Declared, portion: Portion) -> str:
        """Where a portion lies, for errors: its files, or its place on the hub."""

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        """The text of a corpus in some languages."""

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        """What changes when the text would."""


@dataclass(frozen=True)
class SourceKind:
    """A kind of source that declares itself; `open` takes a study's settings and the study key that they stand at."""

    name: str
    summary: str
    open: Callable[[Mapping[str, Any], str], Source]


SOURCES: Registry[SourceKind] = Registry("source", "crosswind.data.sources", "crosswind.sources", SourceKind)


class SourceByTask:
    """A source for each of some tasks and corpora, by their names, and one for all others."""

    def __init__(self, default: Source, named: Mapping[str, Source]) -> None:
        self.default, self.named = default, named

    def content(self, task: Declared, portion: Portion) -> Content:
        return self._of(task.name).content(task, portion)

    def fingerprint(self, task: Declared, portion: Portion) -> str:
        return self._of(task.name).fingerprint(task, portion)

    def located(self, task: Declared, portion: Portion) -> str:
        return self._of(task.name).located(task, portion)

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return self._of(corpus.name).lines(corpus, languages)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        return self._of(corpus.name).text_fingerprint(corpus, languages)

    def _of(self, name: str) -> Source:
        return self.named.get(name, self.default)


def open_source(settings: Mapping[str, Any], where: str = "data") -> Source:
    """The source that a study's `data:` names: `{source: files, root: DIR}`, `{source: hub}`, `{source: microworld}`.

    `tasks` names sources of single tasks or corpora: `{source: hub, tasks: {mine: {source: files, root: DIR}}}`.
    `root` defaults to CROSSWIND_DATA. Raises `UserError` at the study key.
    """
    default = SOURCES.get(str(settings.get("source") or "files"), where=f"{where}.source").open(settings, where)
    named = settings.get("tasks") or {}
    if not isinstance(named, Mapping):
        raise UserError("sources by task are a mapping", where=f"{where}.tasks", hint="write NAME: {source: …}")
    if not named:
        return default
    opened: dict[str, Source] = {}  # by settings: tasks of one folder share the hashes of its files
    sources: dict[str, Source] = {}
    for name, setting in named.items():
        key = f"{where}.tasks.{name}"
        if not isinstance(setting, Mapping) or setting.get("tasks"):
            raise UserError("not the settings of a source", where=key, hint="write {source: files, root: DIR}")
        text = json.dumps(setting, sort_keys=True, default=str)
        if text not in opened:
            opened[text] = open_source(setting, key)
        sources[str(name)] = opened[text]
    return SourceByTask(default, sources)


def pool_language_error(task: Declared) -> UserError:
    """The error for languages of a pool that has but one."""
    return UserError(f"the pool of {task.name!r} has one language", hint="leave out the pool languages")


def context_language_error(task: Declared) -> UserError:
    """The error for a language of passages where every passage is in its question's."""
    return UserError(
        f"the passages of {task.name!r} are in the language of their questions",
        hint="leave out the context language",
    )
