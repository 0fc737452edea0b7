"""The entry of executors: run the steps of a group. It may be called in any process."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crosswind.run.outcome import Failure, produce_each
from crosswind.run.progress import Reporter
from crosswind.run.step import Graph, Step
from crosswind.run.store import Draft, Store
from crosswind.study.catalogue import include

ENTRY = "crosswind.study.execute:execute"


def execute(steps: Sequence[Step], store: Store, graph: Graph, reporter: Reporter) -> dict[str, Failure]:
    """Produce the group's steps, inputs first; failures by key. One thread a step."""
    import torch

    torch.set_num_threads(1)
    for folder in {f: None for step in steps for f in step.context.get("include", ())}:
        include(Path(folder))
    from crosswind.study.cells import Cells
    from crosswind.study.training import train_step

    cells = Cells(store, graph, [s for s in steps if s.kind in ("embed", "predict")])

    def compute(step: Step, draft: Draft) -> str | None:
        match step.kind:
            case "train":
                return train_step(step, draft, store, reporter)
            case "rewrite":
                return cells.rewrite(step, draft)
            case "embed":
                return cells.embed(step, draft)
            case "predict":
                return cells.predict(step, draft)
            case other:
                raise ValueError(f"no step kind {other!r}")

    return produce_each(steps, store, reporter, compute)
