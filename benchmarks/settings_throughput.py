"""What precision, frozen embeddings and dropout cost or save on a CPU, evaluation, and start-up.

    python benchmarks/settings_throughput.py MODEL DATA [--task udpos --task xnli] [--steps N] [--repeats N]
    python benchmarks/settings_throughput.py --attention

MODEL is a checkpoint folder (or hub id), DATA the folder of official files (udpos/train-en.tsv and
test-en.tsv, MNLI's dev sets and xnli/test-en.tsv). Figures are non-padding tokens per CPU second on one
thread, medians over repetitions in which all variants take turns; ratios are to the first variant of
the same repetition. Training runs `crosswind.train.loop.train`; evaluation runs
`crosswind.evaluate.predict.Predictor` with a head that was just attached (its speed does not depend on
its weights), tokenising included. Start-up is `crosswind --help`, CPU time of the whole process. Attention
alone is measured in bf16 on 32 rows of 26 tokens, 12 heads of width 32, forward and backward, for the rule of
`crosswind.model.attention`; `--attention` measures nothing else, and needs neither MODEL nor DATA.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from common import SETTINGS, examples_of, header, one_thread, prepare, train_ours
from crosswind.evaluate.predict import Predictor
from crosswind.model.device import has_bf16
from crosswind.model.rows import encode_pairs, encode_tagging

VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "fp32": {},
    "bf16": {"precision": "bf16"},
    "fp32, dropout 0": {"dropout": 0.0},
    "fp32, frozen embeddings": {"freeze": "embeddings"},
    "bf16, frozen embeddings": {"precision": "bf16", "freeze": "embeddings"},
    "bf16, frozen, dropout 0": {"precision": "bf16", "freeze": "embeddings", "dropout": 0.0},
}
EVALUATED = {"udpos": ("udpos", encode_tagging), "xnli": ("xnli", encode_pairs)}
Run = Callable[[int], float]  # repetition -> tokens a CPU second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--attention", action="store_true", help="measure the attention kernels alone")
    parser.add_argument("--task", action="append", choices=("udpos", "xnli"))
    parser.add_argument("--steps", type=int, default=12, help="optimiser steps of a training run")
    parser.add_argument("--examples", type=int, default=480, help="of an evaluation")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    one_thread()
    header()
    _attention()
    if given.attention:
        return
    if given.model is None or given.data is None:
        parser.error("name MODEL and DATA, or --attention")
    for task in given.task or ("udpos", "xnli"):
        training = {name: _training(given.model, given.data, task, v, given.steps) for name, v in VARIANTS.items()}
        _show(f"{task}, training, {given.steps} steps of {SETTINGS.batch_size}", training, given.repeats)
        evaluation = {p: _evaluation(given.model, given.data, task, p, given.examples) for p in ("fp32", "bf16")}
        _show(f"{task}, evaluation of {given.examples} examples", evaluation, given.repeats)
    seconds = [_help() for _ in range(5)]
    print(f"\ncrosswind --help: {median(seconds):.2f} CPU s (of {min(seconds):.2f} to {max(seconds):.2f})")


def _attention(runs: int = 20) -> None:
    """Milliseconds of attention in bf16, forward and backward: what PyTorch chooses, and the math kernel."""
    hardware = "bf16 in hardware" if has_bf16(torch.device("cpu")) else "no bf16 in hardware: emulated"
    print(f"\nattention in bf16, 32 rows of 26 tokens, 12 heads of width 32 ({hardware})")
    mask = torch.ones(32, 1, 26, 26, dtype=torch.bool)
    chosen = [SDPBackend.FLASH_ATTENTION, SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH]
    for dropout in (0.0, 0.1):
        for name, backends in (("PyTorch's choice", chosen), ("math", [SDPBackend.MATH])):
            forward: list[float] = []
            backward: list[float] = []
            torch.manual_seed(1)
            q, k, v = (torch.randn(32, 12, 26, 32, dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
            for _ in range(runs):
                with sdpa_kernel(backends):
                    begin = time.process_time()
                    out = scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout)
                    middle = time.process_time()
                    out.sum().backward()
                forward.append(1000 * (middle - begin))
                backward.append(1000 * (time.process_time() - middle))
            line = f"forward {median(forward):5.1f} ms, backward {median(backward):5.1f} ms"
            print(f"  dropout {dropout}, {name:16} {line}")


def _training(model: str, data: Path, task: str, variant: Mapping[str, Any], steps: int) -> Run:
    def run(repeat: int) -> float:
        setup = prepare(model, data, task)
        begin = time.process_time()
        # The same batches for every variant of a repetition.
        history = train_ours(setup, replace(SETTINGS, **variant), steps, repeat)
        return history.tokens / (time.process_time() - begin)

    return run


def _evaluation(model: str, data: Path, task: str, precision: str, n: int) -> Run:
    name, encode = EVALUATED[task]
    examples = examples_of(data, name, "en", "test", limit=n)

    def run(repeat: int) -> float:
        setup = prepare(model, data, task)
        rows = encode(setup.encoder.tokenizer, examples, SETTINGS.max_length)  # type: ignore[operator]
        predictor = Predictor(setup.encoder, setup.head, max_length=SETTINGS.max_length, precision=precision)
        begin = time.process_time()
        predictor.predict(examples)
        return float(sum(len(r) for r in rows) / (time.process_time() - begin))

    return run


def _show(title: str, runs: Mapping[str, Run], repeats: int) -> None:
    next(iter(runs.values()))(0)  # the first run pays for imports and warms the caches
    found: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in range(repeats):
        names = list(runs)[:: 1 if repeat % 2 == 0 else -1]
        for name in names:
            found[name].append(runs[name](repeat))
    print(f"\n{title}, {repeats} repetitions")
    base = next(iter(found.values()))
    for name, rates in found.items():
        ratios = [rate / first for rate, first in zip(rates, base, strict=True)]
        print(
            f"  {name:24} {median(rates):7,.0f} tokens/s (of {min(rates):,.0f} to {max(rates):,.0f}), "
            f"{median(ratios):.2f} times the first"
        )


def _help() -> float:
    """CPU seconds of `crosswind --help`, user and system."""
    command = [sys.executable, "-c", "from crosswind.cli import main; main()", "--help"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


if __name__ == "__main__":
    main()
