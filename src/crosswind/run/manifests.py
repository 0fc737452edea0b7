"""The manifest of an artifact: what made it and which files it has. Written last, it makes the artifact exist."""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import crosswind
from crosswind.run.folders import inventory, sync, sync_one, write_json
from crosswind.run.step import Step, digest

MANIFEST = "manifest.json"


class Missing(Exception):  # noqa: N818
    """The store has no such artifact, or its weights were dropped."""


class Damaged(Exception):  # noqa: N818
    """The files of an artifact are not those that its manifest records."""


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
    """The manifest of the artifact in a folder; raises `Missing` or `Damaged`."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise Missing(f"{folder.name[:12]} is not in the store") from None
    except ValueError as error:
        raise Damaged(f"the manifest of {folder.name[:12]} is damaged: {error}") from error
    if not isinstance(manifest, dict) or manifest.get("sha256") != _checksum(manifest):
        raise Damaged(f"the manifest of {folder.name[:12]} is damaged: its checksum is another")
    if manifest["key"] != folder.name or Step.from_json(manifest["step"]).key != folder.name:
        raise Damaged(f"the manifest of {folder.name[:12]} is that of another step")
    return manifest


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
