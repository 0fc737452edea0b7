"""The one training loop, for every phase and kind.

A step is a function of (weights, optimiser state, step number): batches and masks are drawn from
(seed, step), dropout from (seed, step, number of the micro-batch). So a run that was killed and resumed
from a checkpoint continues bit for bit.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from crosswind.errors import UserError
from crosswind.model.attention import training_attention
from crosswind.model.memory import names_memory
from crosswind.train.batching import BatchStream, micro_batches
from crosswind.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from crosswind.train.micro import MicroBatch, plain_backward
from crosswind.train.mixing import schedule
from crosswind.train.moving import MovingAverage
from crosswind.train.objective import Batch, Objective, Visit
from crosswind.train.robust import ROBUST
from crosswind.train.settings import Training

SelectionScore = Callable[[], float]
"""Judges the present weights: higher is better."""
Advance = Callable[[int, int, str], None]  # (steps done, of, note)


@dataclass
class History:
    """What happened: the steps done, the mean loss per term between evaluations, every selection
    score, the step whose weights were kept. `averaged` are the steps whose weights `average` is the mean of, by
    parameter, where that is asked for. `tokens` (non-padding), `seconds` and `stepping` (seconds inside
    forward, backward and optimiser) are measurements of this process and not part of the result.
    """

    steps: int = 0
    losses: list[tuple[int, float]] = field(default_factory=list)
    scores: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0
    averaged: list[int] = field(default_factory=list)
    average: Mapping[str, torch.Tensor] = field(default_factory=dict)
    tokens: int = 0
    seconds: float = 0.0
    stepping: float = 0.0

    def result(self) -> dict[str, Any]:
        """What the manifest says of the training."""
        facts = {"steps": self.steps, "losses": self.losses, "scores": self.scores, "best_step": self.best_step}
        return facts | ({"averaged": self.averaged} if self.averaged else {})


def train(
    modules: Mapping[str, nn.Module],
    sources: Sequence[Objective],
    shares: Sequence[float],
    steps: int,
    settings: Training,
    *,
    seed: int,
    device: torch.device | None = None,
    frozen: Sequence[nn.Parameter] = (),
    robust: tuple[str, Mapping[str, float]] | None = None,
    score: SelectionScore | None = None,
    average: int = 0,
    folder: Path | None = None,
    interval: float = 120.0,
    advance: Advance | None = None,
) -> History:
    """Train `modules` (encoder, heads; shared parameters count once) for `steps` optimiser steps.

    `sources` are trained in the `shares` given (of steps), each step by the method `robust` (name, settings) where
    one is named. `score` judges the present weights: the
    best are kept, and `settings.patience` evaluations without a gain end the training. `average` keeps a copy of the
    trained weights of the last so many checkpoints (`settings.evaluate_every`), for their mean. With `folder`
    a checkpoint is written every `interval` seconds (less often where writing takes more than a tenth
    of the time; 0: after every step), and found again.
    """
    run = _Run(modules, sources, shares, steps, settings, seed, device, frozen, robust, score, average)
    if folder is not None:
        run.resume(folder)
    clock = last_saved = time.monotonic()
    pause = interval
    twentieth = max(steps // 20, 1)
    while run.step < steps and not run.stopped:
        loss = run.advance_one()
        if run.due():
            run.evaluate()
        elif settings.evaluate_every is None and run.step % twentieth == 0:
            run.note_loss()
        if folder is not None and (begun := time.monotonic()) - last_saved > pause:
            save_checkpoint(folder, run.checkpoint())
            last_saved = time.monotonic()
            pause = max(interval, 10 * (last_saved - begun)) if interval else 0.0
        if advance is not None and time.monotonic() - clock > 0.5:
            clock = time.monotonic()
            advance(run.step, steps, f"loss {loss:.3f}" + run.best_note())
    run.finish()
    return run.history


class _Run:
    """The state of one training: where it is, and the best weights so far."""

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        sources: Sequence[Objective],
        shares: Sequence[float],
        steps: int,
        settings: Training,
        seed: int,
        device: torch.device | None,
        frozen: Sequence[nn.Parameter],
        robust: tuple[str, Mapping[str, float]] | None,
        score: SelectionScore | None,
        average: int,
    ) -> None:
        self.sources, self.steps, self.settings, self.seed, self.score = sources, steps, settings, seed, score
        self.device = device or torch.device("cpu")
        self.model = nn.ModuleDict(dict(modules)).to(self.device)
        if settings.dropout is not None:
            set_dropout(self.model, settings.dropout)
        self.frozen = list(frozen)
        self.robust = robust
        self.plan = schedule(shares, steps, seed)
        # The n-th step of a source is its batch n, however the sources alternate.
        self.turn = np.zeros(steps, dtype=np.int64)
        for i in range(len(sources)):
            mine = self.plan == i
            self.turn[mine] = np.arange(mine.sum())
        together = settings.batch_by == "clusters"
        self.streams = [
            BatchStream(s.lengths, settings.batch_size, seed + 7919 * i, s.clusters if together else None)
            for i, s in enumerate(sources)
        ]
        for p in self.frozen:
            p.requires_grad_(False)
        self.parameters = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        self.optimizer = _optimizer(self.parameters, settings, self.device)
        self.moving = None if self._momentum(0) is None else MovingAverage(self.parameters)
        self.step = 0
        self.stopped = False
        self.history = History(steps=steps)
        self.best: dict[str, torch.Tensor] | None = None
        self.last: deque[tuple[int, dict[str, torch.Tensor]]] = deque(maxlen=average)
        self.loss_sum, self.loss_steps = 0.0, 0
        self.started = time.monotonic()

    def advance_one(self) -> float:
        """One optimiser step; returns the batch's mean loss per term."""
        source = self.sources[int(self.plan[self.step])]
        stream = self.streams[int(self.plan[self.step])]
        indices, epochs = stream.visits(int(self.turn[self.step]))
        visits = [Visit(int(i), int(e)) for i, e in zip(indices, epochs, strict=True)]
        parts = self._cut(source, visits)
        total = max(sum(source.terms(*visit) for visit in visits), 1)
        rate = self.settings.rate(self.step, self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        begin = time.perf_counter()
        value = torch.zeros((), device=self.device)
        for number, part in enumerate(parts):
            with self._memory(source, part):
                batches = tuple(b.to(self.device) for b in source.batch(part, self.step))
                seed = dropout_seed(self.seed, self.step, number)
                value += self._backward(self._micro(source, batches, total, seed))
        self._require_finite(value, "loss", source)
        # A bound of infinity changes nothing and measures all the same.
        norm = torch.nn.utils.clip_grad_norm_(list(self.parameters.values()), self.settings.clip or math.inf)
        self._require_finite(norm, "gradient", source)
        count = sum(p.numel() for p in self.parameters.values())
        hint = "freeze: embeddings keeps no state for them; or choose a smaller encoder or a larger machine"
        with names_memory(f"AdamW's update of {count:,} parameters", where="training.freeze", hint=hint):
            self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        momentum = self._momentum(self.step)
        if self.moving is not None and momentum is not None:
            self.moving.update(momentum)
        self.history.stepping += time.perf_counter() - begin
        self.history.tokens += sum(len(r) for visit in visits for r in source.rows(*visit))
        self.step += 1
        mean = float(value)
        self.loss_sum += mean
        self.loss_steps += 1
        return mean

    def _require_finite(self, value: torch.Tensor, what: str, source: Objective) -> None:
        """Stop before the optimiser spreads what is not a number over every weight."""
        if not bool(value.isfinite()):
            raise UserError(
                f"the {what} of step {self.step + 1} of {self.steps} ({source.name}) is {float(value)}",
                where="training",
                hint=f"lower learning_rate (now {self.settings.learning_rate:g}), raise warmup, or check the "
                "checkpoint's weights",
            )

    def _cut(self, source: Objective, visits: list[Visit]) -> list[list[Visit]]:
        """The micro-batches of a batch: a function of its rows and of `micro_tokens`."""
        if source.whole_batch:
            return [visits]
        rows = [source.rows(*visit) for visit in visits]
        lengths = [max(len(r) for r in of_example) for of_example in rows]
        parts = micro_batches(lengths, [len(r) for r in rows], self.settings.micro_tokens)
        return [[visits[i] for i in part] for part in parts]

    def _micro(self, source: Objective, batches: tuple[Batch, ...], total: int, seed: int) -> MicroBatch:
        at_average = None if self.moving is None else self.moving.exchanged
        return MicroBatch(source, batches, total, seed, self._forward_context, at_average)

    def _momentum(self, step: int) -> float | None:
        """That of the moving average of the weights after a step, where robust training keeps one."""
        if self.robust is None:
            return None
        name, settings = self.robust
        return ROBUST[name].momentum(settings, step, self.steps)

    def _backward(self, part: MicroBatch) -> torch.Tensor:
        if self.robust is None:
            return plain_backward(part)
        name, settings = self.robust
        return ROBUST[name].backward(part, settings)

    @contextlib.contextmanager
    def _forward_context(self) -> Iterator[None]:
        """What a forward pass runs in: autocast, and the attention kernel."""
        bf16 = self.settings.precision == "bf16"
        with (
            torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=bf16),
            training_attention(self.device, self.settings.precision),
        ):
            yield

    def _memory(self, source: Objective, part: Sequence[Visit]) -> contextlib.AbstractContextManager[None]:
        """Names the micro-batch on which memory ran out; nothing is cut smaller by itself, as that changes results."""
        rows = [r for visit in part for r in source.rows(*visit)]
        what = f"{len(rows)} rows of up to {max(len(r) for r in rows)} tokens in step {self.step + 1} of {source.name}"
        lower = "batch_size" if source.whole_batch else "micro_tokens"
        now = self.settings.batch_size if source.whole_batch else self.settings.micro_tokens
        hint = f"lower {lower} (now {now}) or max_length (now {self.settings.length(())}), or take a larger machine"
        return names_memory(what, where=f"training.{lower}", hint=hint)

    def due(self) -> bool:
        every = self.settings.evaluate_every
        return self.step == self.steps or bool(every and self.step % every == 0)

    def note_loss(self) -> None:
        self.history.losses.append((self.step, self.loss_sum / max(self.loss_steps, 1)))
        self.loss_sum, self.loss_steps = 0.0, 0

    def evaluate(self) -> None:
        self.note_loss()
        if self.last.maxlen:
            self.last.append((self.step, self._copy()))
        if self.score is None:
            return
        self.model.eval()
        with torch.inference_mode():
            value = float(self.score())
        earlier = [s for _, s in self.history.scores]
        self.history.scores.append((self.step, value))
        if not earlier or value > max(earlier):
            self.history.best_step = self.step
            self.best = self._copy()
        best_at = [s for s, _ in self.history.scores].index(self.history.best_step)
        patience = self.settings.patience
        if patience is not None and len(self.history.scores) - 1 - best_at >= patience:
            self.stopped = True

    def _copy(self) -> dict[str, torch.Tensor]:
        return {n: p.detach().to("cpu", copy=True) for n, p in self.parameters.items()}

    def best_note(self) -> str:
        return f", best dev {max(s for _, s in self.history.scores):.1f}" if self.history.scores else ""

    def finish(self) -> None:
        """Put the selected weights back, or keep the last ones; leave no parameter frozen."""
        if self.best is not None and self.history.best_step != self.step:
            with torch.no_grad():
                for name, value in self.best.items():
                    self.parameters[name].copy_(value)
        if self.score is None:
            self.history.best_step = self.step
        self.history.averaged = [step for step, _ in self.last]
        self.history.average = mean_weights([weights for _, weights in self.last])
        self.history.steps = self.step
        for p in self.frozen:
            p.requires_grad_(True)
        self.model.eval()
        self.history.seconds = time.monotonic() - self.started

    def checkpoint(self) -> Checkpoint:
        state: dict[str, torch.Tensor] = {}
        for name, parameter in self.parameters.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                state[f"{name}//{key}"] = torch.as_tensor(value)
        facts = {
            "step": self.step,
            "stopped": self.stopped,
            "history": self.history.result(),
            "loss_sum": self.loss_sum,
            "loss_steps": self.loss_steps,
        }
        moving = None if self.moving is None else self.moving.weights
        return Checkpoint(facts, dict(self.parameters), state, self.best, dict(self.last), moving)

    def resume(self, folder: Path) -> None:
        saved = load_checkpoint(folder)
        if saved is None:
            return
        with torch.no_grad():
            for name, value in saved.parameters.items():
                self.parameters[name].copy_(value)
        for full, value in saved.optimizer.items():
            name, _, key = full.partition("//")
            parameter = self.parameters[name]
            # AdamW keeps its step counter beside the parameter only when fused.
            target_device = (
                parameter.device if key != "step" or self.optimizer.defaults.get("fused") else torch.device("cpu")
            )
            self.optimizer.state[parameter][key] = value.to(target_device)
        if self.moving is not None and saved.moving is not None:
            self.moving.put(saved.moving)
        self.best = None if saved.best is None else dict(saved.best)
        self.last.extend((step, dict(weights)) for step, weights in saved.last.items())
        self.step = int(saved.facts["step"])
        self.stopped = bool(saved.facts["stopped"])
        self.loss_sum, self.loss_steps = float(saved.facts["loss_sum"]), int(saved.facts["loss_steps"])
        past = saved.facts["history"]
        self.history.losses = [(int(s), float(v)) for s, v in past["losses"]]
        self.history.scores = [(int(s), float(v)) for s, v in past["scores"]]
        self.history.best_step = int(past["best_step"])


def mean_weights(checkpoints: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of every parameter over checkpoints, summed in double precision; empty without checkpoints."""
    if not checkpoints:
        return {}
    return {
        name: (sum((c[name].double() for c in checkpoints[1:]), first.double()) / len(checkpoints)).to(first.dtype)
        for name, first in checkpoints[0].items()
    }


def put_weights(modules: Mapping[str, nn.Module], weights: Mapping[str, torch.Tensor]) -> None:
    """Give the parameters of `modules`, by the names of `train`, these values."""
    parameters = dict(nn.ModuleDict(dict(modules)).named_parameters())
    with torch.no_grad():
        for name, value in weights.items():
            parameters[name].copy_(value)


def dropout_seed(seed: int, step: int, micro_batch: int) -> int:
    """The seed of a micro-batch's dropout: it does not depend on what the others of its step hold."""
    state = np.random.SeedSequence((seed, 8, step, micro_batch)).generate_state(1, np.uint64)
    return int(state[0]) & 0x7FFF_FFFF_FFFF_FFFF


def set_dropout(model: nn.Module, probability: float) -> None:
    """Give every dropout of a model, that of attention weights included, this probability."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = probability
        # Some architectures hand the attention's probability on as a number.
        for name in ("attention_dropout", "dropout_prob"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, probability)


def _optimizer(parameters: Mapping[str, nn.Parameter], settings: Training, device: torch.device) -> torch.optim.AdamW:
    """AdamW without decay on biases and layer norms (vectors), as Devlin et al. 2019."""
    matrices = [p for p in parameters.values() if p.ndim > 1]
    vectors = [p for p in parameters.values() if p.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=settings.learning_rate,
        eps=settings.epsilon,
        fused=device.type in ("cpu", "cuda"),
    )
