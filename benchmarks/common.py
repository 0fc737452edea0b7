"""What the throughput benchmarks share: a task with its model, ready to be trained or evaluated."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from crosswind.data.examples import Example, Rows
from crosswind.data.source import open_source
from crosswind.model.encoder import Encoder, load_encoder
from crosswind.model.heads import Head, attach
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.train.loop import History, train
from crosswind.train.objectives import TaskObjective, task_objective
from crosswind.train.settings import Training

# Batches of 32, clipping at 1: the Trainer's rate, XTREME's rest.
SETTINGS = Training(learning_rate=5e-5, max_length=128)
# What is trained on: XTREME's English training set; for NLI the dev rows of MNLI, which are in the official files.
TRAINS_ON = {"udpos": ("udpos", "train", None), "xnli": ("mnli", "dev", "0-15999")}


@dataclass(frozen=True)
class Setup:
    """A freshly loaded encoder with a head, and the objective over the tokenised training data."""

    encoder: Encoder
    head: Head
    objective: TaskObjective


def prepare(model: str, data: Path, task: str) -> Setup:
    name, split, rows = TRAINS_ON[task]
    encoder = load_encoder(model, seed=0)
    head = attach(encoder, TASKS[name].kind, TASKS[name].labels, seed=0)
    tokenised = _tokenised(model, data, name, split, rows)
    return Setup(encoder, head, replace(tokenised, encoder=encoder, head=head))


@lru_cache
def _tokenised(model: str, data: Path, name: str, split: str, rows: str | None) -> TaskObjective:
    encoder = load_encoder(model, seed=0)
    head = attach(encoder, TASKS[name].kind, TASKS[name].labels, seed=0)
    examples = examples_of(data, name, "en", split, rows)
    objective = task_objective(name, encoder, head, examples, max_length=SETTINGS.max_length)
    assert isinstance(objective, TaskObjective)
    return objective


def examples_of(
    data: Path, name: str, language: str, split: str, rows: str | None = None, limit: int | None = None
) -> tuple[Example, ...]:
    source = open_source({"source": "files", "root": str(data)})
    selection = Rows.parse(rows) if rows else None
    return load(TASKS[name], language, split, source, rows=selection, limit=limit).examples


def train_ours(setup: Setup, settings: Training, steps: int, seed: int) -> History:
    frozen: list[Any] = []
    if settings.freeze == "embeddings":
        frozen = list(setup.encoder.backbone.get_input_embeddings().parameters())
    modules = {"encoder": setup.encoder.modules(), "head": setup.head.module}
    device = torch.device("cpu")
    return train(modules, [setup.objective], [1.0], steps, settings, seed=seed, device=device, frozen=frozen)


def one_thread() -> None:
    torch.set_num_threads(1)


def header() -> None:
    import transformers

    load_average = os.getloadavg()[0]
    print(
        f"torch {torch.__version__}, transformers {transformers.__version__}, "
        f"{os.cpu_count()} cores, load {load_average:.1f}"
    )
