"""Training throughput beside Hugging Face's Trainer: non-padding tokens per CPU second, one thread, fp32.

    python benchmarks/training_throughput.py MODEL DATA [--task udpos --task xnli] [--steps N] [--repeats N]

MODEL is a checkpoint folder (or hub id), DATA the folder of official files (udpos/train-en.tsv, and
MNLI's dev sets for xnli). Three arms see the same tokenised rows with the same model, batch size,
learning rate and gradient clipping:

    crosswind        `crosswind.train.loop.train` with its defaults
    trainer          `transformers.Trainer` with its defaults: random batches, padded to the longest row
    trainer-grouped  the same with `train_sampling_strategy="group_by_length"` and fused AdamW

The arms take turns within each repetition, so that a busy machine slows all of them; CPU time is the
process's own. 50 steps are one window of length groups in either loop: with fewer, the Trainer sees
its longest rows only. A run starts from a freshly loaded model; loading and tokenising are not
counted. Ratios are of one repetition's arms; the table has medians, with the smallest and the largest.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch

from common import SETTINGS, Setup, header, one_thread, prepare, train_ours

ARMS = ("crosswind", "trainer", "trainer-grouped")


@dataclass(frozen=True)
class Measured:
    """Non-padding tokens of one training, its CPU seconds, and the share of its time outside the steps."""

    tokens: int
    seconds: float
    outside: float | None = None

    @property
    def rate(self) -> float:
        return self.tokens / self.seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data", type=Path)
    parser.add_argument("--task", action="append", choices=("udpos", "xnli"))
    parser.add_argument("--steps", type=int, default=50, help="of a run")
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    one_thread()
    header()
    for task in given.task or ("udpos", "xnli"):
        arms: dict[str, Callable[[Setup, int, int], Measured]] = {
            "crosswind": _crosswind,
            "trainer": _trainer({}),
            "trainer-grouped": _trainer({"train_sampling_strategy": "group_by_length", "optim": "adamw_torch_fused"}),
        }
        found: dict[str, list[Measured]] = {name: [] for name in ARMS}
        for name in ARMS:  # the first run of each pays for imports
            arms[name](prepare(given.model, given.data, task), 1, 0)
        for repeat in range(given.repeats):
            turn = ARMS if repeat % 2 == 0 else ARMS[::-1]
            for name in turn:
                found[name].append(arms[name](prepare(given.model, given.data, task), given.steps, repeat))
                one = found[name][-1]
                print(f"  {task} {name:16} {one.rate:7,.0f} tokens/s, {one.seconds:.1f} CPU s", file=sys.stderr)
        _show(task, given.steps, found)


def _crosswind(setup: Setup, steps: int, seed: int) -> Measured:
    begin = time.process_time()
    history = train_ours(setup, SETTINGS, steps, seed)
    seconds = time.process_time() - begin
    return Measured(history.tokens, seconds, 1 - history.stepping / history.seconds)


def _trainer(options: dict[str, Any]) -> Callable[[Setup, int, int], Measured]:
    def run(setup: Setup, steps: int, seed: int) -> Measured:
        from datasets import Dataset
        from transformers import (
            DataCollatorForTokenClassification,
            DataCollatorWithPadding,
            PrinterCallback,
            Trainer,
            TrainingArguments,
        )

        kind = setup.head.kind
        make = DataCollatorForTokenClassification if kind == "tagging" else DataCollatorWithPadding
        collate = _Counted(make(setup.encoder.tokenizer))
        rows = Dataset.from_list(_features(setup))
        with tempfile.TemporaryDirectory() as folder:
            arguments = TrainingArguments(
                output_dir=folder,
                per_device_train_batch_size=SETTINGS.batch_size,
                learning_rate=SETTINGS.learning_rate,
                max_steps=steps,
                seed=seed,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                logging_strategy="no",
                dataloader_pin_memory=False,
                **options,
            )
            trainer = Trainer(model=setup.head.module, args=arguments, train_dataset=rows, data_collator=collate)
            trainer.remove_callback(PrinterCallback)
            begin = time.process_time()
            trainer.train()
            seconds = time.process_time() - begin
        return Measured(sum(collate.counts[:steps]), seconds)  # one batch more is fetched ahead

    return run


class _Counted:
    """A collator that notes each batch's non-padding tokens."""

    def __init__(self, collate: Any) -> None:
        self.collate = collate
        self.counts: list[int] = []

    def __call__(self, features: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        self.counts.append(sum(len(f["input_ids"]) for f in features))
        batch: dict[str, torch.Tensor] = self.collate(features)
        return batch


def _features(setup: Setup) -> list[dict[str, Any]]:
    """Our rows as the Trainer's features: the same tokens and the same labels."""
    features = []
    for rows, target in zip(setup.objective.rows_of, setup.objective.targets, strict=True):
        for row in rows:
            feature: dict[str, Any] = {"input_ids": row.ids.tolist(), "attention_mask": [1] * len(row)}
            if setup.head.kind == "tagging":
                labels = [-100] * len(row)
                for position, tag in zip(row.positions, target[row.first :], strict=False):
                    labels[position] = tag
                feature["labels"] = labels
            else:
                feature["labels"] = target
            features.append(feature | {"length": len(row)})
    return features


def _show(task: str, steps: int, found: dict[str, list[Measured]]) -> None:
    print(f"\n{task}: {steps} steps of {SETTINGS.batch_size} examples, {len(found['crosswind'])} repetitions")
    for name, runs in found.items():
        rates = [m.rate for m in runs]
        line = f"  {name:16} {median(rates):7,.0f} tokens/s (of {min(rates):,.0f} to {max(rates):,.0f})"
        line += f", {median(m.seconds for m in runs):.1f} CPU s a run"
        if name != "crosswind":
            ratios = [ours.rate / theirs.rate for ours, theirs in zip(found["crosswind"], runs, strict=True)]
            line += f"; crosswind is {median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})"
        print(line)
    outside = [m.outside for m in found["crosswind"] if m.outside is not None]
    print(f"  crosswind: {100 * median(outside):.2f} % of the time outside forward, backward and optimiser")


if __name__ == "__main__":
    main()
