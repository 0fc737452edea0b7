"""References to data: which task, language, split and rows, and where to find them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from threading import Lock
from typing import Any

from crosswind.data.examples import Dataset, Rows
from crosswind.data.source import Portion, Source
from crosswind.errors import UserError, unknown
from crosswind.run.step import canonical
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.load import fingerprint, load, open_data, part_of, sampled

HELD = 500_000  # examples and candidates of a process's library: about 1 GB of short texts


@dataclass(frozen=True)
class DataRef:
    """Some rows of a task's split in one language.

    `pool_languages` restricts a pool that spans languages, `context_language` is that of the passages
    where it is not the questions' (MLQA), and `made` names the input of a step that made the data. `sample` takes at
    most so many of the examples that `rows` and `limit` select, in whole clusters as `limit` does, and leaves the pool
    that these have: so that some of a retrieval task's queries can be attacked before its whole pool.
    """

    task: str
    language: str
    split: str
    rows: str | None = None
    limit: int | None = None
    pool_languages: tuple[str, ...] | None = None
    context_language: str | None = None
    made: str | None = None
    sample: int | None = None

    @property
    def declaration(self) -> Task:
        """The task's declaration; a `UserError` for an unknown name."""
        return TASKS[self.task]

    @property
    def name(self) -> str:
        """`xnli/de/dev[0-9]`, `mlqa/context-de-question-es/test`, `mnli/de/train:translated` (of made data)."""
        crossed = self.context_language not in (None, self.language)
        language = f"context-{self.context_language}-question-{self.language}" if crossed else self.language
        made = f":{self.made}" if self.made else ""
        rows = f"[{self.rows}]" if self.rows else ""
        return f"{self.task}/{language}/{self.split}{made}{rows}"

    @property
    def selection(self) -> str:
        """What of the split is meant, for the results: `all`, `0-499`, `200 by clusters`, `0-499 200 by clusters`,
        `50 by clusters before the whole pool`."""
        parts = [self.rows or "", f"{self.limit} by clusters" if self.limit else ""]
        parts.append(f"{self.sample} by clusters before the whole pool" if self.sample else "")
        return " ".join(p for p in parts if p) or "all"

    @property
    def size(self) -> int | None:
        """The number of examples, as far as it is known without reading; of a limit or a sample, the most that it
        takes."""
        if self.rows:
            n: int | None = sum(last - first + 1 for first, last in Rows.parse(self.rows).ranges)
        else:
            # Made data are of about the size of what they are made of.
            language = self.declaration.source_language if self.made else self.language
            portion = Portion(language, self.split, context_language=None if self.made else self.context_language)
            n = self.declaration.size(portion)
        return None if n is None else min(most for most in (n, self.limit, self.sample) if most is not None)

    @property
    def undrawn(self) -> DataRef:
        """The same rows before a limit or a sample drew from them."""
        return replace(self, limit=None, sample=None)

    def to_json(self) -> dict[str, Any]:
        """As JSON, without what is unset of `context_language`, `made` and `sample`."""
        value = asdict(self)
        value["pool_languages"] = list(self.pool_languages) if self.pool_languages else None
        return {k: v for k, v in value.items() if v is not None or k not in ("context_language", "made", "sample")}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> DataRef:
        """What `to_json` wrote."""
        pool = value.get("pool_languages")
        return cls(**{**value, "pool_languages": tuple(pool) if pool else None})

    def fingerprint(self, source: Source) -> str:
        """The fingerprint of what the source holds; made data has none, for the key of its step names it."""
        if self.made is not None:
            raise UserError(f"{self.name} is made by a step", hint="name it by the key of that step")
        return fingerprint(
            self.declaration,
            self.language,
            self.split,
            source,
            pool_languages=self.pool_languages,
            context_language=self.context_language,
        )

    def load(self, source: Source, where: str | None = None, made: Mapping[str, Dataset] | None = None) -> Dataset:
        """The data set: of the source, or of the step that made it, its selection taken here."""
        rows = Rows.parse(self.rows, where) if self.rows else None
        if self.made is not None:
            if self.made not in (made or {}):
                raise unknown("made data set", self.made, made or {}, where=self.name)
            return sampled(part_of((made or {})[self.made], self.declaration, rows, self.limit), self.sample)
        dataset = load(
            self.declaration,
            self.language,
            self.split,
            source,
            rows=rows,
            limit=self.limit,
            pool_languages=self.pool_languages,
            context_language=self.context_language,
        )
        return sampled(dataset, self.sample)


class Library:
    """Data sets of one source, read once in a process and usable from every thread of it.

    It keeps the last used ones of up to `held` examples and candidates together, and always the last one.
    """

    def __init__(self, settings: Mapping[str, Any], held: int = HELD) -> None:
        self.source = open_data(settings)
        self.held = held
        self._datasets: OrderedDict[DataRef, Dataset] = OrderedDict()
        self._lock = Lock()

    def dataset(self, ref: DataRef, made: Mapping[str, Dataset] | None = None) -> Dataset:
        """The data set of a reference; `made` holds what steps made, by the names of a job's inputs."""
        if ref.made is not None:
            # Another job calls another data set by the same name: nothing of it is kept.
            return ref.load(self.source, made=made)
        if ref.sample is not None:
            # It shares its pool with all others that are drawn from the same examples.
            return sampled(self.dataset(replace(ref, sample=None)), ref.sample)
        with self._lock:
            if ref in self._datasets:
                self._datasets.move_to_end(ref)
                return self._datasets[ref]
        dataset = ref.load(self.source)
        with self._lock:
            self._datasets[ref] = dataset
            total = sum(map(_size, self._datasets.values()))
            while total > self.held and len(self._datasets) > 1:
                total -= _size(self._datasets.popitem(last=False)[1])
        return dataset


def _size(dataset: Dataset) -> int:
    return len(dataset) + len(dataset.pool or ())


@lru_cache(maxsize=4)
def _library(settings: str) -> Library:
    import json

    return Library(json.loads(settings))


def library(settings: Mapping[str, Any]) -> Library:
    """The process's library for a `data:` setting."""
    return _library(canonical(dict(settings)))
