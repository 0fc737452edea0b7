"""Which artifacts were hashed already, and how their files looked then.

Hashing every artifact of a large run takes minutes, looking at its files takes seconds: what has the size, time of
change and inode that it had when it was hashed is not hashed again. The time at which the inode changed is among them:
unlike the other, no program can set it back.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from crosswind.run.folders import replacing

_Seen = list[tuple[str, int, int, int, int]]  # name, size, times of change of bytes and of inode in ns, inode


class Checked:
    """Sound artifacts by key, kept in a JSON file (`path`; None: only in memory)."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._seen: dict[str, _Seen] = {}
        self._changed = False
        if path is not None and path.is_file():
            try:
                value = json.loads(path.read_bytes())
                read = {
                    key: [(str(n), int(s), int(t), int(c), int(i)) for n, s, t, c, i in files]
                    for key, files in value.items()
                }
                self._seen = {key: files for key, files in read.items() if files}
            except (OSError, ValueError, TypeError, AttributeError, RecursionError):
                self._seen = {}  # A damaged file costs time and nothing else.

    def knows(self, key: str, folder: Path) -> bool:
        """Whether the artifact was sound, and every file looks as it did then."""
        seen = self._seen.get(key)
        if seen is None:
            return False
        base = f"{folder}{os.sep}"
        try:
            return all(_look(base + name) == look for name, *look in seen)
        except (OSError, ValueError):
            return False

    def note(self, key: str, folder: Path, names: list[str]) -> None:
        """Remember how the files of a sound artifact look."""
        seen: _Seen = []
        for name in names:
            size, changed, touched, inode = _look(str(folder / name))
            seen.append((name, size, changed, touched, inode))
        self._seen[key] = seen
        self._changed = True

    def forget(self, key: str) -> None:
        """What was known of an artifact holds no longer."""
        if self._seen.pop(key, None) is not None:
            self._changed = True

    def save(self) -> None:
        """Write the file, if there is one and something has changed."""
        if self.path is None or not self._changed:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(self.path) as draft:
            draft.write_text(json.dumps(self._seen, separators=(",", ":")), encoding="utf-8")
        self._changed = False


def _look(path: str) -> list[int]:
    stat = os.stat(path)
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]
