"""References to data: which task, language, split and rows, and where to find them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from crosswind.data.examples import Dataset, Rows
from crosswind.data.source import Source, open_source
from crosswind.run.step import canonical
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import fingerprint, load


@dataclass(frozen=True)
class DataRef:
    """Some rows of a task's split in one language; `pool_languages` where a pool spans languages."""

    task: str
    language: str
    split: str
    rows: str | None = None
    limit: int | None = None
    pool_languages: tuple[str, ...] | None = None

    @property
    def declaration(self) -> Task:
        return TASKS[self.task]

    @property
    def name(self) -> str:
        rows = f"[{self.rows}]" if self.rows else ""
        return f"{self.task}/{self.language}/{self.split}{rows}"

    @property
    def selection(self) -> str:
        """What of the split is meant, for the results: `all`, `0-499`, `first 200`, `0-499 first 200`."""
        parts = [self.rows or "", f"first {self.limit}" if self.limit else ""]
        return " ".join(p for p in parts if p) or "all"

    def to_json(self) -> dict[str, Any]:
        value = asdict(self)
        value["pool_languages"] = list(self.pool_languages) if self.pool_languages else None
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DataRef:
        pool = value.get("pool_languages")
        return cls(**{**value, "pool_languages": tuple(pool) if pool else None})

    def fingerprint(self, source: Source) -> str:
        return fingerprint(self.declaration, self.language, self.split, source, pool_languages=self.pool_languages)

    def load(self, source: Source, where: str | None = None) -> Dataset:
        rows = Rows.parse(self.rows, where) if self.rows else None
        return load(
            self.declaration,
            self.language,
            self.split,
            source,
            rows=rows,
            limit=self.limit,
            pool_languages=self.pool_languages,
        )


class Library:
    """Datasets of one source, read once in a process."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.source = open_source(settings)
        self._load = lru_cache(maxsize=512)(lambda ref: ref.load(self.source))

    def dataset(self, ref: DataRef) -> Dataset:
        found: Dataset = self._load(ref)
        return found


@lru_cache(maxsize=4)
def _library(settings: str) -> Library:
    import json

    return Library(json.loads(settings))


def library(settings: Mapping[str, Any]) -> Library:
    """The process's library for a `data:` setting."""
    return _library(canonical(dict(settings)))
