"""What must run."""

from __future__ import annotations

from collections.abc import Collection

from crosswind.run.step import Graph
from crosswind.run.store import Store


def needed(graph: Graph, wanted: Collection[str], store: Store, *, verify: bool = False) -> list[str]:
    """The keys that must run, inputs first: wanted and missing, or missing and needed by one that must run.

    What nobody needs is not computed: with every wanted step there, nothing is, even though the
    weights behind them were dropped. `verify` also computes checksums and removes what is damaged.
    """
    there = store.check if verify else store.has
    missing: set[str] = set()
    seen: set[str] = set()
    pending = [*wanted]
    while pending:
        key = pending.pop()
        if key in seen:
            continue
        seen.add(key)
        if not there(key):
            missing.add(key)
            pending.extend(graph[key].inputs.values())
    return [key for key in graph if key in missing]
