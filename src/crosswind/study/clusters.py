"""Notes on phases that `batch_by: clusters` does nothing for."""

from __future__ import annotations

from crosswind.data.examples import Kind
from crosswind.study.planned import Plan
from crosswind.tasks.refs import DataRef, Library

# Sentences to tag stand alone, and retrieval has no clusters.
CLUSTERED: tuple[Kind, ...] = ("pair", "choice", "span")


def lone_clusters(plan: Plan, library: Library) -> list[str]:
    """A note for each phase whose examples all stand alone: it is trained as by `batch_by: examples`."""
    notes: dict[str, None] = {}
    for params in plan.trained():
        if params.training.batch_by != "clusters":
            continue
        refs = [ref for head in params.heads if head.kind in CLUSTERED for ref in head.data]
        if refs and all(ref.made is None and _stand_alone(ref, library) for ref in refs):
            names = ", ".join(dict.fromkeys(ref.task for ref in refs))
            notes[f"{names}: batch_by: clusters changes nothing, every example is a cluster of its own"] = None
    return list(notes)


def _stand_alone(ref: DataRef, library: Library) -> bool:
    examples = library.dataset(ref).examples
    return len({e.cluster for e in examples}) == len(examples)
