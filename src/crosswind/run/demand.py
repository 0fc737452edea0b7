"""What must run, and what runs together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

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


def units(graph: Graph, keys: Collection[str]) -> list[list[str]]:
    """Partition the keys into what one worker runs at once: a group, or a step without a group.

    Units need each other in no cycle. Groups that do (A1 → B → A2) are cut where a path enters
    another group: a step's level counts the changes of group before it.
    """
    groups = {key: graph[key].group or f"\0{key}" for key in keys}
    edges: dict[str, set[str]] = {group: set() for group in groups.values()}
    for key, group in groups.items():
        edges[group] |= {groups[i] for i in graph[key].inputs.values() if i in groups} - {group}
    tangled = _peel(_reverse(_peel(edges)))
    levels: dict[str, int] = {}
    found: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for key in (k for k in graph if k in groups):
        group = groups[key]
        before = [i for i in graph[key].inputs.values() if i in groups and groups[i] in tangled]
        levels[key] = max((levels[i] + (groups[i] != group) for i in before), default=0) if group in tangled else 0
        found[group, levels[key]].append(key)
    return [*found.values()]


def _peel(edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The nodes left after those without edges are removed again and again: on a cycle, or before one."""
    left = {node: set(to) for node, to in edges.items()}
    back = _reverse(left)
    free = [node for node, to in left.items() if not to]
    while free:
        node = free.pop()
        del left[node]
        for other in back[node]:
            left[other].discard(node)
            if not left[other]:
                free.append(other)
    return left


def _reverse(edges: Mapping[str, set[str]]) -> dict[str, set[str]]:
    back: dict[str, set[str]] = {node: set() for node in edges}
    for node, to in edges.items():
        for other in to:
            back[other].add(node)
    return back
