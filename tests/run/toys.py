"""Toy steps (`toy_kinds/toy.py`) and runs of them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from crosswind.registry import include
from crosswind.run.executors import EXECUTORS
from crosswind.run.loop import run_graph
from crosswind.run.outcome import Outcome
from crosswind.run.progress import Reporter, Silent
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store

KINDS = Path(__file__).resolve().parent / "toy_kinds"


def step(word: str, *inputs: Step, affinity: str = "", cost: float = 1.0, fault: str = "") -> Step:
    params = {"word": word, **({"fault": fault} if fault else {})}
    roles = {f"input-{n}": s.key for n, s in enumerate(inputs)}
    return Step("toy", 1, params, inputs=roles, label=word, affinity=affinity, cost=cost)


def family() -> list[Step]:
    """An encoder, two models on it, three cells a model with the model's affinity."""
    encoder = step("encoder", cost=5)
    models = [step(f"model-{m}", encoder, affinity=f"model-{m}", cost=3) for m in "ab"]
    cells = [step(f"cell-{m.label[-1]}-{lang}", m, affinity=m.label) for m in models for lang in ("de", "sw", "zh")]
    return [encoder, *models, *cells]


def run(
    steps: Sequence[Step],
    folder: Path,
    workers: int = 1,
    reporter: Reporter | None = None,
    executor: str = "local",
) -> Outcome:
    """Run steps in the store `folder/store`; the cells are wanted, or all steps where there are none."""
    include(KINDS)
    graph = Graph(steps, {"include": [str(KINDS)]})
    wanted = [s.key for s in steps if s.label.startswith("cell")] or list(graph)
    return run_graph(
        graph,
        wanted,
        Store(folder / "store"),
        EXECUTORS[executor],
        workers=workers,
        reporter=reporter or Silent(),
        folder=folder / "run",
    )


def texts(steps: Sequence[Step], folder: Path) -> dict[str, bytes]:
    """What the published steps wrote, by label."""
    store = Store(folder / "store")
    return {s.label: (store.path(s.key) / "out.txt").read_bytes() for s in steps if store.has(s.key)}


def computed(trace: Path) -> list[str]:
    """The labels of the computations so far, sorted."""
    return sorted(p.name.split(".")[0] for p in trace.glob("*.computed"))


if __name__ == "__main__":
    sys.exit(0 if run(family(), Path(sys.argv[1]), int(sys.argv[2])).complete else 1)
