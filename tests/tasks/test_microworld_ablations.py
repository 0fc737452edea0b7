"""Input ablations: with any one field blank, what a trained model knows of the task is worth nothing.

The shipped encoder is trained on whole English examples of each task. With all fields it must be above
chance; with one field of the test's examples empty it must be at chance, within the 99.9 % interval.
Where labels do not share what is left by construction, it must be at chance when it was trained without
the field, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from scipy.stats import binomtest

from crosswind.data.examples import Rows, SpanExample
from crosswind.data.sources.microworld import MicroworldSource
from crosswind.evaluate.predict import Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.train.loop import train
from crosswind.train.objectives import task_objective
from crosswind.train.settings import Training

# Training examples, and the least that is above chance beyond doubt, in points.
LEARNED = {
    "mw-nli": (4800, 45.0),
    "mw-paraphrase": (3200, 60.0),
    "mw-causes": (4800, 70.0),
    "mw-completion": (3200, 35.0),
    "mw-reading": (2400, 60.0),
}
FIELDS = {
    "mw-nli": ("first", "second"),
    "mw-paraphrase": ("first", "second"),
    "mw-causes": ("context", "question", "choices"),
    "mw-completion": ("context", "choices"),
    "mw-reading": ("context", "choices"),
}
SETTINGS = Training(
    learning_rate=1e-3, batch_size=16, batch_by="clusters", classifier_pooling="mean", warmup=0.1, max_length=128
)


def examples_of(name: str, split: str, limit: int | None = None) -> tuple[Any, ...]:
    rows = None if limit is None else Rows.parse(f"0-{limit - 1}")
    return tuple(load(TASKS[name], "en", split, MicroworldSource(), rows=rows).examples)


@cache
def held_out(name: str) -> tuple[Any, ...]:
    return examples_of(name, "test", 900) + examples_of(name, "test2", 900)


# What is left without these differs from label to label.
ALONE = {
    "mw-nli": "first",
    "mw-paraphrase": "first",
    "mw-causes": "context",
    "mw-completion": "context",
    "mw-reading": "context",
}


@cache
def trained(name: str, without: str = "") -> Predictor:
    task = TASKS[name]
    encoder = load_encoder(place_of("microworld"), seed=1)
    head = attach(encoder, task.kind, task.labels, seed=1, classifier_pooling=SETTINGS.classifier_pooling)
    examples = examples_of(name, "train", LEARNED[name][0])
    if without:
        examples = tuple(blanked(e, without) for e in examples)
    objective = task_objective(name, encoder, head, examples, max_length=SETTINGS.max_length)
    modules = {"encoder": encoder.modules(), "head": head.module}
    steps = len(examples) // SETTINGS.batch_size
    train(modules, [objective], [1.0], steps, SETTINGS, seed=1, device=torch.device("cpu"))
    return Predictor(encoder, head, max_length=SETTINGS.max_length)


def right(name: str, examples: Sequence[Any], without: str = "") -> int:
    records = trained(name, without).predict(list(examples))
    return sum(record["predicted"] == e.label for record, e in zip(records, held_out(name), strict=True))


def blanked(example: Any, field: str) -> Any:
    empty: Any = ("",) * len(example.choices) if field == "choices" else ""
    return replace(example, **{field: empty})


@pytest.mark.slow
@pytest.mark.parametrize("name", FIELDS)
def test_with_all_fields_a_trained_model_is_above_chance(name: str) -> None:
    assert 100 * right(name, held_out(name)) / len(held_out(name)) > LEARNED[name][1]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field"), [(n, f) for n, fields in FIELDS.items() for f in fields])
def test_with_a_field_blank_it_is_at_chance(name: str, field: str) -> None:
    at_chance(name, right(name, [blanked(e, field) for e in held_out(name)]))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "field"), ALONE.items())
def test_trained_without_a_field_it_is_at_chance(name: str, field: str) -> None:
    at_chance(name, right(name, [blanked(e, field) for e in held_out(name)], without=field))


def at_chance(name: str, correct: int) -> None:
    examples = held_out(name)
    classes = len(getattr(examples[0], "choices", ())) or len(TASKS[name].labels)
    interval = binomtest(correct, len(examples)).proportion_ci(0.999)
    assert interval.low <= 1 / classes <= interval.high, f"{correct} of {len(examples)}"


def test_without_a_question_four_questions_of_a_text_cannot_all_be_answered() -> None:
    """Whatever is answered without the question is right for at most one of the four: their answers differ."""
    by_text: dict[str, list[SpanExample]] = {}
    for example in examples_of("mw-qa", "test"):
        by_text.setdefault(example.cluster, []).append(example)
    for questions in by_text.values():
        assert len({q.context for q in questions}) == 1
        answers = [q.context[a.start : a.end] for q in questions for a in q.answers]
        assert len(set(answers)) == len(answers)
