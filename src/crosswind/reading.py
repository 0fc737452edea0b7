"""The one way in for files that others wrote: opened, unpacked, decoded and parsed under limits.

Whatever a file holds, these functions return its content or raise a `UserError` with the file and, where
there is one, the line and the column. Use them for everything that a user or another program wrote:

- `whole_text(path)`: the whole text; `lines(path)`: line by line; `opened(path)`: bytes, unpacked;
- `json_file(path)`, `json_lines(path)`, `json_value(text, name)`;
- `csv_records(path)`, `parquet_file(path)`; YAML: `crosswind.plain_yaml`;
- `expanded(path, where)`: a path with `~` written out.

A value of such a file stands in an error message as `errors.shown` writes it: short, whatever its size and depth.

`.gz` and `.xz` are unpacked while reading. Text is UTF-8, with or without a byte order mark, and holds no half
of a surrogate pair. Limits lie above anything real, so that a mistaken or hostile file is named instead of
filling the memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from crosswind.errors import UserError, shown

if TYPE_CHECKING:
    import polars as pl

MIB = 1 << 20
LINE_LIMIT = 64 * MIB
"""Bytes of one line: the longest of the public data sets is a Wikipedia article of some 2 MiB (TyDi QA)."""
DOCUMENT_LIMIT = 512 * MIB
"""Bytes of a file that is read whole: the largest public JSON files of question answering have some 100 MiB."""
EXPANSION_LIMIT = 200
"""How many times its packed size an archive may unpack to, beyond the first 64 MiB: text reaches 3 to 20."""
TABLE_LIMIT = 4096 * MIB
"""Bytes of a Parquet table in memory, as its own metadata say."""
ROW_LIMIT = 50_000_000
"""Rows of a Parquet table: repetition packs a billion of them into a kilobyte."""

_DAMAGE = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zlib.error)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, unpacked where it ends in `.gz` or `.xz`; faults while reading name the file too.

    Only files and pipes are opened. Raises `UserError` for what is no file, cannot be opened, is damaged or
    unpacks beyond `EXPANSION_LIMIT`.
    """
    try:
        raw = _raw(path)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError as error:
        if "null" not in str(error):
            raise
        raise UserError("a path with a null character", where=shown(str(path)), hint="name a file") from None
    # Faults of reading are translated where they arise: what fails in the caller's block may be another file's.
    with raw, io.BufferedReader(_Guarded(path, raw), 1 << 16) as stream:
        yield stream


def _unreadable(path: Path, error: OSError) -> UserError:
    hint = "is it a file, and may you read it?"
    return UserError(f"can't be read: {error.strerror or error}", where=str(path), hint=hint)


def whole_text(path: Path, limit: int = DOCUMENT_LIMIT) -> str:
    """The whole text of a file of at most `limit` bytes, line ends as they stand."""
    with opened(path) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise UserError(f"more than {_size(limit)}", where=str(path), hint="no file of this sort is so large")
    return decoded(content, str(path))


def decoded(content: bytes, name: str) -> str:
    """The text of UTF-8 bytes without a byte order mark; a `UserError` with name:line where they are none."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start]
        line = before.count(b"\n") + 1
        byte = error.start - before.rfind(b"\n")
        raise _not_utf8(byte, f"{name}:{line}") from None


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """(line number from 1, text without its line end). Only LF and CRLF end a line.

    Raises `UserError` with file:line for text that is not UTF-8, a line beyond `LINE_LIMIT` and a damaged
    archive, with the file for one that cannot be opened.
    """
    for number, text in _ended_lines(path):
        yield number, text.removesuffix("\n").removesuffix("\r")


def _ended_lines(path: Path) -> Iterator[tuple[int, str]]:
    """The same with their line ends."""
    with opened(path) as stream:
        for number, text in stream_lines(stream, str(path)):
            yield number, text.removeprefix("\ufeff") if number == 1 else text


def stream_lines(
    stream: IO[bytes], name: str, skipped: Callable[[UserError], None] | None = None
) -> Iterator[tuple[int, str]]:
    """(line number from 1, text with what ends it) of a stream of UTF-8, read as it comes. LF alone ends a line.

    Raises `UserError` with name:line for text that is not UTF-8, a line beyond `LINE_LIMIT` and a fault of reading.
    With `skipped` a line that is not UTF-8 comes with its bytes as lone surrogates (`surrogateescape`), after a call of
    `skipped` with what would have been raised.
    """
    for number in itertools.count(1):
        try:
            raw = stream.readline(LINE_LIMIT + 1)
        except UserError as error:
            raise UserError(error.what, where=f"{name}:{number}", hint=error.hint) from None
        if not raw:
            return
        if len(raw) > LINE_LIMIT:
            what = f"a line of more than {_size(LINE_LIMIT)}"
            raise UserError(what, where=f"{name}:{number}", hint="is it a text file?")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            fault = _not_utf8(error.start + 1, f"{name}:{number}")
            if skipped is None:
                raise fault from None
            skipped(fault)
            text = raw.decode("utf-8", "surrogateescape")
        yield number, text


def json_file(path: Path, *, unique: bool = False) -> Any:
    """The whole file as one JSON value; see `json_value`."""
    return json_value(whole_text(path), str(path), unique=unique)


def json_lines(path: Path, *, unique: bool = False) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of every line that is not empty; a `UserError` with file:line otherwise."""
    for number, text in lines(path):
        if not text.strip():
            continue
        value = json_value(text, str(path), first_line=number, unique=unique)
        if not isinstance(value, dict):
            raise UserError("not a JSON object", where=f"{path}:{number}", hint="write one object in { } a line")
        yield number, value


def json_value(text: str, name: str, *, first_line: int = 1, unique: bool = False) -> Any:
    """The JSON value of a text; with `unique`, an object that has a key twice is refused.

    Raises `UserError` with name:line and the column for what is no JSON, nested too deeply, a number of thousands of
    digits or half of a surrogate pair. `first_line` is the line that the text begins at.
    """

    def fault(what: str, position: int, hint: str) -> UserError:
        line = text.count("\n", 0, position)
        column = position - text.rfind("\n", 0, position)
        return UserError(f"{what} (column {column})", where=f"{name}:{first_line + line}", hint=hint)

    try:
        value = json.loads(text, object_pairs_hook=_unique_keys if unique else None)
    except json.JSONDecodeError as error:
        raise fault(f"not JSON: {error.msg}", error.pos, "the file is cut off or was edited: fetch it again") from None
    except _TwiceError as error:
        hint = "an object has every key once"
        raise fault(f"the key {shown(error.key)} is given twice", _second(text, error.key), hint) from None
    except RecursionError:
        raise fault("not JSON that can be read: nested too deeply", _deepest(text), "is it a data file?") from None
    except ValueError:  # more digits than Python converts
        digits = _LONG_NUMBER.search(text)
        position = digits.start() if digits else 0
        raise fault("not JSON that can be read: a number of thousands of digits", position, "is it text?") from None
    half = _half_surrogate(text)
    if half is not None:
        what = f"half of a surrogate pair, {text[half : half + 6]}, which is no character"
        raise fault(what, half, "the text was cut within a character: fetch the file again")
    return value


def csv_records(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """(first line of the record, {column: text}) of a CSV file with a header.

    A field may span lines, and keeps their ends: offsets into it count them.
    """
    csv.field_size_limit(LINE_LIMIT)
    reader = csv.reader((text for _, text in _ended_lines(path)), strict=True)
    try:
        header = checked_header(next(reader, []), f"{path}:1")
        start = reader.line_num + 1
        for row in reader:
            if row:
                yield start, dict(zip(header, checked_columns(row, len(header), f"{path}:{start}"), strict=True))
            start = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"not CSV: {error}", where=f"{path}:{reader.line_num}", hint="check the quotes of this record"
        ) from None


def checked_header(names: list[str], where: str) -> list[str]:
    """The names of the columns; a `UserError` for one that stands twice."""
    for name in names:
        if name and names.count(name) > 1:
            hint = "every column has a name of its own"
            raise UserError(f"two columns are called {shown(name)}", where=where, hint=hint)
    return names


def checked_columns(row: list[str], expected: int, where: str) -> list[str]:
    """The row itself if it has the expected number of columns; a `UserError` otherwise."""
    if len(row) != expected:
        raise UserError(
            f"{len(row)} columns, expected {expected}", where=where, hint="compare the line with its neighbours"
        )
    return row


def parquet_file(path: Path) -> pl.DataFrame:
    """A Parquet table; a `UserError` for what is none, or larger than `TABLE_LIMIT` or `ROW_LIMIT` by its metadata."""
    import polars as pl

    with _parquet(path) as file:
        groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
        size, rows = sum(group.total_byte_size for group in groups), file.metadata.num_rows
        if size > TABLE_LIMIT or rows > ROW_LIMIT:
            what = f"a table of {rows:,} rows and {_size(size)}"
            hint = f"at most {ROW_LIMIT:,} rows and {_size(TABLE_LIMIT)} are read: divide it"
            raise UserError(what, where=str(path), hint=hint)
        frame = pl.from_arrow(file.read())
    assert isinstance(frame, pl.DataFrame)
    return frame


def parquet_metadata(path: Path) -> dict[str, str]:
    """What the writer of a Parquet table says of its columns, key by key; a `UserError` for what is no table."""
    with _parquet(path) as file:
        metadata = file.schema_arrow.metadata or {}
        return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in metadata.items()}


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """An open Parquet table; what goes wrong while it is read is the file's fault."""
    import polars as pl
    import pyarrow
    import pyarrow.parquet

    with opened(path) as stream:
        try:
            yield pyarrow.parquet.ParquetFile(stream)
        except (pyarrow.ArrowException, pl.exceptions.PolarsError, OSError, ValueError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            hint = "the file is damaged or of another sort: fetch it again"
            raise UserError(f"not a Parquet table: {shown(reason)}", where=str(path), hint=hint) from None


def expanded(path: str | Path, where: str | None = None) -> Path:
    """The path with `~` or `~user` written out; a `UserError` at `where` for a user that does not exist."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        user = Path(path).parts[0]
        raise UserError(f"no home folder of {user!r}", where=where, hint="write the path without ~") from None


_DAMAGED = "the file is damaged: fetch it again"
_LONG_NUMBER = re.compile(r"\d{4301,}")  # Python's limit (sys.int_info.default_max_str_digits)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|.)", re.DOTALL)
_HIGH_OR_LOW = re.compile(r"\\u[dD][89a-fA-F]")
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def _raw(path: Path) -> IO[bytes]:
    """A file or a pipe. A pipe that nobody writes to is an error, so that opening one never waits for ever."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if stat.S_ISREG(mode):
        return os.fdopen(handle, "rb")
    if stat.S_ISFIFO(mode):
        try:
            first = os.read(handle, 1 << 16)
        except BlockingIOError:  # somebody is about to write
            first = None
        if first != b"":
            os.set_blocking(handle, True)
            return io.BufferedReader(_Pipe(handle, first or b""))
        os.close(handle)
        raise OSError(0, "it is a pipe that nobody writes to")
    os.close(handle)
    raise OSError(0, "Is a directory" if stat.S_ISDIR(mode) else "it is a device, not a file")


def _archive(path: Path, raw: IO[bytes]) -> gzip.GzipFile | lzma.LZMAFile | None:
    match path.suffix:
        case ".gz":
            return gzip.GzipFile(fileobj=raw)
        case ".xz":
            return lzma.LZMAFile(raw)
        case _:
            return None


class _Pipe(io.FileIO):
    """A pipe of which the first bytes were read."""

    def __init__(self, handle: int, first: bytes) -> None:
        super().__init__(handle, "rb")
        self._first = first

    def readinto(self, buffer: Any) -> int | None:
        if not self._first:
            return super().readinto(buffer)
        part, self._first = self._first[: len(buffer)], self._first[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


class _Guarded(io.RawIOBase):
    """A file's content, an archive's unpacked up to a multiple of its size; faults of reading name the file."""

    def __init__(self, path: Path, raw: IO[bytes]) -> None:
        self._path, self._raw = path, raw
        self._packed = _archive(path, raw)
        self._size = os.fstat(raw.fileno()).st_size
        self._left = max(LINE_LIMIT, self._size * EXPANSION_LIMIT)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._packed is None and self._raw.seekable()

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def readinto(self, buffer: Any) -> int:
        content = self._content(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def _content(self, size: int) -> bytes:
        try:
            if self._packed is None:
                return self._raw.read(size)
            content = self._packed.read1(size)
        except _DAMAGE as error:
            raise UserError(f"can't be read: {error}", where=str(self._path), hint=_DAMAGED) from None
        except OSError as error:
            raise _unreadable(self._path, error) from None
        self._left -= len(content)
        if self._left < 0:
            what = f"an archive of {_size(self._size)} that unpacks to more than {EXPANSION_LIMIT} times its size"
            raise UserError(what, where=str(self._path), hint="no text does: unpack it if you trust it")
        return content


class _TwiceError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        seen: set[str] = set()
        raise _TwiceError(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return value


def _second(text: str, key: str) -> int:
    """Where the key stands for the second time, or 0: it may be written with escapes."""
    written = re.escape(json.dumps(key, ensure_ascii=False))
    matches = [match.start() for match in re.finditer(written + r"\s*:", text)]
    return matches[1] if len(matches) > 1 else 0


def _half_surrogate(text: str) -> int | None:
    """Where half of a surrogate pair is escaped in a text that is JSON."""
    if not _HIGH_OR_LOW.search(text):
        return None
    open_at: int | None = None  # a high half that waits for its low one
    for escape in _ESCAPE.finditer(text):
        code = int(escape[1], 16) if escape[1] else 0
        if 0xDC00 <= code <= 0xDFFF:
            if open_at is None or open_at + 6 != escape.start():
                return escape.start() if open_at is None else open_at
            open_at = None
            continue
        if open_at is not None:
            return open_at
        open_at = escape.start() if 0xD800 <= code <= 0xDBFF else None
    return open_at


def _deepest(text: str) -> int:
    """Where brackets are nested deeper than any data file's."""
    depth = 0
    for token in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > 200:
            return token.start()
    return 0


def _not_utf8(byte: int, where: str) -> UserError:
    return UserError(f"not UTF-8 (byte {byte} of the line)", where=where, hint="convert the file to UTF-8")


def _size(count: int) -> str:
    if count < MIB:
        return f"{count / 1024:,.0f} KiB"
    return f"{count / MIB:,.0f} MiB"
