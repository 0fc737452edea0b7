"""Official files below a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from crosswind.data.files import Files
from crosswind.data.source import (
    Content,
    Declared,
    DeclaredText,
    FileLayout,
    Portion,
    Source,
    SourceByTask,
    SourceKind,
    TextLines,
    context_language_error,
    pool_language_error,
)
from crosswind.errors import UserError
from crosswind.reading import expanded


class FilesSource:
    """Official files below `root`. A fingerprint is the SHA-256 over the bytes of the files used.

    `where` is the study key that errors name for another folder.
    """

    def __init__(self, root: Path, where: str = "data") -> None:
        self.files = Files(root, f"{where}.root")

    def content(self, task: Declared, portion: Portion) -> Content:
        layout = layout_of(task, portion)
        paths = layout.locate(self.files, portion.language, portion.split)
        return layout.read(paths, portion.language, portion.split)

    def fingerprint(self, task: Declared, portion: Portion) -> str:
        layout = layout_of(task, portion)
        return self.files.fingerprint(layout.locate(self.files, portion.language, portion.split), layout.version)

    def located(self, task: Declared, portion: Portion) -> str:
        return ", ".join(map(str, layout_of(task, portion).locate(self.files, portion.language, portion.split)))

    def lines(self, corpus: DeclaredText, languages: tuple[str, ...]) -> TextLines:
        return corpus.read(corpus.locate(self.files, languages), languages)

    def text_fingerprint(self, corpus: DeclaredText, languages: tuple[str, ...]) -> str:
        return self.files.fingerprint(corpus.locate(self.files, languages), corpus.version)


def official_files(source: Source, task: Declared, portion: Portion) -> tuple[Path | None, tuple[Path, ...]]:
    """The root and the official files that a portion is read from; (None, ()) where it comes from elsewhere."""
    if isinstance(source, SourceByTask):
        return official_files(source.named.get(task.name, source.default), task, portion)
    if not isinstance(source, FilesSource):
        return None, ()
    return source.files.root, layout_of(task, portion).locate(source.files, portion.language, portion.split)


def data_root(settings: Mapping[str, Any]) -> Path | None:
    """The folder that a study's `root` names, or else CROSSWIND_DATA."""
    root = settings.get("root") or os.environ.get("CROSSWIND_DATA")
    return expanded(str(root), "data.root") if root else None


def _open(settings: Mapping[str, Any], where: str) -> Source:
    root = data_root(settings)
    if root is None:
        hint = f"set {where}.root in the study, --data DIR or the variable CROSSWIND_DATA"
        raise UserError("no folder of official files is named", where=f"{where}.root", hint=hint)
    if not root.is_dir():
        hint = "name the folder that holds the official files"
        raise UserError(f"no folder {str(root)!r}", where=f"{where}.root", hint=hint)
    return FilesSource(root, where)


def layout_of(task: Declared, portion: Portion) -> FileLayout:
    """The layout of the files that a portion is read from."""
    if portion.context_language is not None:
        if task.crossed is None:
            raise context_language_error(task)
        return task.crossed(portion.context_language)
    if portion.pool_languages is None:
        return task.files
    if task.across is None:
        raise pool_language_error(task)
    return task.across(portion.pool_languages)


FILES_KIND = SourceKind("files", "official files below the folder `root`", _open)
