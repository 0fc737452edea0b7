"""How much faster an attack is in lockstep than one query at a time, and than batches within one example.

    python benchmarks/attack_throughput.py MODEL [--task xnli|xquad --data DIR] [--language de] [--recipe deepwordbug]
                                           [--examples 64] [--budget 32] [--device cuda] [--precision bf16]

MODEL is an encoder; an untrained head is put on it. Tasks are of pairs or of reading (`xnli`, `xquad`, or the
microworld's `mw-nli`, `mw-qa` without `--data`). All ways run the same search on the same examples, with the same
candidates and budget, in one process, on a CPU on one thread:

* **plain**: one example after the other and one text a forward pass, without padding, as if each query were sent alone
  (adversarial-polyglots' way);
* **within**: one example after the other, its candidates in batches of 32, padded to the longest of the batch
  (TextAttack's way and batch size);
* **lockstep**: the engine, all live examples together, in the canonical shapes of `Predictor.height` rows.

The **ceiling** is the bare forward pass at batch 1, unpadded, over the one at batch 16 in canonical lengths: what a
batch can bring on this machine. It is taken on the same rows (so many of them, spread over all lengths) in the same
run, once before and once after the other ways, and the two are averaged: a machine that others use changes meanwhile.
Passes that are saved (a text asked again, an example that is finished before its budget) are reported apart: the ratio
is of seconds for each text that went through the model. What is lost between ratio and ceiling is printed by its parts:
rows of passes that are empty, and what is done beside the passes. Peak memory is that of each way, on a GPU of what
torch had allocated, on a CPU of the process where the system lets it be taken anew.

With 64 examples and a budget of 32 it takes four to eight CPU minutes for an encoder of 6 layers of width 384.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from crosswind.attack.goal import GoalScores, rightness
from crosswind.attack.outcome import Attacked
from crosswind.attack.recipe import needed_spec, parse_recipe, unattackable
from crosswind.attack.run import AttackBudget, attack_examples
from crosswind.attack.victim import ModelVictim
from crosswind.data.examples import PairExample, Span, SpanExample
from crosswind.data.source import open_source
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predict import HEIGHT, Predictor
from crosswind.model.encoder import load_encoder
from crosswind.model.heads import attach
from crosswind.model.rows import Padding, Row, pad
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.needs import DataNeed
from crosswind.study.encoders import place_of
from crosswind.tasks.base import TASKS, classes
from crosswind.tasks.load import load

WARM = 4  # passes before any are timed
WITHIN = 32  # candidates of a batch within one example: the default of TextAttack's goal functions


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


class AsTheyCome:
    """A victim that is asked in batches of so many rows, in order, padded to the longest row of each."""

    def __init__(self, victim: ModelVictim, height: int) -> None:
        self.victim, self.height = victim, height
        self.asked: list[Any] = []

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        """What a search asks at once; a batch of one is tokenised alone too."""
        self.asked += examples
        size = 1 if self.height == 1 else len(examples)
        parts = [examples[i : i + size] for i in range(0, len(examples), size)]
        judged = [verdict for part in parts for verdict in self._judged(part)]
        return GoalScores(*(np.array([v[i] for v in judged], dtype=np.float64) for i in (0, 1)))

    def _judged(self, examples: Sequence[Any]) -> Iterator[tuple[float, float]]:
        predictor = self.victim.predictor
        rows = predictor.rows(examples)
        outputs: list[list[tuple[Row, Any]]] = [[] for _ in examples]
        for row, out in zip(rows, passes(predictor, rows, self.height), strict=True):
            outputs[row.owner].append((row, out[: len(row)] if predictor.head.kind == "span" else out))
        for example, of_example in zip(examples, outputs, strict=True):
            prediction = predictor.read(example, of_example)
            loss = self.victim._loss(example, of_example, prediction)
            yield loss, rightness(self.victim.metric, example, prediction)


class Recording:
    """The engine's victim, which keeps the texts it was asked about."""

    def __init__(self, victim: ModelVictim) -> None:
        self.victim = victim
        self.asked: list[Any] = []

    def __call__(self, examples: Sequence[Any]) -> GoalScores:
        """As of the victim itself."""
        self.asked += examples
        return self.victim(examples)

    def full(self, examples: Sequence[Any]) -> list[int]:
        """As of the victim itself."""
        return self.victim.full(examples)


@dataclass(frozen=True)
class Way:
    """One way to attack: what it took, what it asked the model, how its examples ended."""

    name: str
    seconds: float
    peak: int | None
    asked: Sequence[Any]
    head: ClockedHead
    outcomes: Sequence[Attacked]

    @property
    def each(self) -> float:
        """Milliseconds a text."""
        return 1000 * self.seconds / len(self.asked)

    @property
    def apart(self) -> float:
        """Milliseconds a text of what is done beside the passes."""
        return 1000 * (self.seconds - self.head.seconds) / len(self.asked)


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


def forget_peak(device: torch.device) -> bool:
    """Take peak memory anew from here; whether that could be done."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return True
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_memory(device: torch.device) -> int:
    """Bytes: on a GPU those that torch had allocated, on a CPU those of the process that were resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    peak = next((line.split()[1] for line in lines if line.startswith("VmHWM")), None)
    return 1024 * (int(peak) if peak else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def passes(predictor: Predictor, rows: Sequence[Row], height: int) -> list[Any]:
    """The outputs of rows, so many a pass, in their order, padded to the longest row of a pass."""
    padding, results = Padding.of(predictor.encoder.tokenizer), []
    with torch.inference_mode(), predictor._autocast():
        for i in range(0, len(rows), height):
            batch = pad(rows[i : i + height], padding)
            out = predictor.head({k: v.to(predictor.device) for k, v in batch.items()})
            results += [*out.float().cpu().numpy()]
    return results


def bare(predictor: Predictor, rows: Sequence[Row], height: int, length_of: Callable[[int], int]) -> float:
    """Seconds a row of forward passes of `height` rows alone: tokens are ready and nothing is read.

    A few passes warm up first.
    """
    groups: dict[int, list[Row]] = {}
    for row in rows:
        groups.setdefault(length_of(len(row)), []).append(row)
    padding = Padding.of(predictor.encoder.tokenizer)
    batches = []
    for length, members in sorted(groups.items()):
        for i in range(0, len(members), height):
            part = members[i : i + height]
            batches.append(pad(part, padding, height=len(part), length=length))

    def run(some: Sequence[Any]) -> None:
        with torch.inference_mode(), predictor._autocast():
            for batch in some:
                predictor.head({k: v.to(predictor.device) for k, v in batch.items()}).float().cpu()

    run(batches[:: max(1, len(batches) // WARM)])
    return timed(lambda: run(batches), predictor.device)[0] / len(rows)


def spread(rows: Sequence[Row], most: int) -> list[Row]:
    """At most so many of the rows, in whole passes of one length each, as many of every length as it has."""
    by_length: dict[int, list[Row]] = {}
    for row in rows:
        by_length.setdefault(-(-len(row) // HEIGHT), []).append(row)
    chosen: list[Row] = []
    for members in by_length.values():
        share = max(1, round(len(members) * min(1.0, most / len(rows)) / HEIGHT)) * HEIGHT
        chosen += members[: min(share, len(members) // HEIGHT * HEIGHT)]
    return chosen or [*rows[:HEIGHT]]


def made_right(victim: ModelVictim, examples: Sequence[Any]) -> list[Any]:
    """The examples with what the model says as their gold answers, so that all are attacked; without empty answers."""
    made: list[Any] = []
    for example, said in zip(examples, victim(examples).predictions, strict=True):
        if isinstance(example, PairExample):
            made.append(replace(example, label=said["predicted"]))
        elif isinstance(example, SpanExample) and said["text"]:
            made.append(replace(example, answers=(Span(said["start"], said["end"]),)))
    return made


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--task", help="xnli, xquad, …; default: xnli, without --data mw-nli")
    parser.add_argument("--data", type=Path, help="official files; without: the microworld")
    parser.add_argument("--language", default=None)
    parser.add_argument("--recipe", default="deepwordbug")
    parser.add_argument("--examples", type=int, default=64)
    parser.add_argument("--budget", type=int, default=32)
    parser.add_argument("--bare", type=int, default=320, help="rows of which the bare passes are timed, twice")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", choices=("fp32", "bf16"), help="default: bf16 on a GPU, fp32 on a CPU")
    given = parser.parse_args()
    device = torch.device(given.device)
    if device.type == "cpu":
        torch.set_num_threads(1)
    precision = given.precision or ("bf16" if device.type == "cuda" else "fp32")
    task = TASKS[given.task or ("xnli" if given.data else "mw-nli")]
    if task.kind not in ("pair", "span"):
        parser.error(f"{task.name} is a {task.kind} task; those of pairs and of reading are measured")
    source = open_source({"source": "files", "root": str(given.data)} if given.data else {"source": "microworld"})
    language = given.language or ("de" if given.data else "qla-Latn")
    encoder = load_encoder(place_of(given.model), seed=1)
    head = attach(encoder, task.kind, classes(task), seed=1)
    head.module.eval()
    data = load(task, language, "test", source, limit=given.examples)
    call = parse_recipe(given.recipe)
    setting = call.setting(task, language, environment_of(None if given.data else "microworld"))
    unattackable(call, setting)  # reads the registries: that is no part of an attack

    def victim(head: Any = head) -> ModelVictim:
        return ModelVictim(
            Predictor(encoder, head, device=device, precision=precision, remembered=0), METRICS[task.metric]
        )

    examples = made_right(victim(), data.examples)
    needs = needed_spec(call, setting).needs(setting.scope(call.declaration.attacked(setting)))
    lent = {n: load(task, n.language or language, n.split or "test", source) for n in needs if isinstance(n, DataNeed)}

    def way(name: str, wrapped: Callable[[ModelVictim], Any], width: int) -> Way:
        clocked = ClockedHead(head, device)
        asking = wrapped(victim(clocked))
        fresh = forget_peak(device)
        budget = AttackBudget(given.budget, width=width)
        seconds, outcomes = timed(
            lambda: attack_examples(asking, examples, call, setting, budget, resolved=lent), device
        )
        return Way(name, seconds, peak_memory(device) if fresh else None, asking.asked, clocked, outcomes)

    lockstep = way("lockstep", Recording, AttackBudget(1).width)
    predictor = victim().predictor
    rows = predictor.rows(lockstep.asked)
    sample = spread(rows, given.bare)
    ones, sixteens = [], []

    def bare_passes() -> None:
        ones.append(bare(predictor, sample, 1, lambda n: n))
        sixteens.append(bare(predictor, sample, HEIGHT, lambda n: -(-n // 16) * 16))

    bare_passes()
    within = way("within", lambda one: AsTheyCome(one, WITHIN), 1)
    plain = way("plain", lambda one: AsTheyCome(one, 1), 1)
    bare_passes()
    name = torch.cuda.get_device_name() if device.type == "cuda" else "CPU, one thread"
    print(f"{given.recipe} on {task.name} {language}, {len(examples)} examples, budget {given.budget}")
    print(f"{name}, {precision}, torch {torch.__version__}")
    for one in (plain, within, lockstep):
        peak = "not known" if one.peak is None else f"{one.peak / 2**20:,.0f} MiB"
        print(f"{one.name:9} {one.each:8.2f} ms a text  ({len(one.asked)} texts, {one.seconds:.1f} s, peak {peak})")
    print(f"lockstep is {plain.each / lockstep.each:.2f} times plain, {within.each / lockstep.each:.2f} times within")
    one, sixteen = fmean(ones), fmean(sixteens)
    print(f"bare      {1000 * one:8.2f} ms a row at batch 1, {1000 * sixteen:.2f} ms at batch {HEIGHT}")
    ratio, ceiling = plain.each / lockstep.each, one / sixteen
    drift = [a / b for a, b in zip(ones, sixteens, strict=True)]
    print(f"ratio {ratio:.2f}, ceiling {ceiling:.2f} ({drift[0]:.2f} before, {drift[1]:.2f} after)")
    print(f"ratio / ceiling {100 * ratio / ceiling:.0f} %")
    clocked = lockstep.head
    print(f"rows filled {100 * len(rows) / clocked.rows:.1f} % of {clocked.passes} passes", end=", ")
    print(f"tokens that are no padding {100 * sum(map(len, rows)) / clocked.tokens:.1f} %")
    print(f"beside the passes {plain.apart:.2f} ms a text plain, {lockstep.apart:.2f} ms in lockstep")
    print(f"a row of lockstep's passes {1000 * clocked.seconds / clocked.rows:.2f} ms, empty ones too", end=", ")
    print(f"of plain ones {1000 * plain.head.seconds / plain.head.rows:.2f} ms")
    outcomes = lockstep.outcomes
    queries, unique = sum(o.queries for o in outcomes), sum(o.passes for o in outcomes)
    known, spared = unique + len(examples) - len(lockstep.asked), len(examples) * given.budget - queries
    print(f"{queries} queries: {queries - unique} were asked again, {known} passes were known from other examples;")
    print(f"{spared} were not needed, as the example was finished before its budget")
    for other in (plain, within):
        same = sum(a.end == b.end and a.queries == b.queries for a, b in zip(outcomes, other.outcomes, strict=True))
        print(f"the same outcome as {other.name}: {same} of {len(outcomes)} (other batches round otherwise)")


if __name__ == "__main__":
    main()
