"""Perturbing examples and whole datasets.

The same example gives the same result alone, in a dataset and in any order: a draw depends on the
draw's number, the perturbation without its severity, the task, the language, the example's id and
the field, and on nothing else.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from crosswind.data.examples import Candidate, Dataset, Example, Pool
from crosswind.perturb.example import (
    Perturbed,
    Protection,
    candidate_text,
    check_protection,
    rebuilt,
    rebuilt_candidate,
    texts_of,
)
from crosswind.perturb.noise import Text, perturb_texts
from crosswind.perturb.perturbation import Alternatives, Environment
from crosswind.perturb.spec import Atom, Spec, resources
from crosswind.run.step import digest

POOL = "pool"


@dataclass(frozen=True)
class PerturbedDataset:
    """A dataset after a perturbation: iterates over its perturbed examples, in the dataset's order.

    `dataset` holds the perturbed examples and pool and is ready for evaluation; `candidates` are
    the pool's, empty unless the pool was perturbed.
    """

    dataset: Dataset
    examples: tuple[Perturbed[Example], ...]
    candidates: tuple[Perturbed[Candidate], ...] = ()

    def __len__(self) -> int:
        return len(self.examples)

    def __iter__(self) -> Iterator[Perturbed[Example]]:
        return iter(self.examples)

    @property
    def changed_share(self) -> float:
        """The share of examples (of candidates, if only the pool was perturbed) whose text differs."""
        items: Sequence[Perturbed[Example] | Perturbed[Candidate]] = self.examples
        if self.candidates and not any(e.changed for e in self.examples):
            items = self.candidates
        return sum(e.changed for e in items) / max(1, len(items))

    @property
    def rejected(self) -> int:
        """Drawn changes that were dropped because a label would not have survived them."""
        return sum(e.rejected for e in self.examples) + sum(c.rejected for c in self.candidates)


def _table(self: PerturbedDataset) -> Any:
    import json

    import polars as pl

    rows = [
        {"id": p.example.id, "part": part, "field": name, "rewrite": json.dumps(r.to_json(), ensure_ascii=False)}
        for part, members in (("example", self.examples), (POOL, self.candidates))
        for p in members  # type: ignore[attr-defined]
        for name, r in p.rewrites.items()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("id", "part", "field", "rewrite"), pl.String))


PerturbedDataset.table = _table  # type: ignore[attr-defined]


def perturb_example(
    example: Example,
    spec: Spec,
    *,
    task: str,
    draw: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
) -> Perturbed[Example]:
    """One example after noise; see `perturb_dataset`, which is much faster for many."""
    found = perturb_examples(
        [example], spec, task=task, draw=draw, fields=fields, protect=protect, environment=environment
    )
    return found[0]


def perturb_examples(
    examples: Sequence[Example],
    spec: Spec,
    *,
    task: str,
    draw: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
) -> list[Perturbed[Example]]:
    """Examples after noise, in order.

    `fields` name the texts that may change (as `Task.perturbed` does, without `pool`). Raises a
    `UserError` for an unknown field and `NotApplicable` for a language without alternatives.
    """
    with _collector_paused():
        cut = [texts_of(e, fields, check_protection(protect)) for e in examples]
        _perturb([t for texts in cut for t in texts], spec, task, draw, environment)
        return [rebuilt(e, texts) for e, texts in zip(examples, cut, strict=True)]


def perturb_pool(
    pool: Pool, spec: Spec, *, task: str, draw: int, environment: Environment | None = None
) -> list[Perturbed[Candidate]]:
    """The candidates of a pool after noise, in order."""
    with _collector_paused():
        texts = [candidate_text(c) for c in pool.candidates]
        _perturb(texts, spec, task, draw, environment)
        return [rebuilt_candidate(c, t) for c, t in zip(pool.candidates, texts, strict=True)]


def perturb_dataset(
    dataset: Dataset,
    spec: Spec,
    *,
    draw: int,
    fields: Sequence[str],
    protect: Protection = "none",
    environment: Environment | None = None,
) -> PerturbedDataset:
    """A dataset after noise; `pool` among the fields stands for the candidates of its pool.

    The fingerprint of the result covers the source, the spec, the draw, the fields, the protection
    and the resources (lexicons, layouts, segmenter) that it depends on.
    """
    own = [f for f in fields if f != POOL]
    examples: Sequence[Perturbed[Example]] = [Perturbed(e, {}) for e in dataset.examples]
    if own:
        examples = perturb_examples(
            dataset.examples,
            spec,
            task=dataset.task,
            draw=draw,
            fields=own,
            protect=protect,
            environment=environment,
        )
    candidates: Sequence[Perturbed[Candidate]] = ()
    pool = dataset.pool
    if POOL in fields and pool is not None:
        candidates = perturb_pool(pool, spec, task=dataset.task, draw=draw, environment=environment)
        pool = Pool(tuple(c.example for c in candidates))
    identity = {
        "source": dataset.fingerprint,
        "spec": [(a.identity, a.severity) for a in spec.atoms],
        "draw": draw,
        "fields": list(fields),
        "protect": protect,
        "resources": resources(spec, dataset.language, environment),
    }
    perturbed = replace(dataset, examples=tuple(e.example for e in examples), pool=pool, fingerprint=digest(identity))
    return PerturbedDataset(perturbed, tuple(examples), tuple(candidates))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Without cyclic garbage collection: millions of small tuples and no cycle are made meanwhile.

    Walking them again and again takes half of the time (benchmarks/perturb_throughput.py).
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _perturb(texts: Sequence[Text], spec: Spec, task: str, draw: int, environment: Environment | None) -> None:
    prepared: Mapping[tuple[Atom, str], Alternatives] = {
        (atom, language): atom.prepare(language, environment or Environment())
        for language in {t.language for t in texts}
        for atom in spec.atoms
    }
    perturb_texts(texts, spec, task=task, draw_number=draw, prepared=prepared)


def replay_dataset(dataset: Dataset, table: Any, fields: Sequence[str]) -> tuple[Dataset, frozenset[str]]:
    """Shim."""
    import json

    from crosswind.perturb.replay import replay, replay_candidate
    from crosswind.perturb.rewrite import Rewrite

    changed: dict[tuple[str, str], dict[str, Rewrite]] = {}
    for name, part, field, rewrite in table.iter_rows():
        changed.setdefault((part, name), {})[field] = Rewrite.from_json(json.loads(rewrite))
    own = [f for f in fields if f != POOL]
    examples = tuple(replay(e, changed.get(("example", e.id), {}), own).example if own else e for e in dataset.examples)
    pool = dataset.pool
    if pool is not None and any(part == POOL for part, _ in changed):
        pool = Pool(tuple(replay_candidate(c, changed.get((POOL, c.id), {})).example for c in pool.candidates))
    return replace(dataset, examples=examples, pool=pool), frozenset(name for _, name in changed)
