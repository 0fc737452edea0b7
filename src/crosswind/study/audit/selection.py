"""Whether checkpoints were chosen on other data than they are scored on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from crosswind.analysis.claims import only_split
from crosswind.study.audit import AuditedRun, Review, Shown, kept_list, several
from crosswind.study.kept import CHOSEN_ON


def _look(run: AuditedRun) -> Shown:
    rows = run.run.rows
    ways = rows["selection"].unique().sort().to_list()
    splits = rows["split"].unique().sort().to_list()
    text = f"checkpoints: {', '.join(ways)}; scored on {', '.join(splits)}"
    chosen = rows.filter(pl.col("selection") == "english").select("target", "split").unique().sort("target", "split")
    kept = [of for kept in run.kept if isinstance(of := kept.get(CHOSEN_ON), dict)]
    known = kept or [_written(run.study)]
    same = [x for target, split in chosen.iter_rows() if (x := _on_its_own(target, split, known))]
    if same:
        return Shown(False, f"{text}: chosen and scored on one split: {several(same)}")
    text += "; oracle ones are in no contrast" if "oracle" in ways else ""
    return Shown(True, text)


def _on_its_own(target: str, split: str, known: Sequence[Mapping[str, Any]]) -> str:
    """The data of the split that a target is scored on which its checkpoints were chosen on; empty where none were.

    Other rows of one split are no other data for what is chosen by hand. Where nobody wrote down what was chosen on,
    it is taken to be development data, but of a task that is evaluated on nothing else.
    """
    of_target = [of for run in known if isinstance(of := run.get(target), dict)]
    if not of_target:
        return f"{target} on {split}" if split == "dev" and only_split(target, "test") == "test" else ""
    names = sorted({str(name) for of in of_target for name in kept_list(of.get(f"{target}/{split}"))})
    return f"{target} on {split} (chosen on {several(names)})" if names else ""


def _written(study: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """What a study says that the phases of its targets choose on, of a run that kept nothing of it."""
    made: dict[str, dict[str, list[str]]] = {}
    tasks = _mapping(_mapping(study.get("targets")).get("tasks"))
    for target, of in tasks.items():
        for phase in kept_list(_mapping(of).get("train")):
            selects = _mapping(phase).get("select", [])
            for use in selects if isinstance(selects, list) else [selects]:
                name = use if isinstance(use, str) else _mapping(use).get("name")
                split = _mapping(use).get("split") or "train"
                made.setdefault(target, {}).setdefault(f"{name}/{split}", []).append(f"{name}/{split}")
    return made


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


SELECTION = Review("selection", "Were checkpoints chosen on other data than they are scored on?", _look)
