"""Input ablations: with any one field blank, what the shipped encoder learns in training is worth nothing in the test.

A model is trained and tested on examples of which one field is empty. Were a label to leak into the others, it
would learn it: it must be at chance, within the 99.9 % interval of its test items. With all fields it must not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from scipy.stats import binomtest

from crosswind.data.examples import ChoiceExample, SpanExample
from crosswind.data.microworld.generated import MicroworldSource
from crosswind.evaluate.predict import Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.study.encoders import SHIPPED, place_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.train.loop import train
from crosswind.train.objectives import task_objective
from crosswind.train.settings import Training

pytestmark = pytest.mark.skipif(not SHIPPED["microworld"].is_dir(), reason="the microworld's encoder is not there yet")

# With all fields, the least that is above chance beyond doubt, in points.
LEARNED = {"mw-nli": 45.0, "mw-paraphrase": 60.0, "mw-causes": 75.0, "mw-completion": 40.0, "mw-reading": 45.0}
FIELDS = {
    "mw-nli": ("first", "second"),
    "mw-paraphrase": ("first", "second"),
    "mw-causes": ("context", "question", "choices"),
    "mw-completion": ("context", "choices"),
    "mw-reading": ("context", "question", "choices"),
}
TRAIN = 1800
SETTINGS = Training(learning_rate=1e-3, batch_size=16, warmup=0.1, max_length=128)


@cache
def examples_of(name: str, split: str) -> tuple[Any, ...]:
    limit = TRAIN if split == "train" else 600
    return tuple(load(TASKS[name], "en", split, MicroworldSource(), limit=limit).examples)


def blanked(example: Any, field: str | None) -> Any:
    if field is None:
        return example
    if field == "choices":
        return replace(example, choices=("",) * len(example.choices))
    return replace(example, **{field: ""})


def right(name: str, field: str | None) -> tuple[int, int]:
    """How many of the test's examples are right after training on `TRAIN` others."""
    task = TASKS[name]
    encoder = load_encoder(place_of("microworld"), seed=1)
    head = attach(encoder, task.kind, task.labels, seed=1)
    learned = [blanked(e, field) for e in examples_of(name, "train")]
    objective = task_objective(name, encoder, head, learned, max_length=SETTINGS.max_length)
    modules = {"encoder": encoder.modules(), "head": head.module}
    steps = len(learned) // SETTINGS.batch_size
    train(modules, [objective], [1.0], steps, SETTINGS, seed=1, device=torch.device("cpu"))
    tested = [blanked(e, field) for split in ("test", "test2") for e in examples_of(name, split)]
    records = Predictor(encoder, head, max_length=SETTINGS.max_length).predict(tested)
    return sum(record["predicted"] == e.label for record, e in zip(records, tested, strict=True)), len(tested)


def chance_of(name: str, examples: Sequence[Any]) -> float:
    first = examples[0]
    return 1 / (len(first.choices) if isinstance(first, ChoiceExample) else len(TASKS[name].labels))


@pytest.mark.parametrize(("name", "field"), [(n, f) for n, fields in FIELDS.items() for f in fields])
def test_without_a_field_a_trained_model_is_at_chance(name: str, field: str) -> None:
    correct, of = right(name, field)
    interval = binomtest(correct, of).proportion_ci(0.999)
    assert interval.low <= chance_of(name, examples_of(name, "test")) <= interval.high


@pytest.mark.parametrize("name", FIELDS)
def test_with_all_fields_it_is_not(name: str) -> None:
    correct, of = right(name, None)
    assert 100 * correct / of > LEARNED[name]


def test_without_a_question_four_questions_of_a_text_cannot_all_be_answered() -> None:
    """Whatever is answered without the question is right for at most one of the four: their answers differ."""
    by_text: dict[str, list[SpanExample]] = {}
    for example in examples_of("mw-qa", "test"):
        by_text.setdefault(example.cluster, []).append(example)
    for questions in by_text.values():
        assert len({q.context for q in questions}) == 1
        answers = [q.context[a.start : a.end] for q in questions for a in q.answers]
        assert len(set(answers)) == len(answers)
