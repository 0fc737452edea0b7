"""Ids by content: the hash of a text, and how often it came before."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable


def text_hash(text: str, digits: int = 16) -> str:
    """The first hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:digits]


class ContentIds:
    """Names texts in the order in which they come: the first `a` is `HASH-0`, the second `HASH-1`.

    So an id does not depend on what stands around a text, and no two are the same.
    """

    def __init__(self, hashed: Callable[[str], str] = text_hash) -> None:
        self._hashed = hashed
        self._seen: Counter[str] = Counter()

    def __call__(self, text: str) -> str:
        return "-".join(map(str, self.parts(text)))

    def parts(self, text: str) -> tuple[str, int]:
        """The hash of the text, and how often it came before."""
        key = self._hashed(text)
        self._seen[key] += 1
        return key, self._seen[key] - 1
