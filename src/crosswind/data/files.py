"""Official files below a root folder: finding them, hashing their bytes. `crosswind.reading` reads them.

A file may lie plain, as `.gz` or as `.xz`; the name given is the plain one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from crosswind.errors import AbsentFileError, UserError
from crosswind.run.step import digest

SUFFIXES = ("", ".gz", ".xz")


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
        return next((path for path in candidates if os.path.isfile(path)), None)

    def find(self, *alternatives: str, what: str, origin: str = "") -> Path:
        """The first of the alternatives that exists; a `UserError` names `what` (`xnli dev-de`) otherwise.

        `origin` says where such files are to be had, and under which licence; the error repeats it.
        """
        for relative in alternatives:
            path = self.has(relative)
            if path is not None:
                return path
        raise self.missing(*alternatives, what=what, origin=origin)

    def glob(self, pattern: str) -> tuple[Path, ...]:
        """Every file that matches, plain or compressed, in the order of their names; possibly none."""
        paths: dict[str, Path] = {}
        for suffix in reversed(SUFFIXES):
            files = (path for path in self.root.glob(pattern + suffix) if os.path.isfile(path))
            paths |= {str(path).removesuffix(suffix): path for path in files}
        return tuple(paths[name] for name in sorted(paths))

    def missing(self, *alternatives: str, what: str, origin: str = "") -> AbsentFileError:
        """The error for a file that is not there: where it is to be had (`origin`), what was tried, and what to set."""
        begin = f"{origin}; " if origin else ""
        how = f"set {self.setting} in the study, --data or CROSSWIND_DATA to the folder that holds the official files"
        if not self.root.is_dir():
            raise UserError(f"no folder of official files for {what}", where=str(self.root), hint=begin + how)
        tried = ", ".join(alternatives)
        for name in (relative + suffix for relative in alternatives for suffix in SUFFIXES):
            if (self.root / name).is_symlink():
                hint = "mend the link, or put the file there"
                raise UserError(f"the file of {what} is a link to nothing", where=str(self.root / name), hint=hint)
            if os.path.lexists(self.root / name):
                hint = "put the file there"
                raise UserError(f"the file of {what} is a folder or a device", where=str(self.root / name), hint=hint)
        return AbsentFileError(
            f"no file of {what} below this folder",
            where=str(self.root),
            hint=f"{begin}looked for {tried} (plain, .gz or .xz); {how}, so that {self.root / alternatives[0]} exists",
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
