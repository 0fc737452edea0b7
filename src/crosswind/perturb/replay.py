"""Replaying stored rewrites: the perturbed example from the original one and its rewrites."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from crosswind.data.examples import Candidate, Dataset, Example, Pool, Span, text_fields
from crosswind.perturb.applied import rewritten
from crosswind.perturb.dataset import collector_paused
from crosswind.perturb.example import candidate_passage, passages, rebuild, rebuild_candidate
from crosswind.perturb.passage import WHOLE, Passage, Written
from crosswind.perturb.perturbed import TAGS_SUFFIX, Perturbed, PerturbedDataset
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import POOL
from crosswind.run.step import digest

Tags = Mapping[str, tuple[str, ...] | None]


def replay_dataset(dataset: Dataset, table: pl.DataFrame, added: pl.DataFrame | None = None) -> PerturbedDataset:
    """`dataset` after the rewrites of a `PerturbedDataset.table()`, with the candidates of its `added_table()`.

    Rows of examples that the dataset does not have are passed over. The `counts` are not stored. Raises
    `ValueError` if a rewrite does not fit its text.
    """
    with collector_paused():
        changes: dict[str, dict[str, Rewrite]] = {}
        pool_changes: dict[str, dict[str, Rewrite]] = {}
        tags: dict[str, dict[str, tuple[str, ...] | None]] = {}
        columns = (table[c].to_list() for c in ("id", "part", "field", "rewrite"))
        for name, part, field, value in zip(*columns, strict=True):
            loaded = json.loads(value)
            if field.endswith(TAGS_SUFFIX):
                tags.setdefault(name, {})[field.removesuffix(TAGS_SUFFIX)] = None if loaded is None else tuple(loaded)
            else:
                store = pool_changes if part == POOL else changes
                store.setdefault(name, {})[field] = Rewrite.from_json(loaded)
        examples = tuple(
            replay(e, changes[e.id], tags.get(e.id)) if e.id in changes else Perturbed(e, {}) for e in dataset.examples
        )
    pool = dataset.pool
    candidates: tuple[Perturbed[Candidate], ...] = ()
    if pool is not None and pool_changes:
        candidates = tuple(replay_candidate(c, pool_changes.get(c.id, {})) for c in pool.candidates)
        pool = Pool(tuple(c.example for c in candidates))
    extra: tuple[Candidate, ...] = ()
    if added is not None and pool is not None:
        extra = tuple(Candidate(**row) for row in added.iter_rows(named=True))
        pool = Pool((*pool.candidates, *extra))
    fingerprint = digest(
        {"source": dataset.fingerprint, "rewrites": [table["id"].to_list(), table["rewrite"].to_list()]}
    )
    perturbed = replace(dataset, examples=tuple(e.example for e in examples), pool=pool, fingerprint=fingerprint)
    return PerturbedDataset(perturbed, examples, candidates, extra)


def replay(example: Example, rewrites: Mapping[str, Rewrite], tags: Tags | None = None) -> Perturbed[Example]:
    """`example` after its stored `rewrites` and `tags` (by the names that `Perturbed` has them under).

    Raises `ValueError` if a rewrite does not fit its text.
    """
    if not rewrites:
        return Perturbed(example, {})
    stages: dict[int, dict[str, str]] = {}
    for name in rewrites:
        number, _, field = name.rpartition(":")
        stages.setdefault(int(number or 0), {})[field] = name
    now = example
    for _, names in sorted(stages.items()):
        whole = WHOLE in names
        cut = passages(now, list(text_fields(now) if whole else names), whole=whole)
        written = [_written(p, rewrites[names[p.field]], tags or {}, names[p.field]) for p in cut if p.field in names]
        if len(written) < len(names):
            raise ValueError(f"{example.id} has no {', '.join(names)}, of which a rewrite is stored")
        now = rebuild(now, written)
    return Perturbed(now, rewrites, tags=tags or {})


def replay_candidate(candidate: Candidate, rewrites: Mapping[str, Rewrite]) -> Perturbed[Candidate]:
    """A candidate of a pool after its stored rewrites."""
    if not rewrites:
        return Perturbed(candidate, {})
    passage = candidate_passage(candidate)
    rewrite = rewrites.get(passage.field.partition(".")[2])
    if rewrite is None:
        return Perturbed(candidate, {})
    return Perturbed(rebuild_candidate(candidate, _written(passage, rewrite, {}, "")), rewrites)


def _written(passage: Passage, rewrite: Rewrite, tags: Tags, name: str) -> Written:
    if name not in tags:
        written = rewritten(passage, rewrite)
        if written is None:
            raise ValueError(f"the stored rewrite of {passage.id} {passage.field} loses a label")
        return written
    text = rewrite.apply(passage.text)
    words, at = [], 0
    for word in text.split(" "):
        words.append(Span(at, at + len(word)))
        at += len(word) + 1
    return Written(replace(passage, text=text, labels=(), words=tuple(words), tags=tags[name]), rewrite, retagged=True)
