"""The Hugging Face hub, or its local cache when offline, through `datasets`.

Code from a repository is never run. `datasets` and `huggingface_hub` are imported when a row or a
commit is asked for.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from crosswind.data.hub_schema import check_features, checked_files
from crosswind.data.source import (
    Content,
    Declared,
    DeclaredText,
    HubSource,
    Portion,
    Source,
    SourceKind,
    TextLines,
    context_language_error,
    pool_language_error,
)
from crosswind.data.sources.files import FilesSource, data_root
from crosswind.errors import UserError
from crosswind.run.step import digest

_COMMIT = re.compile(r"[0-9a-f]{40}")

TIMEOUT = 10.0  # seconds that a question about a commit may take


class Hub:
    """The Hugging Face hub, or its local cache when offline.

    A fingerprint is repository, commit, configuration and split, and the readers' versions. `cache` is the
    `datasets` cache folder (None: the library's own). Text corpora, and tasks without a hub declaration, are read as
    files. Once the hub has not answered, only the cache is looked into.
    """

    def __init__(self, cache: Path | None = None, text: FilesSource | None = None, where: str = "data") -> None:
        self.cache, self.text, self.where = cache, text, where
        self._commits: dict[tuple[str, str], str] = {}
        self._ask = True

    def content(self, task: Declared, portion: Portion) -> Content:
        if task.hub is None and self.text is not None:
            return self.text.content(task, portion)
        source = self._declared(task, portion)
        commit = self._commit(task, source)
        parts = [
            hub_table_of(source, address, commit, where=_declaration(task, source), cache=self.cache)
            for address in _addresses(source, portion)
        ]
        rows = (row for part in parts for row in _decoded(part))
        content = source.convert(rows, portion.language, portion.split)
        notes = tuple(dict.fromkeys(note for part in parts for note in part.notes))
        return content_of(source, task, portion, replace(content, notes=content.notes + notes), commit)

    def fingerprint(self, task: Declared, portion: Portion) -> str:
        if task.hub is None and self.text is not None:
            return self.text.fingerprint(task, portion)
        source = self._declared(task, portion)
        versions = (task.files.version, source.version)
        return hub_fingerprint(_addresses(source, portion), self._commit(task, source), versions)

    def located(self, task: Declared, portion: Portion) -> str:
        if task.hub is None and self.text is not None:
            return self.text.located(task, portion)
        return ", ".join(map(str, _addresses(self._declared(task, portion), portion)))

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return self._text(corpus).lines(corpus, languages)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        return self._text(corpus).text_fingerprint(corpus, languages)

    def _commit(self, task: Declared, source: HubSource) -> str:
        key = (source.repo, source.revision)
        if key not in self._commits:
            try:
                self._commits[key] = hub_commit(*key, where=_declaration(task, source), ask=self._ask)
            except UserError as error:
                self._ask = self._ask and answered(error.__cause__)
                raise
        return self._commits[key]

    def _text(self, corpus: DeclaredText) -> FilesSource:
        if self.text is None:
            hint = f"set {self.where}.root (or CROSSWIND_DATA) beside the hub"
            raise UserError(f"the corpus {corpus.name!r} is read from files", hint=hint)
        return self.text

    def _declared(self, task: Declared, portion: Portion) -> HubSource:
        if task.hub is None:
            raise UserError(
                f"the task {task.name!r} has no hub source",
                hint=f"use its official files: set {self.where}.root (or CROSSWIND_DATA) beside the hub, "
                f"or {self.where}: {{source: files, root: DIR}}",
            )
        if portion.pool_languages is not None:
            raise pool_language_error(task)
        if source_lacks(task.hub, portion.language):
            raise UserError(
                f"{task.hub.repo} has no {task.name} in {portion.language!r}; "
                f"it holds {' '.join(task.hub.languages or ())}",
                where=_declaration(task, task.hub),
                hint=f"leave the language out, or read the official files: {self.where}: "
                f"{{source: hub, tasks: {{{task.name}: {{source: files, root: DIR}}}}}}",
            )
        if portion.context_language is not None and "{context}" not in (task.hub.config or ""):
            raise context_language_error(task)
        return task.hub


def _open(settings: Mapping[str, Any], where: str) -> Source:
    root = data_root(settings)
    return Hub(text=FilesSource(root, where) if root else None, where=where)


HUB_KIND = SourceKind("hub", "the Hugging Face hub or its cache; files below `root` for what is not there", _open)


@dataclass(frozen=True)
class Address:
    """A split of a configuration of a repository (`owner/name`, or a local folder)."""

    repo: str
    config: str | None
    split: str

    def __str__(self) -> str:
        return f"{self.repo} ({self.config or 'default'}, {self.split})"


@dataclass(frozen=True)
class HubTable:
    """A split as `datasets` has it, with the configuration that it is of, and notes on how it was read."""

    table: Any
    config: str | None
    notes: tuple[str, ...]


def hub_table_of(
    source: HubSource, address: Address, commit: str, *, where: str, cache: Path | None = None
) -> HubTable:
    """A split at a commit, checked for what the declaration expects of its files and its columns; no row is read.

    Raises `UserError` that names the declaration `where` if the hub can't be reached, has no such
    repository, configuration or split, or keeps other files or columns there.
    """
    import datasets

    local = Path(address.repo).is_dir()
    try:
        builder = datasets.load_dataset_builder(
            address.repo,
            address.config,
            revision=None if local else commit,
            cache_dir=str(cache) if cache else None,
        )
    except Exception as error:
        raise _unreachable(str(address), error, where) from error
    # Without a network `datasets` knows the files only by the addresses that they were once loaded from.
    files = [str(file) for split in (builder.config.data_files or {}).values() for file in split]
    notes = checked_files(source, files, str(address), where)
    try:
        builder.download_and_prepare()
        table = builder.as_dataset(split=address.split)
    except Exception as error:
        raise _unreachable(str(address), error, where) from error
    if not files:
        notes = checked_files(source, table.info.download_checksums or {}, str(address), where)
    check_features(source, table.features, str(address), where)
    commits = loaded_commits(table.info.download_checksums or {})
    if not local and commits - {commit}:
        raise UserError(
            f"the cache holds {address} of commit {', '.join(sorted(commits))}, not of {commit}",
            where=where,
            hint="load it once with a network, or name the cached commit as the `revision` of its `HubSource`",
        )
    return HubTable(table, address.config, notes)


def _decoded(part: HubTable) -> Iterator[Mapping[str, Any]]:
    """The rows of a split, class labels as names, the configuration under `_config`."""
    decode = {name: _names(feature) for name, feature in part.table.features.items()}
    for row in part.table:
        yield {**{name: decode[name](value) for name, value in row.items()}, "_config": part.config}


def hub_commit(repo: str, revision: str, *, where: str, ask: bool = True) -> str:
    """The commit that a revision resolves to: asked of the hub, or of the local cache when offline.

    Without `ask` only the cache is looked into. A local folder's "commit" is the hash of its files.
    """
    if Path(repo).is_dir():
        return _folder_hash(Path(repo))
    if _COMMIT.fullmatch(revision):
        return revision
    import huggingface_hub

    try:
        if not ask:
            raise ConnectionError("no answer from the hub")
        sha = huggingface_hub.HfApi().dataset_info(repo, revision=revision, timeout=TIMEOUT).sha
    except Exception as error:
        folder = huggingface_hub.constants.HF_HUB_CACHE
        reference = Path(folder) / f"datasets--{repo.replace('/', '--')}" / "refs" / revision
        if not reference.is_file():
            raise _unreachable(f"{repo} ({revision})", error, where) from error
        sha = reference.read_text().strip()
    return str(sha)


def answered(error: BaseException | None) -> bool:
    """Whether a failure is the hub's answer (no such repository), not the lack of one."""
    from huggingface_hub.errors import HfHubHTTPError

    return isinstance(error, HfHubHTTPError)


def loaded_commits(checksums: Iterable[str]) -> set[str]:
    """The commits that files were downloaded from, read off their addresses (`hf://datasets/a/b@COMMIT/…`).

    Offline, `datasets` takes whatever it has cached and passes over the revision asked for.
    """
    matches = (re.search(r"@([0-9a-f]{40})/", address) for address in checksums)
    return {match.group(1) for match in matches if match}


def hub_fingerprint(addresses: list[Address], commit: str, versions: tuple[int, int]) -> str:
    """SHA-256 of repository, commit, configurations and split, and of the versions of what makes examples of the rows.

    `versions` are those of the task's file layout, which shares code with the conversion, and of the hub's source.
    """
    parts = [[a.repo if not Path(a.repo).is_dir() else "", a.config, a.split] for a in addresses]
    return digest({"hub": parts, "commit": commit, "versions": list(versions)})


def source_lacks(source: HubSource, language: str) -> bool:
    """Whether the repository is known to have no data in a language."""
    return source.languages is not None and language not in source.languages


def content_of(source: HubSource, task: Declared, portion: Portion, content: Content, commit: str) -> Content:
    """What a repository holds at a commit, with its release; a `UserError` that says what its size differs from.

    Where no commit is pinned, a note says which one was read. Of a local folder nothing is known.
    """
    if Path(source.repo).is_dir():
        return content
    _check_size(task, source, portion, len(content.examples), commit)
    notes = content.notes
    if not _COMMIT.fullmatch(source.revision):
        notes += (f"read from {source.repo} at commit {commit}, which `{source.revision}` was: no commit is pinned",)
    return replace(content, notes=notes, release=source.release or task.release, counted=False)


def _check_size(task: Declared, source: HubSource, portion: Portion, size: int, commit: str) -> None:
    """A `UserError` that says which repository differs from what."""
    context = portion.context_language
    pair = (portion.language,) if context in (None, portion.language) else (portion.language, str(context))
    official = task.size(portion)
    expected = official if source.counts is None else source.counts.get((*pair, portion.split))
    if expected is None or size == expected:
        return
    release = source.release or task.release
    hint = "the repository has changed: declare what it holds (`counts`, `revision`, `release` of its `HubSource` in "
    hint += "this file), or read the official files"
    if official is not None:
        hint += f", which have {official:,} examples" + (f" ({task.release})" if task.release else "")
    raise UserError(
        f"{_addresses(source, portion)[0]} at commit {commit} has {size:,} examples of {task.name}, "
        f"where {expected:,} are declared for it" + (f" ({release})" if release else ""),
        where=_declaration(task, source),
        hint=hint,
    )


def _names(feature: Any) -> Callable[[Any], Any]:
    """How a column's values become names: class labels are numbers in the files."""
    import datasets

    inner = getattr(feature, "feature", feature)
    if not isinstance(inner, datasets.ClassLabel):
        return lambda value: value

    def name(value: Any) -> Any:
        if isinstance(value, list):
            return [name(v) for v in value]
        return inner.int2str(value) if value is not None and value >= 0 else value

    return name


def _folder_hash(folder: Path) -> str:
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and not p.name.startswith("."))
    return digest([[str(p.relative_to(folder)), hashlib.sha256(p.read_bytes()).hexdigest()] for p in paths])


def _unreachable(address: str, error: Exception, where: str) -> UserError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UserError(
        f"can't load {address} from the hub: {reason}",
        where=where,
        hint="without a network, use official files (data: {source: files, root: DIR}); "
        "if the repository has moved, change its `HubSource` in this file",
    )


def _addresses(source: HubSource, portion: Portion) -> list[Address]:
    context = portion.context_language or portion.language
    names = {
        "language": source.names.get(portion.language, portion.language),
        "context": source.names.get(context, context),
        "split": source.split_names.get(portion.split, portion.split),
    }
    configs = (source.config, *([source.companion] if source.companion else []))
    filled = dict.fromkeys(config.format(**names) if config else None for config in configs)
    return [Address(source.repo, config, source.splits[portion.split].format(**names)) for config in filled]


def _declaration(task: Declared, source: HubSource) -> str:
    """The file that declares the task's hub source."""
    return _file_of(source.convert) or f"the declaration of {task.name}"


def _file_of(function: Any) -> str | None:
    """The file of a function; of a `partial`, that of the function handed to it, for the declaration hands its own."""
    if isinstance(function, partial):
        files = (_file_of(part) for part in (*function.args, function.func))
        return next((file for file in files if file), None)
    return getattr(getattr(function, "__code__", None), "co_filename", None)
