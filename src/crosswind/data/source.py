"""Where data come from: official files below a folder, the hub or the microworld; all give `Content`.

A source reads declarations through the small protocols here and knows no task by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from crosswind.data import hub
from crosswind.data.examples import Example, ParallelLine, Pool, TextLine
from crosswind.data.files import Files
from crosswind.errors import UserError, unknown

if TYPE_CHECKING:
    from crosswind.data.microworld.generated import Generated

TextLines = Sequence[TextLine] | Sequence[ParallelLine]


@dataclass(frozen=True)
class Content:
    """What a reader returns: examples in official order, and the pool of a retrieval task.

    The examples may be made when they are asked for. `counted` is False where the files are another layout
    than the one whose counts the task declares.
    """

    examples: Sequence[Example]
    pool: Pool | None = None
    counted: bool = True


@dataclass(frozen=True)
class FileLayout:
    """The official files of a task: `locate` finds them without reading, `read` makes examples of them.

    `version` is raised when `read` gives another result for the same bytes; it is part of the
    fingerprint.
    """

    locate: Callable[[Files, str, str], tuple[Path, ...]]  # (files, language, split)
    read: Callable[[tuple[Path, ...], str, str], Content]  # (paths, language, split)
    version: int = 1


@dataclass(frozen=True)
class HubSource:
    """Where a task lives on the Hugging Face hub.

    `config`, `companion` and the values of `splits` may hold `{language}`, written as `names` has it
    (`udpos.German`), and `{split}`, our split as `split_names` has it; `splits` maps our split names
    to the hub's. `convert` turns the rows (dicts in
    the hub's schema, class labels as their names) into examples whose ids equal those that the file
    reader gives. `companion` is a second configuration that `convert` needs: each row has the name of
    its configuration under `_config`. Hub ids move: a failed download names this declaration.
    """

    repo: str
    splits: Mapping[str, str]
    convert: Callable[[Iterable[Mapping[str, Any]], str, str], Content]  # (rows, language, split)
    config: str | None = "{language}"
    revision: str = "main"
    names: Mapping[str, str] = field(default_factory=dict)
    split_names: Mapping[str, str] = field(default_factory=dict)
    companion: str | None = None


class Declared(Protocol):
    """What a source needs of a task's declaration."""

    @property
    def name(self) -> str: ...
    @property
    def files(self) -> FileLayout: ...
    @property
    def hub(self) -> HubSource | None: ...
    @property
    def across(self) -> Callable[[tuple[str, ...]], FileLayout] | None: ...
    @property
    def generated(self) -> Generated | None: ...


class DeclaredText(Protocol):
    """What a source needs of a text corpus's declaration."""

    @property
    def name(self) -> str: ...
    @property
    def locate(self) -> Callable[[Files, tuple[str, ...]], tuple[Path, ...]]: ...
    @property
    def read(self) -> Callable[[tuple[Path, ...], tuple[str, ...]], TextLines]: ...
    @property
    def generated(self) -> Callable[[tuple[str, ...], int, int], TextLines] | None: ...


class Source(Protocol):
    """Gives the content of a task and, without reading it, its fingerprint.

    `pool_languages` restricts the pool of a task whose pool spans languages (None: all of them).
    """

    def content(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> Content: ...

    def fingerprint(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> str: ...

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines: ...

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str: ...


class FilesSource:
    """Official files below `root`. A fingerprint is the SHA-256 over the bytes of the files used."""

    def __init__(self, root: Path) -> None:
        self.files = Files(root)

    def content(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> Content:
        layout = _layout(task, pool_languages)
        return layout.read(layout.locate(self.files, language, split), language, split)

    def fingerprint(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> str:
        layout = _layout(task, pool_languages)
        return self.files.fingerprint(layout.locate(self.files, language, split), layout.version)

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return corpus.read(corpus.locate(self.files, languages), languages)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        return self.files.fingerprint(corpus.locate(self.files, languages))


class Hub:
    """The Hugging Face hub, or its local cache when offline.

    A fingerprint is repository, commit, configuration and split. `cache` is the `datasets` cache
    folder (None: the library's own). Text corpora, and tasks without a hub declaration, are read as
    files. Once the hub has not answered, only the cache is looked into.
    """

    def __init__(self, cache: Path | None = None, text: FilesSource | None = None) -> None:
        self.cache, self.text = cache, text
        self._commits: dict[tuple[str, str], str] = {}
        self._ask = True

    def content(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> Content:
        if task.hub is None and self.text is not None:
            return self.text.content(task, language, split, pool_languages)
        source = _declared(task, pool_languages)
        rows = []
        for address in _addresses(source, language, split):
            where = _declaration(task, source)
            rows.append(hub.rows(address, self._commit(task, source), where=where, cache=self.cache))
        return source.convert((row for part in rows for row in part), language, split)

    def fingerprint(self, task: Declared, language: str, split: str, pool_languages: tuple[str, ...] | None) -> str:
        if task.hub is None and self.text is not None:
            return self.text.fingerprint(task, language, split, pool_languages)
        source = _declared(task, pool_languages)
        return hub.fingerprint(_addresses(source, language, split), self._commit(task, source))

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return self._text(corpus).lines(corpus, languages)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        return self._text(corpus).text_fingerprint(corpus, languages)

    def _commit(self, task: Declared, source: HubSource) -> str:
        key = (source.repo, source.revision)
        if key not in self._commits:
            try:
                self._commits[key] = hub.commit(*key, where=_declaration(task, source), ask=self._ask)
            except UserError as error:
                self._ask = self._ask and hub.answered(error.__cause__)
                raise
        return self._commits[key]

    def _text(self, corpus: DeclaredText) -> FilesSource:
        if self.text is None:
            hint = "set data.root (or CROSSWIND_DATA) beside the hub"
            raise UserError(f"the corpus {corpus.name!r} is read from files", hint=hint)
        return self.text


def open_source(settings: Mapping[str, Any], where: str = "data") -> Source:
    """The source that a study's `data:` names: `{source: files, root: DIR}`, `{source: hub}`, `{source: microworld}`.

    `root` defaults to CROSSWIND_DATA. Raises `UserError` at the study key.
    """
    name = str(settings.get("source", "files"))
    if name not in SOURCES:
        raise unknown("source", name, SOURCES, where=f"{where}.source")
    return SOURCES[name](settings, where)


def _open_files(settings: Mapping[str, Any], where: str) -> Source:
    root = _root(settings)
    if root is None:
        hint = "set data.root in the study, --data DIR or the variable CROSSWIND_DATA"
        raise UserError("no folder of official files is named", where=f"{where}.root", hint=hint)
    if not root.is_dir():
        hint = "name the folder that holds the official files"
        raise UserError(f"no folder {str(root)!r}", where=f"{where}.root", hint=hint)
    return FilesSource(root)


def _open_hub(settings: Mapping[str, Any], where: str) -> Source:
    root = _root(settings)
    return Hub(text=FilesSource(root) if root else None)


def _open_microworld(settings: Mapping[str, Any], where: str) -> Source:
    from crosswind.data.microworld.generated import open_microworld

    return open_microworld(settings, where)


SOURCES: Mapping[str, Callable[[Mapping[str, Any], str], Source]] = {
    "files": _open_files,
    "hub": _open_hub,
    "microworld": _open_microworld,
}


def _root(settings: Mapping[str, Any]) -> Path | None:
    given = settings.get("root") or os.environ.get("CROSSWIND_DATA")
    return Path(str(given)).expanduser() if given else None


def _layout(task: Declared, pool_languages: tuple[str, ...] | None) -> FileLayout:
    if pool_languages is None:
        return task.files
    if task.across is None:
        raise _no_pool_languages(task)
    return task.across(pool_languages)


def _declared(task: Declared, pool_languages: tuple[str, ...] | None) -> HubSource:
    if task.hub is None:
        raise UserError(
            f"the task {task.name!r} has no hub source",
            hint="use its official files: set data.root (or CROSSWIND_DATA) beside the hub, "
            "or data: {source: files, root: DIR}",
        )
    if pool_languages is not None:
        raise _no_pool_languages(task)
    return task.hub


def _no_pool_languages(task: Declared) -> UserError:
    return UserError(f"the pool of {task.name!r} has one language", hint="leave out the pool languages")


def _addresses(source: HubSource, language: str, split: str) -> list[hub.Address]:
    names = {"language": source.names.get(language, language), "split": source.split_names.get(split, split)}
    configs = (source.config, *([source.companion] if source.companion else []))
    filled = dict.fromkeys(config.format(**names) if config else None for config in configs)
    return [hub.Address(source.repo, config, source.splits[split].format(**names)) for config in filled]


def _declaration(task: Declared, source: HubSource) -> str:
    """The file that declares the task's hub source."""
    code = getattr(getattr(source.convert, "func", source.convert), "__code__", None)
    return getattr(code, "co_filename", f"the declaration of {task.name}")
