"""Whether a fine-tuned checkpoint's classes are those of the targets: asked before anything runs. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.model.foreign import checkpoint_json
from crosswind.model.labels import map_classes
from crosswind.model.recorded import CONFIG, class_count, class_names, recorded_facts, refuse_other_orders
from crosswind.study.target_plans import TargetPlan
from crosswind.tasks.base import classes


def check_classes(source: str, revision: str | None, targets: Sequence[TargetPlan]) -> None:
    """Refuse a checkpoint whose classes cannot be read as a target's; one that is not at hand is checked when loaded.

    `source` is a folder or a hub id. Reads its `config.json`, or what Crosswind recorded beside it.
    """
    for target in targets:
        if target.chain or not classes(target.task):
            continue
        named = _names(source, revision)
        if named:
            map_classes(target.task.kind, named, classes(target.task), source=source, given=target.labels)


def _names(source: str, revision: str | None) -> list[str]:
    recorded = recorded_facts(source, revision)
    config = checkpoint_json(source, CONFIG, revision) or {}
    if recorded is not None:
        refuse_other_orders(recorded.labels, config.get("id2label"), config.get("label2id"), source)
        return list(recorded.labels)
    if not config:
        return []
    architectures = config.get("architectures")
    if isinstance(architectures, list) and not any("Classification" in str(name) for name in architectures):
        return []  # It has no head of this sort, which loading says.
    if config.get("id2label") is not None:
        names = class_names(config["id2label"], source)
        refuse_other_orders(names, None, config.get("label2id"), source)
        return names
    # Without names transformers makes them up: two classes, unless it says how many.
    return [f"LABEL_{i}" for i in range(class_count(config, source) or 2)]
