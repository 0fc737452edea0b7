"""A toy entry function: a step's file holds its word and the files of its inputs.

Each computation leaves a file in the folder TOY_TRACE. A file `LABEL.kill-worker` or
`LABEL.kill-parent` there makes the step of that label do so, once (`LABEL.kill-published`: when the
step is published and nobody knows yet); a pipe `LABEL.hold` holds it
until the pipe is closed.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

from crosswind.errors import UserError
from crosswind.run.executors import local
from crosswind.run.outcome import Failure, Outcome, produce_each
from crosswind.run.progress import Reporter, Silent
from crosswind.run.step import Graph, Step
from crosswind.run.store import Draft, Store


def execute(steps: Sequence[Step], store: Store, graph: Graph, reporter: Reporter) -> dict[str, Failure]:
    if any(step.params.get("fault") == "entry" for step in steps):
        raise RuntimeError("the model does not load")
    trace = Path(os.environ["TOY_TRACE"])

    def compute(step: Step, draft: Draft) -> str:
        (trace / f"{step.label}.{uuid.uuid4().hex}.computed").touch()
        print("a library prints to standard output")
        _fault(step, trace)
        inputs = [(store.path(key) / "out.txt").read_text() for _, key in sorted(step.inputs.items())]
        (draft.path / "out.txt").write_text("".join([*inputs, step.params["word"], "\n"]))
        threads = os.environ.get("OMP_NUM_THREADS", "")
        draft.meta["threads"] = threads
        return f"said {step.params['word']}"

    return produce_each(steps, store, Mortal(reporter, graph, trace), compute)


class Mortal(Silent):
    """Dies, where that is ordered, before it says that a step is published."""

    def __init__(self, reporter: Reporter, graph: Graph, trace: Path) -> None:
        super().__init__()
        self.started = reporter.started  # type: ignore[method-assign]
        self._tell, self._graph, self._trace = reporter.finished, graph, trace

    def finished(self, key: str, note: str = "") -> None:
        _die(self._trace / f"{self._graph[key].label}.kill-published", os.getpid())
        self._tell(key, note)


def step(word: str, *inputs: Step, group: str = "", cost: float = 1.0, fault: str = "") -> Step:
    params = {"word": word, **({"fault": fault} if fault else {})}
    roles = {f"input-{n}": s.key for n, s in enumerate(inputs)}
    return Step("toy", 1, params, inputs=roles, label=word, group=group, cost=cost)


def family() -> list[Step]:
    """An encoder, two models on it, three cells a model in the model's group."""
    encoder = step("encoder", cost=5)
    models = [step(f"model-{m}", encoder, group=f"model-{m}", cost=3) for m in "ab"]
    cells = [step(f"cell-{m.label[-1]}-{lang}", m, group=m.label) for m in models for lang in ("de", "sw", "zh")]
    return [encoder, *models, *cells]


def run(steps: Sequence[Step], folder: Path, workers: int = 1, reporter: Reporter | None = None) -> Outcome:
    """Run steps in the store `folder/store`; the cells are wanted, or all steps where there are none."""
    graph = Graph(steps)
    wanted = [s.key for s in steps if s.label.startswith("cell")] or list(graph)
    return local.run(
        graph,
        wanted,
        Store(folder / "store"),
        "toy_entry:execute",
        workers=workers,
        reporter=reporter or Silent(),
        plan_file=folder / "run" / "plan.json",
    )


def texts(steps: Sequence[Step], folder: Path) -> dict[str, bytes]:
    """What the published steps wrote, by label."""
    store = Store(folder / "store")
    return {s.label: (store.path(s.key) / "out.txt").read_bytes() for s in steps if store.has(s.key)}


def computed(trace: Path) -> list[str]:
    """The labels of the computations so far, sorted."""
    return sorted(p.name.split(".")[0] for p in trace.glob("*.computed"))


def _fault(step: Step, trace: Path) -> None:
    for action, pid in (("kill-worker", os.getpid()), ("kill-parent", os.getppid())):
        _die(trace / f"{step.label}.{action}", pid)
    if (trace / f"{step.label}.interrupt").exists():
        (trace / f"{step.label}.interrupt").unlink()
        os.kill(os.getppid(), signal.SIGINT)
        signal.pause()
    if (trace / f"{step.label}.hold").exists():
        (trace / f"{step.label}.hold").read_text()
    if step.params.get("fault") == "warning":
        logging.getLogger("crosswind.toy").warning("the tokenizer has no offsets")
    if step.params.get("fault") == "orphan":
        if os.fork() == 0:
            with (trace / "orphan").open("w"):
                signal.pause()
        os.kill(os.getpid(), signal.SIGKILL)
    if step.params.get("fault") == "user":
        raise UserError("no such language", where="targets.languages", hint="name another")
    if step.params.get("fault") == "bug":
        raise ZeroDivisionError("division by zero")


def _die(order: Path, pid: int) -> None:
    if order.exists():
        order.unlink()
        os.kill(pid, signal.SIGKILL)
        signal.pause()


if __name__ == "__main__":
    sys.exit(0 if run(family(), Path(sys.argv[1]), int(sys.argv[2])).complete else 1)
