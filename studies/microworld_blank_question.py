"""What QA's scores on the microworld are to be compared with: those of a reader who does not know the question.

    python studies/microworld_blank_question.py

Guessing has no score in span QA. So a model is trained as the full study trains it (route `none`), and its 300 test
items are asked twice in every language: as they are, and with the question empty; and one that was trained without
questions is asked the latter. Prints F1 by language, means over the seeds.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import torch

from crosswind.data.examples import SpanExample
from crosswind.data.source import open_source
from crosswind.evaluate.judge import judge
from crosswind.evaluate.predict import Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load
from crosswind.train.loop import train
from crosswind.train.objectives import task_objective
from crosswind.train.settings import Training

TASK, SOURCE = TASKS["mw-qa"], open_source({"source": "microworld"})
SETTINGS = Training(
    learning_rate=1e-3, batch_size=16, batch_by="clusters", warmup=0.1, max_length=160, micro_tokens=2048
)
SEEDS = (1, 2, 3)


def unasked(examples: list[SpanExample]) -> list[SpanExample]:
    return [replace(e, question="") for e in examples]


def reader(seed: int, examples: list[SpanExample]) -> Predictor:
    encoder = load_encoder(place_of("microworld"), seed=seed)
    head = attach(encoder, TASK.kind, TASK.labels, seed=seed)
    objective = task_objective(TASK.name, encoder, head, examples, max_length=SETTINGS.max_length)
    modules = {"encoder": encoder.modules(), "head": head.module}
    steps = len(examples) // SETTINGS.batch_size
    train(modules, [objective], [1.0], steps, SETTINGS, seed=seed, device=torch.device("cpu"))
    return Predictor(encoder, head, max_length=SETTINGS.max_length)


def f1(predictor: Predictor, examples: list[SpanExample]) -> float:
    metric, stats = judge(TASK, examples, predictor.predict(examples))
    return float(metric.score(stats.sum(axis=0)))


def main() -> None:
    torch.set_num_threads(1)
    taught: list[SpanExample] = list(load(TASK, "en", "train", SOURCE, limit=12_000).examples)
    asked = {code: list(load(TASK, code, "test2", SOURCE, limit=300).examples) for code in TASK.languages}
    found = []
    for seed in SEEDS:
        whole, without = reader(seed, taught), reader(seed, unasked(taught))
        found.append([(f1(whole, x), f1(whole, unasked(x)), f1(without, unasked(x))) for x in asked.values()])
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    print("| language | as asked | question empty | trained without questions |\n|---|---|---|---|")
    for code, scores in zip(asked, np.mean(found, axis=0), strict=True):
        print(f"| {code} | " + " | ".join(f"{s:.1f}" for s in scores) + " |")


if __name__ == "__main__":
    main()
