"""Folders that are written, checked and removed as a whole."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from crosswind.errors import UserError
from crosswind.run.step import digest

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)  # what a disk refuses to everybody
ANOTHER = "name another folder with --out"
SEAL = "sha256"  # the key of the checksum of an object's other keys


def file_hash(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def inventory(folder: Path) -> dict[str, dict[str, Any]]:
    """Size (bytes) and SHA-256 of every file below a folder, by its path with forward slashes."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {p.relative_to(folder).as_posix(): {"size": p.stat().st_size, "sha256": file_hash(p)} for p in files}


@contextmanager
def replacing(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A path to write a file at, which takes the place of `path` when the block ends; nothing does where it raises.

    So readers see the old file or all of the new one, where it is `durable` after a power failure too (what can be
    made again need not be). Of a symbolic link the file that it leads to is replaced, or made, and the link stays. A
    `UserError` for what is no file: who may write to a device would replace the device.
    """
    path = _target(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise UserError("is no file that could be replaced", where=str(path), hint="name a file")
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        yield draft
        if durable:
            sync_one(draft)
        os.replace(draft, path)
    except Exception as error:
        refusal = disk_refusal(error)
        if refusal is None:
            raise
        # The draft's name says nothing to anybody, and of a copy that has no room the error names the source first.
        full = refusal.errno in FULL and refusal.errno != errno.EIO and refusal.filename2 == str(draft)
        if full or refusal.filename in (None, str(draft)):
            refusal.filename, refusal.filename2 = str(path), None
        if refusal is error:
            raise
        raise refusal from error
    finally:
        # Where the path could not be written at all, the error that the reader needs is the first one.
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _target(path: Path) -> Path:
    """The file or folder that a path stands for, through its links."""
    if not path.is_symlink():
        return path
    target = Path(os.path.realpath(path))
    if target.is_symlink():  # where links go round in a circle, one is left
        raise UserError("is a link to itself", where=str(path), hint="name another place")
    return target


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to write into, which becomes `out` when the block ends; nothing does where it raises.

    Of a symbolic link it becomes the folder that this leads to. Raises `UserError` where `out` is a file or a folder
    that is not empty.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError("is there and not empty", where=str(out), hint="name a new folder")
    check_writable(out)
    out = _target(out.absolute())
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        draft.mkdir(parents=True)
        yield draft
        if out.exists():
            out.rmdir()
        os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def check_writable(out: Path) -> None:
    """Raise a `UserError` where a folder cannot be made or written into, before anything is computed.

    Leaves nothing behind.
    """
    try:
        _probe(out)
    except OSError as error:
        raise UserError(f"cannot be written ({error.strerror})", where=str(out), hint=ANOTHER) from error


def _probe(out: Path) -> None:
    try:
        str(out).encode()
    except UnicodeEncodeError:
        raise UserError("is no name in UTF-8", where=str(out), hint=ANOTHER) from None
    if out.is_symlink() and not out.exists():
        raise UserError("is a link that leads nowhere", where=str(out), hint="name a folder with --out")
    nearest = next(path for path in (out, *out.absolute().parents) if os.path.lexists(path))
    if not nearest.is_dir():
        what = "is a file" if nearest == out else f"cannot be made: {nearest} is no folder"
        raise UserError(what, where=str(out), hint="name a folder with --out")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise UserError(f"cannot be written: no permission in {nearest}", where=str(out), hint=ANOTHER)
    if nearest != out:  # some file systems (/proc) grant what they then refuse
        trial = nearest / f".crosswind-{os.getpid()}-{threading.get_ident()}"
        trial.mkdir()
        trial.rmdir()


_OS_ERROR = re.compile(r"\(os error (\d+)\)")  # how libraries written in Rust end their messages


def disk_refusal(error: BaseException) -> OSError | None:
    """The error of the operating system that an exception is or tells of: polars and safetensors raise their own."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    match = _OS_ERROR.search(str(error))
    if match is None:
        return None
    number = int(match[1])
    return OSError(number, os.strerror(number))


def read_sealed(path: Path) -> dict[str, Any] | None:
    """What `write_sealed` wrote; `None` where there is nothing, or not every byte of it."""
    try:
        value = json.loads(path.read_bytes())
        if not isinstance(value, dict) or value.pop(SEAL, None) != digest(value):
            return None
    except (OSError, ValueError, RecursionError):
        return None
    return value


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object with its checksum, so that a changed byte is noticed."""
    write_json(path, {**value, SEAL: digest(value)})


def write_json(path: Path, value: Any) -> None:
    """Write JSON so that readers see all of it or nothing."""
    with replacing(path) as draft, draft.open("w", encoding="utf-8") as file:
        json.dump(value, file, ensure_ascii=False, allow_nan=False, indent=1)


def sync(folder: Path) -> None:
    """Hand a folder and everything below it to the disk."""
    for path in (*folder.rglob("*"), folder):
        sync_one(path)


def sync_one(path: Path) -> None:
    """Hand one file, or one folder's list of names, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows has no handle for a folder's entries.
    handle = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(folder: Path, aside: Path) -> None:
    """Remove a folder by renaming it to `aside` first: nobody ever sees half of it."""
    try:
        os.rename(folder, aside)
    except FileNotFoundError:
        return
    if aside.is_dir() and not aside.is_symlink():
        shutil.rmtree(aside, ignore_errors=True)
    else:  # Something else in a folder's place.
        aside.unlink()
