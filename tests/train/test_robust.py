"""Robust training against straightforward transcriptions of the papers' algorithms, on tiny models."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from test_objectives import CHOICES, LINES, SENTENCES, SPANS, TAGS
from torch.nn import functional as F

from crosswind.data.examples import Candidate, PairExample, Pool, QueryExample
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.model.heads import attach
from crosswind.train.checkpoint import load_checkpoint
from crosswind.train.loop import train
from crosswind.train.masked import masked_lm
from crosswind.train.micro import MicroBatch, plain_backward
from crosswind.train.moving import MovingAverage
from crosswind.train.objective import Objective, Visit
from crosswind.train.objectives import task_objective
from crosswind.train.robust import ROBUST
from crosswind.train.settings import Training
from tiny_models import TEXTS

Fresh = Callable[..., Encoder]
LABELS = ("entailment", "neutral", "contradiction")
PAIRS = [PairExample(f"p{i}", "c", "en", a, TEXTS[-1 - i], i % 3) for i, a in enumerate(TEXTS)]
SEED, TOTAL = 77, 5


@pytest.fixture
def objective(fresh_encoder: Fresh) -> Objective:
    """A pair task on a random encoder in double precision, with dropout."""
    encoder = fresh_encoder("xlm-roberta")
    head = attach(encoder, "pair", LABELS, seed=1)
    encoder.modules().double().train()
    head.module.double().train()
    return task_objective("t", encoder, head, PAIRS, max_length=64)


def micro(objective: Objective) -> MicroBatch:
    batches = objective.batch([Visit(0), Visit(2), Visit(1)], 0)
    average = MovingAverage(parameters(objective))
    average.put(before(objective))
    return MicroBatch(objective, batches, TOTAL, SEED, contextlib.nullcontext, average.exchanged)


def parameters(objective: Any) -> dict[str, torch.nn.Parameter]:
    model = torch.nn.ModuleDict({"encoder": objective.encoder.modules(), "head": objective.head.module})
    return dict(model.named_parameters())


def before(objective: Any) -> dict[str, torch.Tensor]:
    """Weights near those of the model, as the moving average of earlier ones."""
    generator = torch.Generator().manual_seed(5)
    return {
        name: p.detach() + 0.05 * torch.randn(p.shape, generator=generator, dtype=p.dtype)
        for name, p in parameters(objective).items()
    }


def gradients(objective: Any) -> dict[str, torch.Tensor]:
    model = torch.nn.ModuleDict({"encoder": objective.encoder.modules(), "head": objective.head.module})
    found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    model.zero_grad(set_to_none=True)
    return found


def logits(objective: Any, delta: torch.Tensor | None) -> torch.Tensor:
    """The logits `(3, classes)` at a displacement, with the dropout of the seed."""
    (batch,) = objective.batch([Visit(0), Visit(2), Visit(1)], 0)
    torch.manual_seed(SEED)
    inputs = {k: v for k, v in batch.inputs.items() if k != "input_ids"}
    words = objective.encoder.backbone.get_input_embeddings()(batch.inputs["input_ids"])
    result: torch.Tensor = objective.head({**inputs, "inputs_embeds": words if delta is None else words + delta})
    return result


def gold(objective: Any) -> torch.Tensor:
    return torch.tensor([PAIRS[i].label for i in (0, 2, 1)])


def mask_and_shape(objective: Any) -> tuple[torch.Tensor, torch.Tensor]:
    (batch,) = objective.batch([Visit(0), Visit(2), Visit(1)], 0)
    words = objective.encoder.embeddings(batch.inputs["input_ids"]).detach()
    return batch.inputs["attention_mask"].double().unsqueeze(-1), words


def first_uniform(objective: Any, magnitude: float) -> torch.Tensor:
    mask, words = mask_and_shape(objective)
    generator = torch.Generator().manual_seed((SEED + 0x9E3779B9) & 0x7FFF_FFFF_FFFF_FFFF)
    noise = torch.rand(words.shape, generator=generator, dtype=torch.float32).double() * 2 - 1
    rows = []
    for row in range(len(words)):
        count = mask[row].sum() * words.shape[-1]
        rows.append(noise[row] * mask[row] * magnitude / count.sqrt())
    return torch.stack(rows)


def step_up(delta: torch.Tensor, gradient: torch.Tensor, rate: float, bound: float) -> torch.Tensor:
    rows = []
    for d, g in zip(delta, gradient, strict=True):
        moved = d + rate * g / max(float(g.norm()), 1e-8)
        if bound and float(moved.norm()) > bound:
            moved = moved * bound / moved.norm()
        rows.append(moved)
    return torch.stack(rows).detach()


def freelb(objective: Any, s: Mapping[str, float]) -> float:
    """Zhu et al. 2020, algorithm 1, row by row."""
    delta, mean = first_uniform(objective, s["start"]), 0.0
    for _ in range(int(s["steps"])):
        delta.requires_grad_()
        loss = F.cross_entropy(logits(objective, delta), gold(objective), reduction="sum") / TOTAL / s["steps"]
        loss.backward()
        mean += float(loss.detach())
        assert delta.grad is not None
        delta = step_up(delta.detach(), delta.grad, s["rate"], s["bound"])
    return mean


def pgd(objective: Any, s: Mapping[str, float]) -> float:
    delta = first_uniform(objective, s["start"])
    for _ in range(int(s["steps"])):
        delta.requires_grad_()
        loss = F.cross_entropy(logits(objective, delta), gold(objective), reduction="sum")
        (gradient,) = torch.autograd.grad(loss, delta)
        delta = step_up(delta.detach(), gradient, s["rate"], s["bound"])
    loss = F.cross_entropy(logits(objective, delta), gold(objective), reduction="sum") / TOTAL
    loss.backward()
    return float(loss.detach())


def smart(objective: Any, s: Mapping[str, float]) -> float:
    """Jiang et al. 2020: the loss, and the symmetric divergence at the displacement that a step found."""
    mask, words = mask_and_shape(objective)
    generator = torch.Generator().manual_seed((SEED + 0x9E3779B9) & 0x7FFF_FFFF_FFFF_FFFF)
    noise = torch.randn(words.shape, generator=generator, dtype=torch.float32).double() * s["noise"] * mask
    clean = logits(objective, None)
    p = clean.softmax(-1)
    for _ in range(int(s["steps"])):
        noise.requires_grad_()
        q = logits(objective, noise).softmax(-1)
        away = (p.detach() * (p.detach().log() - q.log())).sum()
        (gradient,) = torch.autograd.grad(away, noise)
        largest = gradient.abs().max(-1, keepdim=True).values
        noise = (noise + s["rate"] * gradient / (largest + 1e-6)).detach()
    q = logits(objective, noise).softmax(-1)
    both = (p * (p.log() - q.log())).sum() + (q * (q.log() - p.log())).sum()
    loss = (F.cross_entropy(clean, gold(objective), reduction="sum") + s["weight"] * both) / TOTAL
    if "proximal" in s:
        r = before_logits(objective).softmax(-1)
        both = (p * (p.log() - r.log())).sum() + (r * (r.log() - p.log())).sum()
        loss = loss + s["proximal"] * both / TOTAL
    loss.backward()
    return float(loss.detach())


def before_logits(objective: Any) -> torch.Tensor:
    """The logits of the weights `before`, written into a model of its own."""
    encoder, head = copy.deepcopy((objective.encoder, objective.head))
    other = copy.copy(objective)
    object.__setattr__(other, "encoder", encoder)
    object.__setattr__(other, "head", head)
    with torch.no_grad():
        for name, p in parameters(other).items():
            p.copy_(before(objective)[name])
        return logits(other, None)


def random_perturbation(objective: Any, s: Mapping[str, float]) -> float:
    """Huang et al. 2021, RS-RP: one point of a ball around each word."""
    mask, words = mask_and_shape(objective)
    generator = torch.Generator().manual_seed((SEED + 0x9E3779B9) & 0x7FFF_FFFF_FFFF_FFFF)
    normal = torch.randn(words.shape, generator=generator, dtype=torch.float32)
    uniform = torch.rand(words.shape[:2], generator=generator, dtype=torch.float32)
    delta = torch.zeros_like(words)
    for i in range(words.shape[0]):
        for j in range(words.shape[1]):
            length = s["radius"] * uniform[i, j] ** (1 / words.shape[2])
            delta[i, j] = (length * normal[i, j] / normal[i, j].norm()).double() * mask[i, j]
    assert float(delta.norm(dim=-1).max()) <= s["radius"] + 1e-9
    loss = F.cross_entropy(logits(objective, delta), gold(objective), reduction="sum") / TOTAL
    loss.backward()
    return float(loss.detach())


TRANSCRIPTIONS = {"freelb": freelb, "pgd": pgd, "random-perturbation": random_perturbation, "smart": smart}


def test_every_method_has_a_transcription() -> None:
    assert set(ROBUST.names()) == set(TRANSCRIPTIONS)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("freelb", {}),
        ("freelb", {"steps": 2, "rate": 0.5, "bound": 0.3, "start": 0.2}),
        ("pgd", {}),
        ("pgd", {"steps": 1, "bound": 0}),
        ("random-perturbation", {}),
        ("random-perturbation", {"radius": 2}),
        ("smart", {}),
        ("smart", {"weight": 3, "steps": 2, "noise": 1e-3, "rate": 1e-2}),
        ("smart", {"weight": 0.5, "proximal": 2}),
    ],
)
def test_a_method_gives_the_loss_and_gradient_of_its_transcription(
    objective: Any, name: str, given: dict[str, float]
) -> None:
    settings = ROBUST[name].settings(given, "defences.d")
    expected = TRANSCRIPTIONS[name](objective, settings)
    wanted = gradients(objective)
    got = float(ROBUST[name].backward(micro(objective), settings))
    assert got == pytest.approx(expected, abs=1e-7)
    made = gradients(objective)
    assert made.keys() == wanted.keys()
    for key, value in wanted.items():
        torch.testing.assert_close(made[key], value, rtol=0, atol=1e-7)


def test_the_methods_differ_from_plain_training_and_from_each_other(objective: Any) -> None:
    plain_backward(micro(objective))
    seen = [gradients(objective)]
    for name in ROBUST.names():
        given = {"steps": 1} if any(knob.name == "steps" for knob in ROBUST[name].knobs) else {}
        ROBUST[name].backward(micro(objective), ROBUST[name].settings(given, "d"))
        seen.append(gradients(objective))
    for i, one in enumerate(seen):
        for other in seen[:i]:
            assert any(not torch.allclose(one[key], other[key], rtol=1e-9, atol=1e-12) for key in one)


@pytest.mark.parametrize("name", ROBUST.names())
def test_padding_is_never_displaced(objective: Any, name: str) -> None:
    moved: list[torch.Tensor] = []

    class Watched(MicroBatch):
        def outputs(self, deltas: Any = None) -> list[torch.Tensor]:
            moved.extend(d.detach() for d in deltas or ())
            return super().outputs(deltas)

    part = micro(objective)
    ROBUST[name].backward(
        Watched(**vars(part)), ROBUST[name].settings({"start": 1} if name in ("freelb", "pgd") else {}, "d")
    )
    padded = part.batches[0].inputs["attention_mask"] == 0
    assert padded.any()
    assert moved
    assert float(moved[0].abs().sum()) > 0
    assert all(float(delta[padded].abs().sum()) == 0 for delta in moved)


@pytest.mark.parametrize("kind", ["choice", "tagging", "span", "query", "mlm"])
@pytest.mark.parametrize(("name", "given"), [*((name, {}) for name in ROBUST.names()), ("smart", {"proximal": 1})])
def test_every_method_trains_every_kind(name: str, given: dict[str, float], kind: Any, fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder("xlm-roberta")
    # More queries than a window of batches holds, so that a batch has different ones.
    pool = Pool(tuple(Candidate(f"d{i}", "en", f"{TEXTS[i % 5]} {i}") for i in range(120)))
    queries = [QueryExample(f"q{i}", "c", "en", f"{i} {TEXTS[i % 3][:20]}", (f"d{i}",)) for i in range(120)]
    data: dict[str, Any] = {"choice": CHOICES, "tagging": SENTENCES, "span": SPANS, "query": queries}
    modules = {"encoder": encoder.modules()}
    objective: Objective
    if kind == "mlm":
        objective = masked_lm("mlm", encoder, LINES, max_length=64, seed=1)
    else:
        head = attach(encoder, kind, TAGS if kind == "tagging" else (), seed=1)
        modules["head"] = head.module
        if kind == "query":
            head.module.log_scale.data.fill_(0.0)  # at 100 a random encoder is sure of every candidate
        objective = task_objective("t", encoder, head, data[kind], max_length=64, pool=pool)
    before = {n: p.detach().clone() for n, p in encoder.backbone.named_parameters()}
    settings = Training(batch_size=2, learning_rate=1e-3)
    robust = (name, ROBUST[name].settings(given, "d"))
    history = train(modules, [objective], [1.0], 2, settings, seed=1, robust=robust)
    assert history.losses[-1][1] > 0
    assert any(not torch.equal(before[n], p) for n, p in encoder.backbone.named_parameters())


@pytest.mark.parametrize(
    ("name", "given", "other"),
    [
        ("freelb", {"steps": 2}, {}),
        # So far from the average of its weights that a training without it, or with another one, ends elsewhere.
        ("smart", {"proximal": 100, "momentum": 0.5}, {"proximal": 100, "momentum": 0}),
    ],
)
def test_a_killed_robust_training_goes_on_to_the_same_weights(
    name: str, given: dict[str, float], other: dict[str, float], fresh_encoder: Fresh, tmp_path: Path
) -> None:
    def run(
        folder: Path | None, stop_after: int | None = None, given: dict[str, float] = given
    ) -> dict[str, torch.Tensor]:
        encoder = fresh_encoder("xlm-roberta")
        head = attach(encoder, "pair", LABELS, seed=1)
        objective = task_objective("t", encoder, head, PAIRS, max_length=64)
        modules = {"encoder": encoder.modules(), "head": head.module}
        settings = Training(batch_size=2, learning_rate=1e-3, decay="constant")
        robust = (name, ROBUST[name].settings(given, "d"))
        train(modules, [objective], [1.0], stop_after or 4, settings, seed=1, robust=robust, folder=folder, interval=0)
        return {n: p.detach().clone() for n, p in encoder.backbone.named_parameters()}

    whole = run(None)
    run(tmp_path, stop_after=2)
    resumed = run(tmp_path)
    assert all(torch.equal(whole[n], resumed[n]) for n in whole)
    unlike = run(None, given=other)
    assert not all(torch.equal(whole[n], unlike[n]) for n in whole)


def test_the_average_of_smart_follows_the_weights_with_a_smaller_momentum_at_first(
    fresh_encoder: Fresh, tmp_path: Path
) -> None:
    encoder = fresh_encoder("xlm-roberta")
    head = attach(encoder, "pair", LABELS, seed=1)
    modules = {"encoder": encoder.modules(), "head": head.module}
    model = torch.nn.ModuleDict(modules)
    seen = [{n: p.detach().double() for n, p in model.named_parameters()}]

    def look() -> float:
        seen.append({n: p.detach().double() for n, p in model.named_parameters()})
        return float(len(seen))

    robust = ("smart", ROBUST["smart"].settings({"proximal": 1, "momentum": 0.5, "early_momentum": 0.25}, "d"))
    train(
        modules,
        [task_objective("t", encoder, head, PAIRS, max_length=64)],
        [1.0],
        10,
        Training(batch_size=2, learning_rate=1e-2, evaluate_every=1),
        seed=1,
        robust=robust,
        score=look,
        folder=tmp_path,
        interval=0,
    )
    saved = load_checkpoint(tmp_path)
    assert saved is not None
    assert saved.moving is not None
    assert len(seen) == 11
    for name, average in seen[0].items():
        for number, weights in enumerate(seen[1:]):
            momentum = 0.25 if number == 0 else 0.5  # of ten steps the first is the first tenth
            average = momentum * average + (1 - momentum) * weights[name]
        torch.testing.assert_close(saved.moving[name].double(), average, rtol=0, atol=1e-6)
        assert not torch.equal(saved.moving[name], saved.parameters[name]) or torch.equal(seen[0][name], seen[-1][name])


def test_the_proximal_part_costs_a_forward_pass() -> None:
    smart = ROBUST["smart"]
    assert smart.passes(smart.settings({}, "d")) == 3
    assert smart.passes(smart.settings({"proximal": 1}, "d")) == pytest.approx(3 + 1 / 3)


@pytest.mark.parametrize(
    ("given", "where"),
    [({"stepz": 2}, "defences.a"), ({"steps": 0}, "defences.a.steps"), ({"steps": 1.5}, "defences.a.steps")],
)
def test_senseless_settings_are_refused(given: dict[str, float], where: str) -> None:
    with pytest.raises(UserError) as caught:
        ROBUST["freelb"].settings(given, "defences.a")
    assert caught.value.where == where


def test_settings_not_given_are_the_defaults() -> None:
    assert ROBUST["smart"].settings({"weight": 2}, "d") == {"weight": 2, "noise": 1e-5, "rate": 1e-3, "steps": 1}
    assert replace(ROBUST["smart"], knobs=()).settings({}, "d") == {}


def test_a_part_that_is_left_out_is_no_setting() -> None:
    smart = ROBUST["smart"]
    assert smart.settings({"proximal": 0}, "d") == smart.settings({}, "d")
    assert smart.settings({"proximal": 2}, "d") == {
        **smart.settings({}, "d"),
        "proximal": 2,
        "momentum": 0.999,
        "early_momentum": 0.99,
    }
    with pytest.raises(UserError, match="momentum means nothing without proximal") as caught:
        smart.settings({"momentum": 0.9}, "defences.a")
    assert caught.value.where == "defences.a.momentum"
