"""Ranking in blocks against an exhaustive reference in exact integers, with many ties."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.evaluate import ranking
from crosswind.evaluate.grid import Floats
from crosswind.evaluate.ranking import rank


def unit(rng: Any, count: int, width: int, *, ties: bool) -> Floats:
    """Random unit vectors; with ties, of few different ones, and of numbers whose products repeat."""
    raw = rng.integers(-1, 2, (count, width)) if ties else rng.normal(size=(count, width))
    norms = np.linalg.norm(raw, axis=1, keepdims=True)
    return (raw / np.where(norms == 0, 1, norms)).astype(np.float32)


def exhaustive(queries: Floats, vectors: Floats, gold: list[list[int]]) -> list[tuple[list[int], list[int]]]:
    """(top, ranks) of every query, by sorting all candidates by exact fractions."""
    fixed = [[[Fraction(int(np.rint(np.float64(x) * 2**25))) for x in v] for v in vs] for vs in (queries, vectors)]
    results = []
    for query, right in zip(fixed[0], gold, strict=True):
        scores = [sum(a * b for a, b in zip(query, v, strict=True)) for v in fixed[1]]
        order = sorted(range(len(vectors)), key=lambda i: (-scores[i], i))
        results.append((order[:20], sorted(order.index(g) + 1 for g in right)))
    return results


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "QUERY_BLOCK", 4)
    monkeypatch.setattr(ranking, "CANDIDATE_BLOCK", 16)


@given(size=st.integers(1, 70), seed=st.integers(0, 1000), ties=st.booleans())
def test_blocks_rank_as_an_exhaustive_sort_does(size: int, seed: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    queries, vectors = unit(rng, 6, 3, ties=ties), unit(rng, size, 3, ties=ties)
    gold = [rng.choice(size, min(i, size), replace=False).tolist() for i in range(6)]
    ranked = rank(queries, vectors, gold)
    assert [(r.top.tolist(), list(r.ranks)) for r in ranked] == exhaustive(queries, vectors, gold)
    for query, r in zip(queries, ranked, strict=True):
        assert r.scores == pytest.approx((vectors[r.top] @ query).tolist(), abs=1e-6)


def test_scores_are_the_same_bits_whatever_the_neighbours_and_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    queries, vectors = unit(rng, 40, 384, ties=False), unit(rng, 300, 384, ties=False)
    gold = [[int(i)] for i in rng.integers(300, size=40)]
    whole = rank(queries, vectors, gold)
    order = rng.permutation(40)
    turned = rank(queries[order], vectors, [gold[i] for i in order])
    monkeypatch.setattr(ranking, "CANDIDATE_BLOCK", 64)
    other = rank(queries, vectors, gold)
    for i, j in enumerate(order):
        assert turned[i].scores.tobytes() == whole[j].scores.tobytes() == other[j].scores.tobytes()
        assert turned[i].ranks == whole[j].ranks == other[j].ranks


def test_vectors_may_lie_in_a_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    queries, vectors = unit(rng, 5, 8, ties=True), unit(rng, 50, 8, ties=True)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    for a, b in zip(rank(queries, vectors, [[3]] * 5), rank(queries, mapped, [[3]] * 5), strict=True):
        assert (a.top.tolist(), a.ranks) == (b.top.tolist(), b.ranks)


def test_no_queries_and_vectors_that_are_not_of_unit_length() -> None:
    assert rank(np.zeros((0, 3), dtype=np.float32), np.zeros((4, 3), dtype=np.float32), []) == []
    with pytest.raises(ValueError, match="unit vectors"):
        rank(np.ones((1, 9), dtype=np.float32), np.ones((2, 9), dtype=np.float32), [[0]])
