"""Scoring a submission of XTREME-R at full size: CPU seconds and peak memory of one process with one thread.

    python benchmarks/score_scale.py

Writes predictions and labels in the official layout with the official numbers of items (as the tasks declare them) and
texts, tags and rankings of usual lengths, drawn at random; 20 candidates a query, three of four predictions are right.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crosswind.evaluate.benchmarks.xtreme_r import XTREME_R_BENCHMARK
from crosswind.evaluate.score import score_folder
from crosswind.tasks.base import TASKS

WORDS = 20  # of a tagged sentence
UNKNOWN = {"udpos": 2500, "panx": 10_000, "tydiqa": 560}  # items of a language whose size no task declares


def size(task: str, language: str) -> int:
    counts = TASKS[task].counts
    return counts.get((language, "test")) or counts.get((language, "dev")) or UNKNOWN.get(task, 1000)


def lines(labels: tuple[str, ...], count: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(count):
        gold = rng.choice(labels)
        yield gold, gold if rng.random() < 0.75 else rng.choice(labels)


def tags(labels: tuple[str, ...], count: int, rng: random.Random) -> Iterator[tuple[str, str]]:
    for _ in range(count):
        yield from lines(labels, WORDS, rng)
        yield "", ""


def write(folder: Path, task: str, language: str, suffix: str, text: str) -> None:
    path = folder / task / f"test-{language}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def answers(count: int, rng: random.Random) -> tuple[dict[str, Any], dict[str, str]]:
    """SQuAD labels of `count` questions and predictions, five to a paragraph of 120 words."""
    words = [f"word{i}" for i in range(500)]
    paragraphs, predicted = [], {}
    for first in range(0, count, 5):
        context = " ".join(rng.choices(words, k=120))
        questions = []
        for i in range(first, min(first + 5, count)):
            start = context.index(" ", rng.randrange(400)) + 1
            text = " ".join(context[start:].split(" ")[: rng.randint(1, 4)])
            answer = [{"text": text, "answer_start": start}]
            questions.append({"id": f"q{i}", "question": "What is it?", "answers": answer})
            predicted[f"q{i}"] = text if rng.random() < 0.75 else rng.choice(words)
        paragraphs.append({"context": context, "qas": questions})
    return {"version": "1", "data": [{"title": "t", "paragraphs": paragraphs}]}, predicted


def fill(predictions: Path, gold: Path) -> int:
    """Both folders; the number of examples."""
    rng, total = random.Random(1), 0
    for task, entry in XTREME_R_BENCHMARK.tasks.items():
        for language in entry.languages:
            count = size(task, language)
            total += count
            match task:
                case "xnli" | "xcopa" | "udpos" | "panx" | "tatoeba":
                    labels = tuple(entry.labels or TASKS[task].labels) or tuple(map(str, range(count)))
                    make = tags if task in ("udpos", "panx") else lines
                    rows = list(make(labels, count, rng))
                    suffix = entry.suffix or ".tsv"
                    for folder, which in ((gold, 0), (predictions, 1)):
                        column = [row[which] for row in rows]
                        if task == "xcopa":
                            column = [json.dumps({"label": int(x)}) for x in column]
                        write(folder, task, language, suffix, "\n".join(column) + "\n")
                case "xquad" | "mlqa" | "tydiqa":
                    squad, predicted = answers(count, rng)
                    write(gold, task, language, ".json", json.dumps(squad))
                    write(predictions, task, language, ".json", json.dumps(predicted))
                case _:
                    right = {f"q{i}": [f"Q{rng.randrange(10**6)}"] for i in range(count)}
                    ranked = {
                        name: [f"Q{rng.randrange(10**6)}" for _ in range(19)] + wanted for name, wanted in right.items()
                    }
                    write(gold, task, language, ".json", json.dumps(right))
                    write(predictions, task, language, ".json", json.dumps(ranked))
    return total


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        predictions, gold = Path(folder) / "predictions", Path(folder) / "labels"
        total = fill(predictions, gold)
        begun = time.process_time()
        scores = score_folder(predictions, gold, "xtreme-r")
        seconds = time.process_time() - begun
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{total:,} examples of {len(scores.tasks)} tasks in {seconds:.1f} CPU s; peak memory {memory:,.0f} MiB")


if __name__ == "__main__":
    main()
