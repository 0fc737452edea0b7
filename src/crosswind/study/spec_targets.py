"""The study file's targets: where they are tested, and what they are trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from crosswind.study.spec_data import Languages, Use
from crosswind.study.spec_training import LayerChoice, Phase, PoolingSpec, TrainingSpec
from crosswind.study.strict import StrictModel, listed, row_range


def _class_name(value: object) -> object:
    """YAML reads `labels: [no, yes]` and `[0, 1]` as what they are not."""
    if isinstance(value, bool):
        raise ValueError("a class's name is a text: put it in quotes")
    return str(value) if isinstance(value, int) else value


ClassName = Annotated[str, BeforeValidator(_class_name)]


class Target(StrictModel):
    """A target task: where it is tested, and what its English phase is trained on.

    `train: []` evaluates the route's encoder untuned (Tatoeba); without `train` it is one epoch on the task's English
    training data. `metrics` judge it instead of the task's own, the first in summaries. `oracle` names target-language
    development data to select on as well, reported apart; `choose_layer` names development data to choose a retrieval
    task's layer on, reported apart likewise. `average` also evaluates the mean of the weights of the last so many
    checkpoints (`training.evaluate_every`) of the last phase, reported apart. `contexts` are languages that the
    passages of a question may be in (MLQA; default: its own, for mlqa-gxlt all others). `labels` name the classes of a
    fine-tuned checkpoint in the order of its outputs, where its own configuration does not. `exclude` names a file of
    ids that do not count: the scores without them stand beside those of all items.
    """

    languages: Languages = None
    split: str | None = None
    rows: Annotated[str | None, BeforeValidator(row_range)] = None
    limit: int | None = Field(None, ge=1)
    train: Annotated[list[Phase] | None, BeforeValidator(listed)] = None
    oracle: Use | None = None
    average: int | None = Field(None, ge=2)
    metrics: Annotated[list[str], BeforeValidator(listed)] | None = Field(None, min_length=1)
    training: TrainingSpec = TrainingSpec()
    pooling: PoolingSpec | None = None
    choose_layer: LayerChoice | None = None
    contexts: Annotated[list[str], BeforeValidator(listed)] | None = Field(None, min_length=1)
    labels: Annotated[list[ClassName] | None, BeforeValidator(listed)] = Field(None, min_length=1)
    exclude: Path | None = None


class Targets(StrictModel):
    """What is evaluated: a preset, languages and tasks, each overriding what stands before it."""

    preset: str | None = None
    languages: Languages = None
    limit: int | None = Field(None, ge=1)
    tasks: dict[str, Target | None] | None = None
