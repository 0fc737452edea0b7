"""Question answering as retrieval of the sentence with the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from crosswind.data.retrieval import squad_to_retrieval
from crosswind.data.source import Content
from crosswind.tasks.base import Task

# XTREME-R's train_lareqa.sh: --max_query_length 96, --max_answer_length 256 (a sentence with its paragraph).
QUERY_LENGTH = 96
ANSWER_LENGTH = 256


def as_retrieval(task: Task) -> Task:
    """The SQuAD-format task as answer retrieval, `NAME-retrieval`, with the same item ids and clusters."""
    hub = task.hub
    return replace(
        task,
        name=f"{task.name}-retrieval",
        kind="query",
        summary=f"{task.summary}, as retrieval of the sentence with the answer",
        group="answer-retrieval",
        related=("qa", "sentence-retrieval"),
        files=replace(task.files, read=partial(_retrieval, task.files.read), write=None),
        hub=replace(hub, convert=partial(_retrieval, hub.convert), rows=None) if hub else None,
        metrics=("map@20",),
        perturbed=("query",),
        trains_on=f"{task.trains_on}-retrieval" if task.trains_on else None,
        max_length=ANSWER_LENGTH,
        query_length=QUERY_LENGTH,
    )


def _retrieval(read: Callable[[Any, str, str], Content], given: Any, language: str, split: str) -> Content:
    return squad_to_retrieval(read(given, language, split))
