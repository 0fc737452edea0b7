"""How much faster an attack is in lockstep than one example and one query at a time, beside what batching can give.

    python benchmarks/attack_throughput.py MODEL [--data DIR] [--language de] [--recipe deepwordbug] [--examples 64]
                                           [--budget 32] [--device cuda]

MODEL is an encoder; an untrained head for NLI is put on it. Both ways run the same search on the same examples, with
the same candidates and budget, on one thread, in one process:

* **plain**: one example after the other and one text a forward pass, without padding (`model(tokens)`), as if each
  query were sent alone;
* **lockstep**: the engine, all live examples together, canonical shapes of 16 rows.

The **ceiling** is the bare forward pass at batch 1, unpadded, over the one at batch 16 in canonical lengths: what a
batch can bring on this machine. It is taken on the same texts (so many of them, spread over all lengths) in the same
run, once before and once after the plain way, and the two are averaged: a machine that others use changes meanwhile.
Passes that are saved (a text asked again, an example that is finished before its budget) are reported apart: the ratio
is of seconds for each text that went through the model. What is lost between ratio and ceiling is printed by its parts:
rows of passes that are empty, and what is done beside the passes.

With 64 examples and a budget of 32 it takes two to four CPU minutes for an encoder of 6 layers of width 384.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from crosswind.attack.goal import GoalScores
from crosswind.attack.recipe import parse_recipe, unattackable
from crosswind.attack.run import AttackBudget, attack_examples
from crosswind.attack.victim import ModelVictim
from crosswind.data.source import open_source
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predict import Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.model.rows import Padding, encode_pairs, pad
from crosswind.perturb.lexicons import environment_of
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.load import load

WARM = 4  # passes before any are timed


class ClockedHead:
    """A head that keeps how long its passes took, how many rows they had, and how many tokens with padding."""

    def __init__(self, head: Any, device: torch.device) -> None:
        self.head, self.device = head, device
        self.seconds, self.passes, self.rows, self.tokens = 0.0, 0, 0, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.head, name)

    def __call__(self, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        seconds, out = timed(lambda: self.head(inputs), self.device)
        self.seconds += seconds
        self.passes += 1
        self.rows += inputs["input_ids"].shape[0]
        self.tokens += inputs["input_ids"].numel()
        scores: torch.Tensor = out
        return scores


class PlainVictim:
    """One text a forward pass, unpadded, tokenised by the tokenizer alone."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor, self.texts = predictor, 0

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        parts = [self._one(e) for e in examples]
        return GoalScores(*(torch.tensor([p[i] for p in parts], dtype=torch.float64).numpy() for i in (0, 1)))

    def _one(self, example: Any) -> tuple[float, float]:
        self.texts += 1
        predictor = self.predictor
        batch = predictor.encoder.tokenizer(
            example.first,
            example.second,
            truncation="longest_first",
            max_length=predictor.max_length,
            return_tensors="pt",
        )
        with torch.inference_mode():
            logits = predictor.head({k: v.to(predictor.device) for k, v in batch.items()}).double().cpu()[0]
        loss = float(torch.nn.functional.cross_entropy(logits, torch.tensor(example.label)))
        return loss, float(int(logits.argmax()) == example.label)


class Recording:
    """A victim that keeps the texts it was asked about."""

    def __init__(self, victim: Any) -> None:
        self.victim, self.asked = victim, []  # type: ignore[var-annotated]

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        self.asked += examples
        scores: GoalScores = self.victim(examples)
        return scores

    def full(self, examples: Sequence[Any]) -> list[int]:
        """As of the victim itself."""
        chosen: list[int] = self.victim.full(examples)
        return chosen


def timed(run: Callable[[], Any], device: torch.device) -> tuple[float, Any]:
    """Seconds (of the process on a CPU, of the clock on a GPU) and what `run` gives."""
    if device.type == "cuda":
        torch.cuda.synchronize()
        begun = time.perf_counter()
        value = run()
        torch.cuda.synchronize()
        return time.perf_counter() - begun, value
    begun = time.process_time()
    value = run()
    return time.process_time() - begun, value


def bare(predictor: Predictor, texts: Sequence[Any], height: int, length_of: Callable[[int], int]) -> float:
    """Seconds a text of forward passes of `height` rows alone: tokens are ready and nothing is read.

    A few passes warm up first.
    """
    rows = encode_pairs(predictor.encoder.tokenizer, texts, predictor.max_length)
    groups: dict[int, list[Any]] = {}
    for row in rows:
        groups.setdefault(length_of(len(row)), []).append(row)
    padding = Padding.of(predictor.encoder.tokenizer)
    batches = []
    for length, members in sorted(groups.items()):
        for i in range(0, len(members), height):
            part = members[i : i + height]
            batches.append((len(part), pad(part, padding, height=len(part), length=length)))

    def run(some: Sequence[Any]) -> None:
        with torch.inference_mode():
            for _, batch in some:
                predictor.head({k: v.to(predictor.device) for k, v in batch.items()}).float().cpu()

    run(batches[:: max(1, len(batches) // WARM)])
    return timed(lambda: run(batches), predictor.device)[0] / len(rows)


def spread(texts: Sequence[Any], rows: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the texts, in whole passes of one length each, as many of every length as it has."""
    by_length: dict[int, list[Any]] = {}
    for text, row in zip(texts, rows, strict=True):
        by_length.setdefault(-(-len(row) // 16), []).append(text)
    chosen: list[Any] = []
    for members in by_length.values():
        share = max(1, round(len(members) * min(1.0, most / len(texts)) / 16)) * 16
        chosen += members[: min(share, len(members) // 16 * 16)]
    return chosen or [*texts[:16]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, help="official files with XNLI; without: the microworld's NLI")
    parser.add_argument("--language", default=None)
    parser.add_argument("--recipe", default="deepwordbug")
    parser.add_argument("--examples", type=int, default=64)
    parser.add_argument("--budget", type=int, default=32)
    parser.add_argument("--bare", type=int, default=320, help="texts of which the bare passes are timed, twice")
    parser.add_argument("--device", default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(1)
    device = torch.device(given.device)
    task = TASKS["xnli" if given.data else "mw-nli"]
    source = open_source({"source": "files", "root": str(given.data)} if given.data else {"source": "microworld"})
    language = given.language or ("de" if given.data else "qla-Latn")
    encoder = load_encoder(given.model, seed=1)
    head = attach(encoder, "pair", classes(task), seed=1)
    head.module.eval()
    data = load(task, language, "test", source, limit=given.examples)
    call = parse_recipe(given.recipe)
    setting = call.setting(task, language, environment_of(None if given.data else "microworld"))

    def predictor(head: Any = head) -> Predictor:
        return Predictor(encoder, head, max_length=128, device=device, remembered=0)

    # An untrained head is right at random: every example is made right, so that all are attacked.
    first = ModelVictim(predictor(), METRICS["accuracy"])(data.examples)
    examples = [replace(e, label=p["predicted"]) for e, p in zip(data.examples, first.predictions, strict=True)]  # type: ignore[call-arg]

    unattackable(call, setting)  # reads the registries: that is no part of an attack
    clocked = ClockedHead(head, device)
    recording = Recording(ModelVictim(predictor(clocked), METRICS["accuracy"]))
    lockstep, outcomes = timed(
        lambda: attack_examples(recording, examples, call, setting, AttackBudget(given.budget)), device
    )
    rows = encode_pairs(encoder.tokenizer, recording.asked, 128)
    sample = spread(recording.asked, rows, given.bare)
    ones, sixteens = [], []

    def bare_passes() -> None:
        ones.append(bare(predictor(), sample, 1, lambda n: n))
        sixteens.append(bare(predictor(), sample, 16, lambda n: -(-n // 16) * 16))

    bare_passes()
    plainly = ClockedHead(head, device)
    plain_victim = PlainVictim(predictor(plainly))
    plain, again = timed(
        lambda: attack_examples(plain_victim, examples, call, setting, AttackBudget(given.budget, width=1)), device
    )
    queries, passes = sum(o.queries for o in outcomes), sum(o.passes for o in outcomes)
    bare_passes()
    one, sixteen = fmean(ones), fmean(sixteens)
    ratio = (plain / plain_victim.texts) / (lockstep / len(recording.asked))
    ceiling = one / sixteen
    same = sum(a.end == b.end and a.queries == b.queries for a, b in zip(outcomes, again, strict=True))
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU, one thread"
    print(f"{given.recipe} on {task.name} {language}, {len(examples)} examples, budget {given.budget}, {name}")
    texts = len(recording.asked)
    print(f"plain     {1000 * plain / plain_victim.texts:8.2f} ms a text  ({plain_victim.texts} texts, {plain:.1f} s)")
    print(f"lockstep  {1000 * lockstep / texts:8.2f} ms a text  ({texts} texts, {lockstep:.1f} s)")
    print(f"bare      {1000 * one:8.2f} ms at batch 1, {1000 * sixteen:.2f} ms at batch 16")
    drift = [a / b for a, b in zip(ones, sixteens, strict=True)]
    print(f"ratio {ratio:.2f}, ceiling {ceiling:.2f} ({drift[0]:.2f} before, {drift[1]:.2f} after)")
    print(f"ratio / ceiling {100 * ratio / ceiling:.0f} %")
    apart = [1000 * (all_ - head_.seconds) / n for all_, head_, n in (
        (plain, plainly, plain_victim.texts), (lockstep, clocked, texts)
    )]  # fmt: skip
    print(f"rows filled {100 * texts / clocked.rows:.1f} % of {clocked.passes} passes", end=", ")
    print(f"tokens that are no padding {100 * sum(map(len, rows)) / clocked.tokens:.1f} %")
    print(f"beside the passes {apart[0]:.2f} ms a text plain, {apart[1]:.2f} ms in lockstep")
    print(f"a row of lockstep's passes {1000 * clocked.seconds / clocked.rows:.2f} ms, empty ones too", end=", ")
    print(f"of plain ones {1000 * plainly.seconds / plainly.rows:.2f} ms")
    known, spared = passes + len(examples) - texts, len(examples) * given.budget - queries
    print(f"{queries} queries: {queries - passes} were asked again, {known} passes were known from other examples;")
    print(f"{spared} were not needed, as the example was finished before its budget")
    print(f"the same outcome both ways: {same} of {len(outcomes)} (batch 1 rounds otherwise in the last digits)")


if __name__ == "__main__":
    main()
