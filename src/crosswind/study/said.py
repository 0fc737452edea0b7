"""What is right of an example and what a model said of it, as text for people."""

from __future__ import annotations

from typing import assert_never

from crosswind.data.examples import ChoiceExample, Example, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.evaluate.predictions import Prediction
from crosswind.tasks.base import Task


def gold_text(task: Task, example: Example) -> str:
    """The label's name, the right choice, the tags, the answers, the ids of the right candidates."""
    match example:
        case PairExample():
            return _label(task, example.label)
        case ChoiceExample():
            return "(no label)" if example.label is None else str(example.choices[example.label])
        case TaggingExample():
            return " ".join(example.tags or ())
        case SpanExample():
            return " / ".join(dict.fromkeys(example.answer_texts)) or "(no answer)"
        case QueryExample():
            return " ".join(example.gold)
        case _:
            assert_never(example)


def _label(task: Task, label: int | None) -> str:
    if label is None:
        return "(no label)"
    return task.labels[label] if task.labels and 0 <= label < len(task.labels) else str(label)


def said_text(task: Task, prediction: Prediction) -> str:
    """The predicted label, tags or text; of a ranking, the best rank of a right candidate."""
    if prediction.get("predicted") is not None:
        return _label(task, prediction["predicted"])
    if prediction.get("tags") is not None:
        return " ".join(prediction["tags"])
    if prediction.get("text") is not None:
        return str(prediction["text"])
    if prediction.get("ranks"):
        return f"rank {min(prediction['ranks'])}"
    return " ".join(map(str, (prediction.get("top") or ())[:1])) or "nothing"
