"""Notes on phases that `batch_by: clusters` does nothing for."""

from __future__ import annotations

from crosswind.study.plan import Plan
from crosswind.tasks.refs import DataRef, Library

KINDS = ("pair", "choice", "span")  # sentences to tag stand alone, and retrieval has no clusters


def lone_clusters(plan: Plan, library: Library) -> list[str]:
    """A note for each phase whose examples all stand alone: it is trained as by `batch_by: examples`."""
    found: dict[str, None] = {}
    for step in plan.graph.values():
        if step.kind != "train" or step.params["phase"]["training"]["batch_by"] != "clusters":
            continue
        heads = [head for head in step.params["phase"]["heads"] if head["kind"] in KINDS]
        refs = [DataRef.from_json(value) for head in heads for value in head["data"]]
        if refs and all(_stand_alone(ref, library) for ref in refs):
            names = ", ".join(dict.fromkeys(ref.task for ref in refs))
            found[f"{names}: batch_by: clusters changes nothing, every example is a cluster of its own"] = None
    return list(found)


def _stand_alone(ref: DataRef, library: Library) -> bool:
    examples = library.dataset(ref).examples
    return len({e.cluster for e in examples}) == len(examples)
