"""What a model has seen of a cell: in its route, and where its target trains beside the source language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crosswind.analysis.results import TASK_EXPOSURES, TaskExposure, exposure
from crosswind.tasks.base import TASKS, Task
from crosswind.tasks.refs import DataRef

if TYPE_CHECKING:
    from crosswind.study.target_plans import PhasePlan


@dataclass(frozen=True)
class Seen:
    """A labelled task that a route trains on, with its languages; `translated`: into them by a machine."""

    task: Task
    languages: tuple[str, ...]
    translated: bool = False


def exposure_of(target: Task, language: str, labelled: Sequence[Seen], unlabelled: Sequence[str]) -> str:
    """`same-task/labelled` and the like: the nearest task seen, and whether with labels in `language`.

    `labelled`: the task itself, or else the nearest one, was trained on in this language; `machine-translated`:
    only as a machine translated it; `unlabelled`: the language was seen some other way (masked LM, another task);
    `unseen`: not in this route. `labelled` holds what the target's own phases train on only where that is in `language`
    and not in the source language.
    """
    in_language = [s for s in labelled if language in s.languages]
    nearest, nearest_here = _nearest(target, labelled), _nearest(target, in_language)
    # Labels of the task in this language are what makes a cell translate-train, even where the
    # same data were seen in another language only.
    if nearest_here in ("same-data", "same-task") or (nearest_here == nearest and nearest_here != "none"):
        machine = all(s.translated for s in in_language if _level(target, s.task) == nearest_here)
        return exposure(nearest_here, "machine-translated" if machine else "labelled")
    return exposure(nearest, "unlabelled" if in_language or language in unlabelled else "unseen")


def _nearest(target: Task, labelled: Sequence[Seen]) -> TaskExposure:
    nothing: TaskExposure = "none"
    return min((_level(target, seen.task) for seen in labelled), key=TASK_EXPOSURES.index, default=nothing)


def _level(target: Task, seen: Task) -> TaskExposure:
    if seen.name == target.name:
        return "same-data"
    if seen.group == target.group:
        return "same-task"
    related = seen.group in target.related or target.group in seen.related
    return "related" if related else "none"


def seen_in(phases: tuple[PhasePlan, ...]) -> tuple[list[Seen], list[str]]:
    """The labelled data that phases train on, and the languages of their raw text."""
    data = [d for p in phases for h in p.heads for d in h.data]
    labelled = [Seen(TASKS[d.task], (d.language,), by_machine(d)) for d in data]
    text = [code for p in phases if p.mlm for _, languages, _ in p.mlm.corpora for code in languages]
    return labelled, text


def by_machine(ref: DataRef) -> bool:
    """Whether a machine translated the data: in this study, or before they were distributed (XNLI's train)."""
    task = TASKS[ref.task]
    return ref.made is not None or (ref.split in task.machine_translated and ref.language != task.source_language)
