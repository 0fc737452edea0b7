"""All pairs of systems with intervals: 10 systems x 3 seeds x 40 languages x 5,000 items, beside the cluster bootstrap.

    python benchmarks/intervals.py [--metric accuracy f1] [--bootstrap] [--summary]

Time is CPU time of one thread, memory what the process's peak rises by above the data. `--bootstrap` also runs what
Crosswind had before (`bootstrap_before.py`: 1,000 replicates, seeds drawn beside them); `--summary` times the whole
analysis of a table of results with these cells: contrasts by language, family and script too.
"""

from __future__ import annotations

import argparse
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, cell_influence, mean_influence
from crosswind.analysis.results import CellStats, ResultRow, table
from crosswind.evaluate.metrics.base import METRICS, Array

SYSTEMS, SEEDS, LANGUAGES, ITEMS = 10, 3, 40, 5000
CODES = (
    "af ar bg bn de el es et eu fa fi fr he hi hu id it ja jv ka kk ko ml mr ms my nl pt ru sw ta te th tl tr ur vi yo"
    " zh qu"
)
METRIC = {"accuracy": "accuracy", "f1": "seqeval-f1"}


def data(name: str) -> Array:
    """Statistics `(systems, seeds, languages, items, k)`, every item a cluster."""
    rng = np.random.default_rng(0)
    shape = (SYSTEMS, SEEDS, LANGUAGES, ITEMS)
    columns = len(METRICS[METRIC[name]].columns)
    out = np.zeros((*shape, columns))
    if name == "accuracy":
        out[..., 0] = rng.random(shape, dtype=np.float32) < 0.6
        out[..., 1] = 1
    else:
        gold = 1 + rng.poisson(1.0, shape).astype(np.int16)
        out[..., 0] = rng.binomial(gold, 0.6)
        out[..., 1] = out[..., 0] + rng.poisson(0.5, shape)
        out[..., 2] = gold
    return out


def pairs(statistics: Array, name: str) -> list[Estimate]:
    """The difference of every pair of systems, the mean over languages, with its interval."""
    score = METRICS[METRIC[name]].function()
    numbers = ClusterNumbers()
    layout, _ = numbers.sums(np.zeros((ITEMS, 1)), tuple(f"x/{i}" for i in range(ITEMS)))
    means = [
        mean_influence(
            [cell_influence(of[:, i, None], score, range(SEEDS), layout, numbers) for i in range(LANGUAGES)], numbers
        )
        for of in statistics
    ]
    return [estimate([(1.0, a), (-1.0, b)], numbers) for a, b in combinations(means, 2)]


def bootstrap_pairs(statistics: Array, name: str) -> list[tuple[float, float]]:
    """The same by the cluster bootstrap with stretched weights of seeds."""
    from bootstrap_before import REPLICATES, ResampledCell, bootstrap, interval

    score = METRICS[METRIC[name]].function()
    ids = np.array([f"x/{i}" for i in range(ITEMS)])
    order = np.argsort(ids)
    cells = [ResampledCell(ids[order], of[order], score) for of in statistics.reshape(-1, ITEMS, statistics.shape[-1])]
    replicates = bootstrap(cells).reshape(SYSTEMS, SEEDS, LANGUAGES, REPLICATES).mean(axis=2)
    rng = np.random.default_rng(1)
    drawn = rng.integers(SEEDS, size=(REPLICATES, SEEDS))
    weights = np.stack([(drawn == i).mean(axis=1) for i in range(SEEDS)])
    means = (replicates * weights).sum(axis=1)
    return [interval(means[a] - means[b]) for a, b in combinations(range(SYSTEMS), 2)]


def whole_summary(statistics: Array, name: str) -> int:
    """The analysis of a table of results with these cells; how many contrasts it makes."""
    from crosswind.analysis.summarise import summarise

    metric = METRICS[METRIC[name]]
    codes = CODES.split()
    items = tuple(f"x/{i}" for i in range(ITEMS))
    rows, cells = [], {}
    for s in range(SYSTEMS):
        for seed in range(SEEDS):
            for i, code in enumerate(codes):
                key = f"{s}-{seed}-{code}"
                cells[key] = CellStats(statistics[s, seed, i], items, metric.name, items)
                rows.append(
                    ResultRow(
                        encoder="e", route=f"r{s}", pipeline_seed=seed, target="t", language=code, split="test",
                        metric=metric.name, key=metric.headline, score=0.0, n=ITEMS, clusters=ITEMS,
                        signature=metric.signature(), cell=key,
                    )
                )  # fmt: skip
    return len(summarise(table(rows), cells.__getitem__).contrasts)


def resident(what: str) -> float:
    """`VmHWM`, the peak, or `VmRSS`, what is resident now, in MiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:")) / 1024


def forget_peak() -> None:
    """Let the peak begin anew from what is resident (proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def main() -> None:
    """Print a line a metric."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--metric", nargs="*", default=["accuracy", "f1"], choices=[*METRIC])
    parser.add_argument("--bootstrap", action="store_true")
    parser.add_argument("--summary", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.metric:
        statistics = data(name)
        ways = [("influence values", pairs)]
        ways += [("cluster bootstrap", bootstrap_pairs)] if arguments.bootstrap else []  # type: ignore[list-item]
        ways += [("whole summary", whole_summary)] if arguments.summary else []  # type: ignore[list-item]
        for label, way in ways:
            forget_peak()
            before, begun = resident("VmRSS"), time.process_time()
            made = way(statistics, name)
            seconds = time.process_time() - begun
            many = made if isinstance(made, int) else len(made)
            above = resident("VmHWM") - before
            print(f"{name}, {label}: {many} comparisons, {seconds:.2f} s, {above:.0f} MiB above the data", flush=True)


if __name__ == "__main__":
    main()
