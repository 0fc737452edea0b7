"""Whether a fine-tuned checkpoint's classes are those of the targets: asked before anything runs. Needs no torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from crosswind.model.foreign import checkpoint_file
from crosswind.model.labels import map_classes
from crosswind.study.resolve import TargetPlan
from crosswind.tasks.base import classes

_CONFIG, _OWN = "config.json", "crosswind.json"


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
    recorded = _read(source, _OWN, revision).get("labels")
    if isinstance(recorded, list):
        return [str(name) for name in recorded]
    config = _read(source, _CONFIG, revision)
    names = config.get("id2label")
    if isinstance(names, dict):
        return [str(name) for _, name in sorted(names.items(), key=lambda item: int(item[0]))]
    # Without names transformers makes them up: two classes, unless it says how many.
    return [f"LABEL_{i}" for i in range(int(config.get("num_labels") or 2))] if config else []


def _read(source: str, name: str, revision: str | None) -> dict[str, Any]:
    path = checkpoint_file(source, name, revision)
    if path is None:
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # Loading says what is wrong with it.
    return value if isinstance(value, dict) else {}
