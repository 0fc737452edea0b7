"""The store: a directory of published steps, found again by key.

    objects/ab/<key>/   a step's files and manifest.json, which is written last
    drafts/             folders being written; renamed into objects/ when complete
    partial/<key>/      a step's own checkpoints until it is published
    locks/<key>.lock    held by the process that computes the key

An artifact exists if its manifest exists and every file has the recorded size. Its checksums are
verified in every process that reads it, before it is first used and again when its files look otherwise. Nothing here
is a pickle.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from crosswind.errors import UserError
from crosswind.reading import expanded
from crosswind.run import manifests
from crosswind.run.checked import Checked
from crosswind.run.folders import file_hash, remove, sync_one
from crosswind.run.manifests import MANIFEST, Damaged, Missing, StoreEntry, Unavailable
from crosswind.run.peak import PeakMemory
from crosswind.run.step import Step

__all__ = ["Damaged", "Draft", "Missing", "Store", "StoreEntry", "Unavailable"]

log = logging.getLogger(__name__)


@dataclass
class Draft:
    """An artifact being written: put files below `path` and JSON about them into `meta`."""

    path: Path
    meta: dict[str, Any] = field(default_factory=dict)


class Store:
    """Published steps below `root`, shared safely by any number of processes."""

    def __init__(self, root: Path | str, checked: Checked | None = None) -> None:
        self.root = expanded(root, "--store").absolute()
        self.checked = checked or Checked()
        self._objects = f"{self.root / 'objects'}{os.sep}"
        self._hashed = Checked()  # by this process
        try:
            for name in ("objects", "drafts", "partial", "locks"):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"cannot keep a store there: {error.strerror}",
                where=str(self.root),
                hint="name a folder that can be written, with --store",
            ) from error
        self.sweep()

    # Reading

    def has(self, key: str) -> bool:
        """Whether the artifact exists: a manifest, nothing dropped, every file of the recorded size."""
        if self.checked.knows(key, self._place(key)):
            return True
        try:
            manifest = self.manifest(key)
        except (Missing, Damaged):
            return False
        return not manifest["dropped"] and manifests.sizes_agree(self._place(key), manifest)

    def watch(self, checked: Checked) -> None:
        """Know what was hashed before, for `check`; what is hashed from now on is noted there."""
        self.checked = checked

    def forget(self, key: str) -> None:
        """Hash an artifact anew before it is used: somebody could not read it."""
        self._hashed.forget(key)
        self.checked.forget(key)

    def check(self, key: str) -> bool:
        """Whether the artifact exists and is sound; a damaged one is removed, with a warning, to be recomputed."""
        if self._sound(key, self.checked):
            return True
        if not os.path.lexists(self._place(key)):
            return False
        with self.lock(key):
            # Another process may have replaced or dropped it while we waited.
            sound = self._sound(key, self.checked)
            if not sound and not self._dropped(key):
                log.warning("%s is damaged in the store and is computed again", self._name(key))
                self._remove(key)
        return sound

    def path(self, key: str) -> Path:
        """The folder of a published step, hashed by this process; raises `Missing` or `Damaged`."""
        if self._hashed.knows(key, self._place(key)):
            return self._place(key)
        manifest = self.manifest(key)
        if manifest["dropped"]:
            raise Missing(f"the weights of {self._name(key)} were dropped from the store", key)
        if not self._sound(key, self._hashed):
            raise Damaged(f"{self._name(key)} is damaged in the store", key)
        return self._place(key)

    def manifest(self, key: str) -> dict[str, Any]:
        """The manifest: key, step, files (size, sha256), meta, dropped (patterns); also after a drop."""
        return manifests.read_manifest(self._place(key))

    # Writing

    @contextmanager
    def produce(self, step: Step) -> Iterator[Draft | None]:
        """Compute a step once: `None` if it is there already, else a draft that is published on exit.

        Holds the step's lock, so of several processes one computes and the others find the result.
        """
        with self.lock(step.key):
            if self.check(step.key):
                yield None
                return
            with self.write(step) as draft:
                yield draft

    @contextmanager
    def write(self, step: Step) -> Iterator[Draft]:
        """A fresh folder that is published when the block ends, and leaves nothing when it raises."""
        with self.lock(step.key):
            draft = Draft(self._beside(step.key))
            draft.path.mkdir()
            wall, cpu = time.perf_counter(), time.process_time()
            memory = PeakMemory()
            try:
                yield draft
                seconds = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
                draft.meta["memory"] = memory.read()
                self._publish(step, draft, seconds)
            finally:
                shutil.rmtree(draft.path, ignore_errors=True)

    def partial(self, key: str) -> Path:
        """The folder of an unfinished step's checkpoints: survives kills, removed when the step is published."""
        folder = self.root / "partial" / key
        if os.path.lexists(folder) and not folder.is_dir():
            folder.unlink()  # Something else in its place.
        folder.mkdir(exist_ok=True)
        return folder

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Held by the one process that computes a key; the same thread may take it again."""
        lock = FileLock(self.root / "locks" / f"{key}.lock", is_singleton=True)
        try:
            lock.acquire(timeout=1)
        except Timeout:
            log.warning("waiting for another process that computes %s", key[:12])
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def drop(self, key: str, patterns: Iterable[str]) -> int:
        """Remove an artifact's files that match (`*.safetensors`), keep its manifest; the bytes freed.

        From then on `has` is false: the step is computed again when somebody needs its weights.
        """
        with self.lock(key):
            self.forget(key)
            return manifests.drop_files(self._place(key), [*patterns])

    # Upkeep

    def entries(self) -> list[StoreEntry]:
        """Every published step whose manifest can be read, by key."""
        artifacts = []
        for key in self._keys():
            with suppress(Missing, Damaged):
                artifacts.append(manifests.store_entry(self._place(key)))
        return artifacts

    def verify(self) -> list[str]:
        """The keys of damaged artifacts; every checksum is computed anew."""
        for key in self._keys():
            self.forget(key)
        return [key for key in self._keys() if not self._dropped(key) and not self._sound(key, self.checked)]

    def prune(self, keep: set[str]) -> list[str]:
        """Remove every artifact and unfinished step but those to keep and those in use; the keys removed."""
        unfinished = {p.name for p in (self.root / "partial").iterdir()}
        removed = []
        for key in sorted({*self._keys(), *unfinished} - keep):
            with suppress(Timeout), self._try_lock(key):
                self._remove(key)
                shutil.rmtree(self.root / "partial" / key, ignore_errors=True)
                removed.append(key)
        return removed

    def sweep(self) -> None:
        """Remove the drafts of processes that are gone: those whose key nobody holds."""
        for draft in [*(self.root / "drafts").iterdir()]:
            with suppress(Timeout), self._try_lock(draft.name.partition("-")[0]):
                shutil.rmtree(draft, ignore_errors=True)

    # Inside

    def _place(self, key: str) -> Path:
        return Path(f"{self._objects}{key[:2]}{os.sep}{key}")

    def _keys(self) -> list[str]:
        return sorted(p.name for p in (self.root / "objects").glob("??/*"))

    def _name(self, key: str) -> str:
        try:
            label = self.manifest(key)["step"].get("label", "")
        except (Missing, Damaged):
            label = ""
        return f"{label} ({key[:12]})" if label else key[:12]

    def _dropped(self, key: str) -> bool:
        try:
            return bool(self.manifest(key)["dropped"])
        except (Missing, Damaged):
            return False

    def _sound(self, key: str, known: Checked) -> bool:
        """Whether every byte is as recorded; what is `known` and looks as it did then is not hashed."""
        folder = self._place(key)
        if known.knows(key, folder):
            return True
        try:
            manifest = self.manifest(key)
            files = manifest["files"]
            if manifest["dropped"] or not manifests.sizes_agree(folder, manifest):
                return False
            if any(file_hash(folder / name) != recorded["sha256"] for name, recorded in files.items()):
                return False
            self._note(key, [*files])
        except (Missing, Damaged):  # Or removed meanwhile by another process.
            return False
        except OSError as error:
            if error.errno in manifests.SCARCE:
                raise
            return False
        return True

    def _note(self, key: str, names: list[str]) -> None:
        for known in (self._hashed, self.checked):
            known.note(key, self._place(key), [*names, MANIFEST])

    def _publish(self, step: Step, draft: Draft, seconds: dict[str, float]) -> None:
        if not self.has(step.key):
            manifests.write_manifest(draft.path, step, {**draft.meta, "seconds": seconds})
            self._remove(step.key)
            folder = self._place(step.key)
            folder.parent.mkdir(exist_ok=True)
            os.rename(draft.path, folder)
            sync_one(folder.parent)
            self._note(step.key, [*self.manifest(step.key)["files"]])  # They were hashed when they were listed.
        shutil.rmtree(self.root / "partial" / step.key, ignore_errors=True)

    def _remove(self, key: str) -> None:
        self.forget(key)
        remove(self._place(key), self._beside(key))

    def _beside(self, key: str) -> Path:
        return self.root / "drafts" / f"{key}-{uuid.uuid4().hex[:8]}"

    @contextmanager
    def _try_lock(self, key: str) -> Iterator[None]:
        # An instance of its own: not even a draft of this thread is swept away while it is written.
        with FileLock(self.root / "locks" / f"{key}.lock").acquire(timeout=0):
            yield
