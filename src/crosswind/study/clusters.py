"""Notes on training data that `batch_by: clusters` does nothing for."""

from __future__ import annotations

from crosswind.study.plan import Plan
from crosswind.study.refs import DataRef, Library

KINDS = ("pair", "choice", "span")  # sentences to tag stand alone, and retrieval has no clusters


def lone_clusters(plan: Plan, library: Library) -> list[str]:
    """A note for each set whose examples all stand alone: its phase is trained as by `batch_by: examples`."""
    phases = [step.params["phase"] for step in plan.graph.values() if step.kind == "train"]
    refs = dict.fromkeys(
        DataRef.from_json(value)
        for phase in phases
        if phase["training"]["batch_by"] == "clusters"
        for head in phase["heads"]
        if head["kind"] in KINDS
        for value in head["data"]
    )
    notes = []
    for ref in refs:
        examples = library.dataset(ref).examples
        if len({e.cluster for e in examples}) == len(examples):
            notes.append(f"{ref.name}: batch_by: clusters changes nothing, every example is a cluster of its own")
    return notes
