"""Ranking against a million candidates, and mining of BUCC's size: time beside the bare product, and peak memory.

    python benchmarks/retrieval_scale.py rank --queries 512 --candidates 1000000 --width 768
    python benchmarks/retrieval_scale.py mine --sources 300000 --targets 30000 --width 768 [--faiss]

Random unit vectors in memory-mapped files. CPU seconds of one process with one thread. The bare product multiplies the
same blocks, in the same type, and does nothing with them; both take turns within one run, block by block.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from crosswind.evaluate import ranking
from crosswind.evaluate.grid import on_grid, require_unit
from crosswind.evaluate.mining import mine
from crosswind.evaluate.nearest import COLUMN_BLOCK, ROW_BLOCK, has_faiss, vector_blocks
from crosswind.evaluate.ranking import CANDIDATE_BLOCK, QUERY_BLOCK, rank


def vectors(path: Path, count: int, width: int, seed: int) -> Any:
    """Random unit vectors with a common part, as those of an encoder have, in a file."""
    rng = np.random.default_rng(seed)
    file = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(count, width))
    common = np.random.default_rng(0).normal(size=width).astype(np.float32)
    for start in range(0, count, 16_384):
        part = rng.standard_normal((min(16_384, count - start), width), dtype=np.float32) + common
        file[start : start + len(part)] = part / np.linalg.norm(part, axis=1, keepdims=True)
    file.flush()
    return np.load(path, mmap_mode="r")


def bare_ranking(queries: Any, candidates: Any) -> float:
    """CPU seconds of the products alone: the blocks on the grid are made outside the clock."""
    asked = [on_grid(queries[i : i + QUERY_BLOCK]) for i in range(0, len(queries), QUERY_BLOCK)]
    spent = 0.0
    for start in range(0, len(candidates), CANDIDATE_BLOCK):
        block = on_grid(candidates[start : start + CANDIDATE_BLOCK])
        begun = time.process_time()
        for rows in asked:
            rows @ block.T
        spent += time.process_time() - begun
    return spent


def bare_mining(sources: Any, targets: Any) -> float:
    """CPU seconds of one pass of float32 products."""
    spent = 0.0
    for _, part in vector_blocks(sources, ROW_BLOCK):
        for start in range(0, len(targets), COLUMN_BLOCK):
            other = np.ascontiguousarray(targets[start : start + COLUMN_BLOCK])
            begun = time.process_time()
            part @ other.T
            spent += time.process_time() - begun
    return spent


def peak() -> str:
    return f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB (mapped files included)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("rank", "mine"))
    parser.add_argument("--queries", type=int, default=512)
    parser.add_argument("--candidates", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=300_000)
    parser.add_argument("--targets", type=int, default=30_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--faiss", action="store_true", help="FAISS makes the products, or runs beside")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.what == "rank":
            queries = vectors(Path(folder) / "q.npy", options.queries, options.width, 1)
            pool = vectors(Path(folder) / "p.npy", options.candidates, options.width, 2)
            print(f"{options.queries:,} queries x {options.candidates:,} candidates x {options.width}; {peak()} before")
            half = options.candidates // 2
            product, ranked = 0.0, 0.0
            for part in (pool[:half], pool[half:]):  # in turns: the machine's speed drifts
                product += bare_ranking(queries, part)
                begun = time.process_time()
                rank(queries, part, [[i % len(part)] for i in range(len(queries))])
                ranked += time.process_time() - begun
            print(f"bare product {product:.1f} s, rank {ranked:.1f} s: {ranked / product:.2f} times; {peak()}")
            if options.faiss and has_faiss():
                print(f"FAISS IndexFlatIP, float32, top {ranking.TOP}: {faiss_seconds(queries, pool):.1f} s")
            return
        x = vectors(Path(folder) / "x.npy", options.sources, options.width, 1)
        y = vectors(Path(folder) / "y.npy", options.targets, options.width, 2)
        require_unit(x[:10])
        print(f"{options.sources:,} x {options.targets:,} x {options.width}; {peak()} before")
        begun = time.process_time()
        pairs = mine(x, y, 4, faiss=options.faiss)
        mined = time.process_time() - begun
        used = peak()
        product = bare_mining(x, y)
        print(f"mined {len(pairs):,} pairs in {mined:.1f} s; one bare pass of products {product:.1f} s: "
              f"{mined / product:.2f} times; {used}")  # fmt: skip


def faiss_seconds(queries: Any, pool: Any) -> float:
    import faiss

    faiss.omp_set_num_threads(1)
    spent = 0.0
    for start in range(0, len(pool), 65_536):
        part = np.ascontiguousarray(pool[start : start + 65_536])
        begun = time.process_time()
        index = faiss.IndexFlatIP(part.shape[1])
        index.add(part)
        index.search(np.ascontiguousarray(queries), ranking.TOP)
        spent += time.process_time() - begun
    return spent


if __name__ == "__main__":
    main()
