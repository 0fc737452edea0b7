"""The manifest of an artifact: what made it and which files it has. Written last, it makes the artifact exist."""

from __future__ import annotations

import errno
import fnmatch
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import crosswind
from crosswind.run.folders import inventory, sync, sync_one, write_json
from crosswind.run.step import Step, digest

MANIFEST = "manifest.json"
SCARCE = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)  # what a process lacks for the moment says nothing of a file


class Unavailable(Exception):  # noqa: N818
    """An artifact that cannot be read; `key` is its step's."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


class Missing(Unavailable):
    """The store has no such artifact, or its weights were dropped."""


class Damaged(Unavailable):
    """The files of an artifact are not those that its manifest records, or its manifest is none."""


@dataclass(frozen=True)
class StoreEntry:
    """A published step: `size` is what its files take now, in bytes."""

    key: str
    kind: str
    label: str
    size: int
    created: str
    dropped: bool


def store_entry(folder: Path) -> StoreEntry:
    """What the artifact in a folder is; raises `Missing` or `Damaged`."""
    manifest = read_manifest(folder)
    step = manifest["step"]
    size = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    created = manifest["meta"]["created"]
    return StoreEntry(folder.name, step["kind"], step.get("label", ""), size, created, bool(manifest["dropped"]))


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of the artifact in a folder, whole and as it was written; raises `Missing` or `Damaged`."""
    key = folder.name
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
        fault = _fault(manifest, key)
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{key[:12]} is not in the store", key) from None
    except OSError as error:
        if error.errno in SCARCE:
            raise
        raise Damaged(f"the manifest of {key[:12]} cannot be read: {error.strerror}", key) from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:  # a step of other fields
        raise Damaged(f"the manifest of {key[:12]} is damaged: {error}", key) from error
    if fault:
        raise Damaged(f"the manifest of {key[:12]} is damaged: {fault}", key)
    value: dict[str, Any] = manifest
    return value


def _fault(manifest: Any, key: str) -> str | None:
    """What is wrong with a manifest. Its checksum finds every change; the rest, what another version wrote."""
    if not isinstance(manifest, dict):
        return "it is no object"
    if manifest.get("sha256") != _checksum(manifest):
        return "its checksum is another"
    step, files, meta, dropped = (manifest.get(name) for name in ("step", "files", "meta", "dropped"))
    if manifest.get("key") != key or not isinstance(step, dict) or Step.from_json(step).key != key:
        return "it is that of another step"
    if not isinstance(files, dict) or not all(_is_record(name, record) for name, record in files.items()):
        return "its list of files is none"
    seconds = meta.get("seconds") if isinstance(meta, dict) else None
    if not isinstance(meta, dict) or not isinstance(meta.get("created"), str) or not isinstance(seconds, dict):
        return "it does not say when and how long the step was computed"
    if not all(isinstance(seconds.get(clock), int | float) for clock in ("wall", "cpu")):
        return "it does not say how long the step was computed"
    if not isinstance(dropped, list) or not all(isinstance(pattern, str) for pattern in dropped):
        return "its list of dropped files is none"
    return None


def _is_record(name: str, record: Any) -> bool:
    """Whether a file of the list lies inside the folder, and has a size and a checksum."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts
    return (
        inside
        and isinstance(record, dict)
        and isinstance(record.get("size"), int)
        and isinstance(record.get("sha256"), str)
    )


def _checksum(manifest: dict[str, Any]) -> str:
    """The SHA-256 of a manifest without its checksum: results are read from it, so that it is checked like files."""
    return digest({name: value for name, value in manifest.items() if name != "sha256"})


def write_manifest(folder: Path, step: Step, meta: dict[str, Any]) -> None:
    """Complete a folder: hand its files to the disk, then write the manifest that lists them."""
    if (folder / MANIFEST).exists():
        raise ValueError(f"{step.kind} wrote a file called {MANIFEST}, which is the store's own")
    created = datetime.now(UTC).isoformat(timespec="seconds")
    manifest = {
        "key": step.key,
        "step": step.to_json(),
        "files": inventory(folder),
        "meta": {**meta, "created": created, "crosswind": crosswind.__version__},
        "dropped": [],
    }
    sync(folder)
    write_json(folder / MANIFEST, {**manifest, "sha256": _checksum(manifest)})
    sync_one(folder)


def drop_files(folder: Path, patterns: list[str]) -> int:
    """Remove the files that match and record it in the manifest first; the bytes freed."""
    manifest = read_manifest(folder)
    matching = [folder / n for n in manifest["files"] if any(fnmatch.fnmatchcase(n, p) for p in patterns)]
    there: list[Path] = [path for path in matching if path.exists()]
    if matching:
        manifest["dropped"] = sorted({*manifest["dropped"], *patterns})
        write_json(folder / MANIFEST, {**manifest, "sha256": _checksum(manifest)})
    freed = sum(path.stat().st_size for path in there)
    for path in there:
        path.unlink()
    return freed


def sizes_agree(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether every recorded file is there with its recorded size."""
    try:
        return all((folder / name).stat().st_size == f["size"] for name, f in manifest["files"].items())
    except OSError:
        return False
