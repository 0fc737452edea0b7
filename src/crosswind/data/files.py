"""Official files below a root folder: finding them, reading their lines, hashing their bytes.

A file may lie plain, as `.gz` or as `.xz`; the name given is the plain one.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import lzma
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from crosswind.errors import UserError
from crosswind.run.step import digest

SUFFIXES = ("", ".gz", ".xz")
DAMAGE = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)


class Files:
    """The official files below `root`; remembers the hash of each file it has read.

    A hash is kept for (path, size, time of change in ns), so that fingerprints cost a `stat`.
    `setting` is the study key that errors name for another folder.
    """

    def __init__(self, root: Path, setting: str = "data.root") -> None:
        self.root, self.setting = root, setting
        self._hashes: dict[tuple[str, int, int], str] = {}

    def has(self, relative: str) -> Path | None:
        """The file, plain or compressed, or None."""
        candidates = (self.root / (relative + suffix) for suffix in SUFFIXES)
        return next((path for path in candidates if path.is_file()), None)

    def find(self, *alternatives: str, what: str) -> Path:
        """The first of the alternatives that exists; a `UserError` names `what` (`xnli dev-de`) otherwise."""
        for relative in alternatives:
            path = self.has(relative)
            if path is not None:
                return path
        raise self.missing(*alternatives, what=what)

    def glob(self, pattern: str) -> tuple[Path, ...]:
        """Every file that matches, plain or compressed, in the order of their names; possibly none."""
        paths: dict[str, Path] = {}
        for suffix in reversed(SUFFIXES):
            paths |= {str(path).removesuffix(suffix): path for path in self.root.glob(pattern + suffix)}
        return tuple(paths[name] for name in sorted(paths))

    def missing(self, *alternatives: str, what: str) -> UserError:
        """The error for a file that is not there: what was tried, and what to set."""
        how = f"set {self.setting} in the study, --data or CROSSWIND_DATA to the folder that holds the official files"
        if not self.root.is_dir():
            return UserError(f"no folder of official files for {what}", where=str(self.root), hint=how)
        tried = ", ".join(alternatives)
        return UserError(
            f"no file of {what} below this folder",
            where=str(self.root),
            hint=f"looked for {tried} (plain, .gz or .xz); {how}, so that {self.root / alternatives[0]} exists",
        )

    def fingerprint(self, paths: Iterable[Path], version: int = 1) -> str:
        """SHA-256 over the hashes of the files' bytes, in order; `version` is the reader's."""
        return digest({"version": version, "files": [self._hash(path) for path in paths]})

    def _hash(self, path: Path) -> str:
        stat = path.stat()
        key = (str(path), stat.st_size, stat.st_mtime_ns)
        if key not in self._hashes:
            with path.open("rb") as stream:
                self._hashes[key] = hashlib.file_digest(stream, "sha256").hexdigest()
        return self._hashes[key]


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, text without its line end). Only LF and CRLF end a line.

    Raises `UserError` with file:line for text that is not UTF-8 and a damaged archive, with the file for
    one that cannot be opened.
    """
    number = 0
    try:
        with _open(path) as stream:
            for number, raw in enumerate(stream, 1):
                text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
                yield number, text.removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        what = f"not UTF-8 (byte {error.start + 1} of the line)"
        raise UserError(what, where=f"{path}:{number}", hint="convert the file to UTF-8") from None
    except DAMAGE as error:
        raise UserError(
            f"can't be read: {error}", where=f"{path}:{number + 1}", hint="the file is damaged: fetch it again"
        ) from None
    except OSError as error:
        raise UserError(
            f"can't be read: {error.strerror}", where=str(path), hint="is it a file, and may you read it?"
        ) from None


def json_file(path: Path) -> Any:
    """The whole file as one JSON value; a `UserError` with file:line where it is not JSON."""
    text = "\n".join(line for _, line in lines(path))
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise _not_json(error, f"{path}:{error.lineno}") from None


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of every line that is not empty; a `UserError` with file:line otherwise."""
    for number, text in lines(path):
        if not text.strip():
            continue
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise _not_json(error, f"{path}:{number}") from None
        if not isinstance(value, dict):
            raise UserError("not a JSON object", where=f"{path}:{number}", hint="write one object in { } a line")
        yield number, value


def csv_records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(first line of the record, {column: text}) of a CSV file with a header; a field may span lines."""
    reader = csv.reader((text + "\n" for _, text in lines(path)), strict=True)
    try:
        header = next(reader, [])
        start = reader.line_num + 1
        for row in reader:
            if row:
                yield start, dict(zip(header, checked_columns(row, len(header), f"{path}:{start}"), strict=True))
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"not CSV: {error}", where=f"{path}:{reader.line_num}", hint="check the quotes of this record"
        ) from None


def checked_columns(row: list[str], expected: int, where: str) -> list[str]:
    """The row itself if it has the expected number of columns; a `UserError` otherwise."""
    if len(row) != expected:
        raise UserError(
            f"{len(row)} columns, expected {expected}", where=where, hint="compare the line with its neighbours"
        )
    return row


def _open(path: Path) -> IO[bytes] | gzip.GzipFile | lzma.LZMAFile:
    match path.suffix:
        case ".gz":
            return gzip.open(path)
        case ".xz":
            return lzma.open(path)
        case _:
            return path.open("rb")


def _not_json(error: json.JSONDecodeError, where: str) -> UserError:
    what = f"not JSON: {error.msg} (column {error.colno})"
    return UserError(what, where=where, hint="the file is cut off or was edited: fetch it again")
