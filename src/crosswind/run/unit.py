"""Running one unit of steps in this process through an entry function."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from crosswind.run.outcome import Failure
from crosswind.run.progress import Reporter
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store


def run_unit(entry: str, steps: Sequence[Step], store: Store, graph: Graph, reporter: Reporter) -> dict[str, Failure]:
    """The failures by key; what the entry itself raises fails every step it has not published."""
    try:
        module, _, name = entry.partition(":")
        function: Any = getattr(importlib.import_module(module), name)
        return dict(function(list(steps), store, graph, reporter))
    except (Exception, SystemExit) as error:
        failure = Failure.of(error)
        return {step.key: failure for step in steps}
