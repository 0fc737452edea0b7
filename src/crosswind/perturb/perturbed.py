"""What perturbing gives: examples, datasets, and the table that a perturbed dataset is stored as."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import polars as pl

from crosswind.data.examples import Candidate, Dataset, Example
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import POOL

_T = TypeVar("_T", bound=Example | Candidate)

TAGS_SUFFIX = ".tags"
"""Behind the name of a field: the row holds the tags of its words, some of which came or went."""

_COLUMNS = ("id", "part", "field", "rewrite")


@dataclass(slots=True)
class Perturbed(Generic[_T]):
    """An example after a perturbation.

    Nothing changes it once it is made; it is not declared `frozen` because millions are made (`Passage`).

    `rewrites` holds the fields that changed: field names as in `text_fields`, `words` for the words of a
    tagging example joined by spaces, `example` for the parts of a whole example, `text` and `context` of a
    candidate. Where perturbations of fields and of whole examples follow one another, a later one's name
    has its number before it: `1:example`. `tags` are the tags of a sentence whose words came or went, by the
    same names. `counts` says by reason how many drawn changes were not made (`noise.py` lists the reasons).
    """

    example: _T
    rewrites: Mapping[str, Rewrite]
    counts: Mapping[str, int] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether any text of the example differs from the original."""
        return bool(self.rewrites)

    @property
    def rejected(self) -> int:
        """Drawn changes that were dropped because a label would not have survived them."""
        return self.counts.get("label", 0)


@dataclass(frozen=True)
class PerturbedDataset:
    """A dataset after a perturbation: iterates over its perturbed examples, in the dataset's order.

    `dataset` holds the perturbed examples and pool and is ready for evaluation; `candidates` are
    the pool's, empty unless the pool was perturbed. `added` are candidates that the original pool has not;
    they end the pool of `dataset`. `added_share` is the share of items that candidates were added for.
    """

    dataset: Dataset
    examples: tuple[Perturbed[Example], ...]
    candidates: tuple[Perturbed[Candidate], ...] = ()
    added: tuple[Candidate, ...] = ()
    added_share: float = 0.0

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Perturbed[Example]]:
        return iter(self.examples)

    @property
    def changed_ids(self) -> frozenset[str]:
        """The ids of the examples of which anything differs (their pool may differ too: `pool_changed`)."""
        return frozenset(e.example.id for e in self.examples if e.rewrites)

    @property
    def pool_changed(self) -> bool:
        """Whether a candidate differs or was added."""
        return bool(self.added) or any(c.rewrites for c in self.candidates)

    @property
    def changed_share(self) -> float:
        """The share of items whose text differs, of all of them, those with nothing to change included.

        Where a pool may change, the largest of the shares of examples, of candidates, and of the items that candidates
        were added for.
        """
        parts: tuple[Sequence[Perturbed[Example] | Perturbed[Candidate]], ...] = (self.examples, self.candidates)
        return max(self.added_share, *(sum(e.changed for e in items) / max(1, len(items)) for items in parts))

    @property
    def counts(self) -> dict[str, int]:
        """By reason, how many drawn changes were not made (`noise.py` lists the reasons)."""
        total: Counter[str] = Counter()
        for items in (self.examples, self.candidates):
            for item in items:
                total.update(item.counts)
        return dict(sorted(total.items()))

    @property
    def left_unperturbed(self) -> dict[str, int]:
        """By reason, how many items were drawn to change and stand as they were; one may have several reasons."""
        total: Counter[str] = Counter()
        for items in (self.examples, self.candidates):
            for item in items:
                if not item.changed:
                    total.update(item.counts.keys())
        return dict(sorted(total.items()))

    @property
    def rejected(self) -> int:
        """Drawn changes that were dropped because a label would not have survived them."""
        return self.counts.get("label", 0)

    def table(self) -> pl.DataFrame:
        """What changed, a row a field: `id`, `part` (`example` or `pool`), `field`, `rewrite` (JSON).

        `replay_dataset` gives the perturbed dataset back from it. Added candidates are in `added_table`.
        """
        rows: list[tuple[str, str, str, str]] = []
        for part, members in (("example", self.examples), (POOL, self.candidates)):
            for member in members:
                if not member.rewrites:
                    continue
                name = member.example.id
                for key, rewrite in member.rewrites.items():
                    rows.append((name, part, key, rewrite.dumps()))
                for key, tags in member.tags.items():
                    rows.append((name, part, key + TAGS_SUFFIX, json.dumps(tags, ensure_ascii=False)))
        return pl.DataFrame(rows, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")

    def added_table(self) -> pl.DataFrame:
        """The added candidates, a row each: `id`, `language`, `text`, `context`, `cluster`."""
        names = ("id", "language", "text", "context", "cluster")
        columns = {n: [getattr(c, n) for c in self.added] for n in names}
        return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))
