"""The loop: a step's gradient whatever the micro-batches, selection, resuming bit for bit."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.optim.optimizer import register_optimizer_step_pre_hook
from transformers import AutoConfig, AutoModel

from crosswind.data.examples import (
    Candidate,
    ChoiceExample,
    PairExample,
    Pool,
    QueryExample,
    Span,
    SpanExample,
    TaggingExample,
    TextLine,
)
from crosswind.errors import UserError
from crosswind.model.attention import training_attention
from crosswind.model.encoder import Encoder
from crosswind.model.heads import Head, attach
from crosswind.train.batching import WINDOW
from crosswind.train.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from crosswind.train.loop import History, dropout_seed, put_weights, set_dropout, train
from crosswind.train.masked import masked_lm
from crosswind.train.objective import Batch, Objective, Visit
from crosswind.train.objectives import task_objective
from crosswind.train.settings import Training
from tiny_models import ARCHITECTURES, TEXTS

Fresh = Callable[..., Encoder]
CPU = torch.device("cpu")
LABELS = ("entailment", "neutral", "contradiction")
TAGS = ("NOUN", "VERB", "X")
PAIRS = [PairExample(f"p{i}", "c", "en", a, TEXTS[-1 - i], i % 3) for i, a in enumerate(TEXTS)]
DATA: dict[Any, Sequence[Any]] = {
    "pair": PAIRS,
    "choice": [
        ChoiceExample(f"c{i}", "c", "en", t, "Why?", ("he", "the lazy dog", "首都", "x")[: 2 + i % 3], i % 2)
        for i, t in enumerate(TEXTS)
    ],
    "tagging": [
        TaggingExample(f"t{i}", "c", "en", tuple(t.split()), tuple(TAGS[(i + k) % 3] for k in range(len(t.split()))))
        for i, t in enumerate(TEXTS)
    ],
    "span": [SpanExample(f"s{i}", "c", "en", "Who?", t * (1 + i % 3), (Span(0, 3),)) for i, t in enumerate(TEXTS)],
    "query": [QueryExample(f"q{i}", "c", "en", t[:20], (f"d{i}",)) for i, t in enumerate(TEXTS)],
}
POOL = Pool(tuple(Candidate(f"d{i}", "en", t) for i, t in enumerate(TEXTS)))


def task(encoder: Encoder, kind: Any, max_length: int = 48) -> tuple[Head, Objective]:
    head = attach(encoder, kind, {"pair": LABELS, "tagging": TAGS}.get(kind, ()), seed=1)
    return head, task_objective(kind, encoder, head, DATA[kind], max_length=max_length, stride=16, pool=POOL)


def lm(encoder: Encoder) -> Objective:
    return masked_lm("mlm", encoder, [TextLine(str(i), "en", t) for i, t in enumerate(TEXTS)], max_length=48, seed=1)


def modules(encoder: Encoder, head: Head | None = None) -> dict[str, torch.nn.Module]:
    return {"encoder": encoder.modules(), **({"head": head.module} if head else {})}


def weights(named: dict[str, torch.nn.Module]) -> dict[str, torch.Tensor]:
    return {f"{n}.{k}": v.clone() for n, m in named.items() for k, v in m.state_dict().items()}


def same(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


# One step


def first_gradient(encoder: Encoder, kind: str, micro_tokens: int) -> tuple[list[torch.Tensor], int, float]:
    """The gradient that the optimiser sees in the first step, the number of forward passes, the loss."""
    head, objective = (None, lm(encoder)) if kind == "mlm" else task(encoder, kind)
    named = modules(encoder, head)
    seen: list[torch.Tensor] = []
    passes = 0
    parameters = [p for m in named.values() for p in m.parameters()]

    def look(*_: Any) -> None:
        seen.extend(torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parameters)

    def count(*_: Any) -> None:
        nonlocal passes
        passes += 1

    hooks = [register_optimizer_step_pre_hook(look), encoder.backbone.register_forward_pre_hook(count)]
    settings = Training(batch_size=10, micro_tokens=micro_tokens, clip=0.0)
    try:
        history = train(named, [objective], [1.0], 1, settings, seed=1, device=CPU)
    finally:
        for h in hooks:
            h.remove()
    return seen, passes, history.losses[0][1]


@pytest.mark.parametrize("kind", ["pair", "choice", "tagging", "span", "mlm"])
def test_micro_batches_do_not_change_the_gradient_of_a_step(kind: str, fresh_encoder: Fresh) -> None:
    whole, one, loss = first_gradient(fresh_encoder(), kind, 100_000)
    assert one == 1
    assert max(float(g.abs().max()) for g in whole) > 1e-3
    for budget, least in ((200, 2), (1, 9)):
        cut, passes, cut_loss = first_gradient(fresh_encoder(), kind, budget)
        assert passes >= least
        assert cut_loss == pytest.approx(loss, rel=1e-5)
        for a, b in zip(whole, cut, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_in_batch_negatives_are_never_cut(fresh_encoder: Fresh) -> None:
    assert first_gradient(fresh_encoder(), "query", 1)[1] == 2  # queries and candidates, whole


# A phase


def test_a_phase_learns_the_task_and_leaves_weights_in_float32(fresh_encoder: Fresh) -> None:
    for precision in ("fp32", "bf16"):
        encoder = fresh_encoder()
        head, objective = task(encoder, "pair")
        settings = Training(batch_size=10, learning_rate=5e-3, evaluate_every=5, precision=precision)  # type: ignore[arg-type]
        history = train(modules(encoder, head), [objective], [1.0], WINDOW, settings, seed=1, device=CPU)
        assert history.losses[-1][1] < 0.3 < 0.9 < history.losses[0][1]
        assert {p.dtype for p in head.module.parameters()} == {torch.float32}
        assert [s for s, _ in history.losses] == list(range(5, WINDOW + 1, 5))
        assert not head.module.training
        lengths = sum(len(r) for i in range(10) for r in objective.rows(i))
        assert history.tokens == WINDOW * lengths  # batches are of one length: a window sees all ten examples as often


def test_bf16_computes_in_bfloat16(fresh_encoder: Fresh) -> None:
    seen: set[torch.dtype] = set()
    for precision in ("fp32", "bf16"):
        encoder = fresh_encoder()
        head, objective = task(encoder, "pair")
        linear = next(m for m in encoder.backbone.encoder.modules() if isinstance(m, torch.nn.Linear))  # type: ignore[union-attr]
        linear.register_forward_hook(lambda module, args, out: seen.add(out.dtype))
        settings = Training(batch_size=4, precision=precision)  # type: ignore[arg-type]
        train(modules(encoder, head), [objective], [1.0], 1, settings, seed=1, device=CPU)
    assert seen == {torch.float32, torch.bfloat16}


def test_the_same_seed_gives_the_same_weights_and_another_seed_others(fresh_encoder: Fresh) -> None:
    results = []
    for seed in (1, 1, 2):
        encoder = fresh_encoder()
        head, objective = task(encoder, "pair")
        torch.manual_seed(len(results))
        train(modules(encoder, head), [objective], [1.0], 4, Training(batch_size=3), seed=seed, device=CPU)
        results.append(weights(modules(encoder, head)))
    assert same(results[0], results[1])
    assert not same(results[0], results[2])


def test_sources_take_their_exact_shares_and_each_goes_through_its_own_epochs(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, pairs = task(encoder, "pair")
    tags_head, tags = task(encoder, "tagging")
    text = lm(encoder)
    seen: dict[str, list[int]] = {"pair": [], "tagging": [], "mlm": []}
    for source in (pairs, tags, text):
        source.batch = _watched(source, seen)  # type: ignore[method-assign]
    named = {**modules(encoder), "a": head.module, "b": tags_head.module}
    settings = Training(batch_size=5, micro_tokens=100_000)
    train(named, [pairs, tags, text], [0.5, 0.25, 0.25], 16, settings, seed=1, device=CPU)
    assert {k: len(v) for k, v in seen.items()} == {"pair": 8 * 5, "tagging": 4 * 5, "mlm": 4 * 5}


def _watched(source: Objective, seen: dict[str, list[int]]) -> Any:
    original = source.batch

    def batch(visits: Sequence[Visit], step: int) -> Any:
        seen[source.name] += [index for index, _ in visits]
        return original(visits, step)

    return batch


def test_frozen_embeddings_stay_and_are_free_again_afterwards(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    frozen: Any = encoder.backbone.get_input_embeddings().weight
    before = weights(modules(encoder, head))
    settings = Training(batch_size=4, learning_rate=1e-2, weight_decay=0.1)
    train(modules(encoder, head), [objective], [1.0], 3, settings, seed=1, device=CPU, frozen=[frozen])
    after = weights(modules(encoder, head))
    assert torch.equal(
        after["head.roberta.embeddings.word_embeddings.weight"],
        before["head.roberta.embeddings.word_embeddings.weight"],
    )
    moved = "head.roberta.encoder.layer.0.attention.self.query.weight"
    assert not torch.equal(after[moved], before[moved])
    assert frozen.requires_grad


def test_weight_decay_leaves_biases_and_layer_norms_alone(fresh_encoder: Fresh) -> None:
    """With a rate of 0 for the loss (no gradient of the unused pooler) only decay moves nothing at all."""
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    named = modules(encoder, head)
    seen: list[Any] = []
    hook = register_optimizer_step_pre_hook(lambda optimizer, *_: seen.append(optimizer))
    train(named, [objective], [1.0], 1, Training(batch_size=4, weight_decay=0.1), seed=1, device=CPU)
    hook.remove()
    groups = seen[0].param_groups
    assert [g["weight_decay"] for g in groups] == [0.1, 0.0]
    assert {p.ndim for p in groups[0]["params"]} == {2}
    assert {p.ndim for p in groups[1]["params"]} == {1}
    together = [id(p) for g in groups for p in g["params"]]
    assert len(together) == len(set(together)) == len({id(p) for m in named.values() for p in m.parameters()})


@pytest.mark.parametrize("architecture", ["xlm-roberta", "bert", "distilbert", "electra", "deberta-v2", "modernbert"])
def test_the_dropout_of_a_phase_replaces_that_of_every_layer(architecture: str) -> None:
    """The encoders' own is 0.5 everywhere: with 0 two passes in training mode agree."""
    names = ("dropout", "attention_dropout", "hidden_dropout_prob", "attention_probs_dropout_prob")
    names += ("embedding_dropout", "mlp_dropout", "pooler_dropout")
    options = {n: v for n, v in ARCHITECTURES[architecture][1].items() if n not in names}
    plain = AutoConfig.for_model(architecture)
    dropouts = {n: 0.5 for n in names if hasattr(plain, n)}
    config = AutoConfig.for_model(architecture, **{**options, **dropouts, "vocab_size": 50, "pad_token_id": 0})
    model = AutoModel.from_config(config).train()
    ids = torch.arange(1, 33).reshape(2, 16)

    def agree() -> bool:
        with torch.no_grad():
            return torch.equal(model(input_ids=ids).last_hidden_state, model(input_ids=ids).last_hidden_state)

    assert not agree()
    set_dropout(model, 0.0)
    assert agree()
    set_dropout(model, 0.3)
    assert not agree()


# Selection


def selected(fresh_encoder: Fresh, scores: list[float], steps: int, **settings: Any) -> tuple[History, int]:
    """The history, and the evaluation at which the weights that were kept stood."""
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    named = modules(encoder, head)
    seen: list[dict[str, torch.Tensor]] = []

    def score() -> float:
        assert not head.module.training
        seen.append(weights(named))
        return scores[len(seen) - 1]

    history = train(
        named, [objective], [1.0], steps, Training(batch_size=4, learning_rate=1e-3, **settings), seed=1, device=CPU,
        score=score,
    )  # fmt: skip
    final = weights(named)
    return history, next(i for i, w in enumerate(seen) if same(w, final))


def test_the_weights_of_the_best_evaluation_are_kept(fresh_encoder: Fresh) -> None:
    history, kept = selected(fresh_encoder, [50.0, 70.0, 60.0, 70.0], 8, evaluate_every=2)
    assert history.scores == [(2, 50.0), (4, 70.0), (6, 60.0), (8, 70.0)]
    assert (history.best_step, kept, history.steps) == (4, 1, 8)  # of equal scores the first


def test_the_end_is_evaluated_too(fresh_encoder: Fresh) -> None:
    history, kept = selected(fresh_encoder, [50.0, 60.0, 70.0], 5, evaluate_every=2)
    assert history.scores == [(2, 50.0), (4, 60.0), (5, 70.0)]
    assert (history.best_step, kept) == (5, 2)


def test_patience_ends_the_training_after_that_many_evaluations_without_a_gain(fresh_encoder: Fresh) -> None:
    scores = [50.0, 60.0, 60.0, 40.0, 90.0]
    history, kept = selected(fresh_encoder, scores, 20, evaluate_every=1, patience=2)
    assert [s for _, s in history.scores] == scores[:4]
    assert (history.best_step, kept, history.steps) == (2, 1, 4)


def test_without_selection_the_last_weights_are_kept(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    history = train(modules(encoder, head), [objective], [1.0], 3, Training(batch_size=4), seed=1, device=CPU)
    assert (history.best_step, history.steps, history.scores) == (3, 3, [])


def test_the_mean_of_the_last_checkpoints_is_kept_beside_the_best_one(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    named = modules(encoder, head)
    frozen = list(encoder.backbone.get_input_embeddings().parameters())
    seen: list[dict[str, torch.Tensor]] = []

    def score() -> float:
        seen.append(weights(named))
        return [50.0, 70.0, 60.0, 40.0][len(seen) - 1]

    settings = Training(batch_size=4, learning_rate=1e-3, evaluate_every=2)
    history = train(
        named, [objective], [1.0], 7, settings, seed=1, device=CPU, score=score, average=3, frozen=frozen
    )  # fmt: skip
    assert (history.best_step, history.averaged) == (4, [4, 6, 7])
    assert same(weights(named), seen[1])
    put_weights(named, history.average)
    now = weights(named)
    assert not same(now, seen[1])
    for name, value in now.items():
        torch.testing.assert_close(value.double(), sum(s[name].double() for s in seen[1:]) / 3, rtol=0, atol=1e-7)
    assert history.result()["averaged"] == [4, 6, 7]


# Resuming


class KilledError(Exception):
    pass


def resumable(
    fresh_encoder: Fresh, folder: Path | None, kill: int | None = None, at: str = "loss", precision: str = "fp32"
) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """20 steps of a task and masked LM with dropout and selection; killed in step `kill` if given."""
    encoder = fresh_encoder()
    head, pairs = task(encoder, "pair")
    for m in (*encoder.modules().modules(), *head.module.modules()):
        if isinstance(m, torch.nn.Dropout):
            m.p = 0.2
    text = lm(encoder)
    named = modules(encoder, head)
    steps = 0
    for source in (pairs, text):
        source.batch = _killing(source, lambda step: kill if at == "loss" else None)  # type: ignore[method-assign]

    def score() -> float:
        nonlocal steps
        value = sum(float(p.detach().double().abs().sum()) for p in head.module.parameters())
        if at == "score" and kill is not None and steps == kill:
            raise KilledError
        steps += 1
        return float(int(value * 1e6) % 997)  # goes up and down

    settings = Training(
        batch_size=4, learning_rate=1e-3, warmup=0.2, weight_decay=0.01, evaluate_every=3, micro_tokens=120,
        precision=precision,  # type: ignore[arg-type]
    )  # fmt: skip
    history = train(
        named, [pairs, text], [0.6, 0.4], 20, settings, seed=5, device=CPU, score=score, folder=folder, interval=0.0,
        average=2,
    )  # fmt: skip
    chosen = weights(named)
    put_weights(named, history.average)
    return chosen | {f"mean of {name}": value for name, value in weights(named).items()}, history.result()


def _killing(source: Objective, when: Callable[[int], int | None]) -> Any:
    original = source.batch

    def batch(visits: Sequence[Visit], step: int) -> Any:
        if step == when(step):
            raise KilledError
        return original(visits, step)

    return batch


@pytest.fixture(scope="module")
def straight(fresh_encoder: Fresh) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    return resumable(fresh_encoder, None)


@pytest.mark.parametrize("kill", [0, 1, 7, 12, 19])
def test_killed_in_any_step_and_resumed_it_ends_bit_for_bit_the_same(
    kill: int, straight: Any, fresh_encoder: Fresh, tmp_path: Path
) -> None:
    with pytest.raises(KilledError):
        resumable(fresh_encoder, tmp_path, kill)
    found = load_checkpoint(tmp_path)
    assert (found is None) == (kill == 0)
    assert found is None or found.facts["step"] == kill
    again = resumable(fresh_encoder, tmp_path)
    assert again[1] == straight[1]
    assert same(again[0], straight[0])


def test_killed_more_than_once_and_while_scoring(straight: Any, fresh_encoder: Fresh, tmp_path: Path) -> None:
    for kill, at in ((4, "loss"), (1, "score"), (11, "loss"), (16, "loss")):
        with pytest.raises(KilledError):
            resumable(fresh_encoder, tmp_path, kill, at)
    again = resumable(fresh_encoder, tmp_path)
    assert again[1] == straight[1]
    assert same(again[0], straight[0])


def test_bf16_resumes_bit_for_bit_too(fresh_encoder: Fresh, tmp_path: Path) -> None:
    expected = resumable(fresh_encoder, None, precision="bf16")
    with pytest.raises(KilledError):
        resumable(fresh_encoder, tmp_path, 9, precision="bf16")
    again = resumable(fresh_encoder, tmp_path, precision="bf16")
    assert again[1] == expected[1]
    assert same(again[0], expected[0])


@pytest.mark.parametrize("part", ["parameters.safetensors", "optimizer.safetensors", "best.safetensors", "state.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "gone"])
def test_a_damaged_checkpoint_is_passed_over_for_an_earlier_one(part: str, damage: str, tmp_path: Path) -> None:
    earlier, later = (
        Checkpoint({"step": n}, {"a": torch.full((3,), float(n))}, {"a//step": torch.tensor(n)}, {"a": torch.ones(2)})
        for n in (1, 2)
    )
    save_checkpoint(tmp_path, earlier)
    shutil.copytree(tmp_path / "step-1", tmp_path / "kept")
    save_checkpoint(tmp_path, later)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["kept", "step-2"]
    (tmp_path / "kept").rename(tmp_path / "step-1")  # as when killed before the earlier one was removed
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found.facts["step"] == 2
    file = tmp_path / "step-2" / part
    data = file.read_bytes()
    match damage:
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case "empty":
            file.write_bytes(b"")
        case "flipped":
            file.write_bytes(data[:-2] + bytes([data[-2] ^ 1]) + data[-1:])
        case _:
            file.unlink()
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found.facts["step"] == 1
    assert found.parameters["a"].tolist() == [1.0, 1.0, 1.0]


def test_a_damaged_checkpoint_alone_means_training_from_the_start(
    straight: Any, fresh_encoder: Fresh, tmp_path: Path
) -> None:
    with pytest.raises(KilledError):
        resumable(fresh_encoder, tmp_path, 8)
    (file,) = tmp_path.glob("step-8/optimizer.safetensors")
    file.write_bytes(file.read_bytes()[:-100])
    again = resumable(fresh_encoder, tmp_path)
    assert again[1] == straight[1]
    assert same(again[0], straight[0])


def test_a_draft_that_a_kill_left_behind_is_no_checkpoint_and_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".draft").mkdir()
    (tmp_path / ".draft" / "parameters.safetensors").write_bytes(b"half")
    assert load_checkpoint(tmp_path) is None
    save_checkpoint(tmp_path, Checkpoint({"step": 1}, {"a": torch.ones(1)}, {}, None))
    assert [p.name for p in tmp_path.iterdir()] == ["step-1"]
    found = load_checkpoint(tmp_path)
    assert found is not None
    assert found.best is None
    assert dataclasses.asdict(found)["facts"] == {"step": 1}


# Memory


def test_out_of_memory_names_the_micro_batch_and_what_to_lower(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    encoder.backbone.register_forward_pre_hook(lambda module, args: torch.empty(1 << 60))
    settings = Training(batch_size=4, micro_tokens=100)
    with pytest.raises(UserError) as raised:
        train(modules(encoder, head), [objective], [1.0], 2, settings, seed=1, device=CPU)
    assert raised.value.where == "training.micro_tokens"
    assert re.search(r"out of memory while computing \d+ rows of up to \d+ tokens in step 1 of pair", str(raised.value))
    assert "lower micro_tokens (now 100) or max_length (now 128)" in str(raised.value)


def test_out_of_memory_in_a_batch_that_is_never_cut_names_its_size(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, "query")
    encoder.backbone.register_forward_pre_hook(lambda module, args: torch.empty(1 << 60))
    with pytest.raises(UserError, match=r"(?s)training.batch_size: out of memory .* lower batch_size \(now 4\)"):
        train(modules(encoder, head), [objective], [1.0], 2, Training(batch_size=4), seed=1, device=CPU)


# Numbers that are none


@pytest.mark.parametrize("kind", ["pair", "choice", "tagging", "span", "query"])
def test_training_stops_at_a_loss_that_is_no_number_and_names_the_step(kind: str, fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, kind)
    forward, calls = objective.forward, []

    def third_is_broken(batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        calls.append(batch)
        step = 1 + (len(calls) - 1) // len(objective.batch([Visit(0), Visit(1)], 0))
        return forward(batch, embeddings) * (float("nan") if step == 3 else 1.0)

    objective.forward = third_is_broken  # type: ignore[method-assign]
    settings = Training(batch_size=2, micro_tokens=100_000, learning_rate=1e-4)
    with pytest.raises(UserError, match=rf"the loss of step 3 of 5 \({kind}\) is nan") as raised:
        train(modules(encoder, head), [objective], [1.0], 5, settings, seed=1, device=CPU)
    assert raised.value.where == "training"
    assert all(p.isfinite().all() for p in encoder.backbone.parameters())


def test_training_stops_at_a_gradient_that_is_no_number_also_without_clipping(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    head, objective = task(encoder, "pair")
    next(iter(head.module.parameters())).register_hook(lambda gradient: gradient * float("inf"))
    with pytest.raises(UserError, match=r"the gradient of step 1 of 2 \(pair\) is (inf|nan)"):
        train(modules(encoder, head), [objective], [1.0], 2, Training(batch_size=4, clip=0.0), seed=1, device=CPU)


# Dropout


def test_the_dropout_of_a_micro_batch_does_not_depend_on_what_the_others_hold(fresh_encoder: Fresh) -> None:
    """The second of two micro-batches sees the same masks whether the first is short or long."""

    def second_outputs(length: int) -> torch.Tensor:
        encoder = fresh_encoder()
        short = [replace(PAIRS[i], first=("fox " * length).strip(), second="", label=0) for i in (0, 1)]
        long = [replace(PAIRS[i], first="dog " * 30, second="", label=1) for i in (2, 3)]
        head = attach(encoder, "pair", LABELS, seed=1)
        objective = task_objective("pair", encoder, head, [*short, *long], max_length=48)
        seen: list[torch.Tensor] = []
        encoder.backbone.register_forward_hook(lambda module, args, out: seen.append(out.last_hidden_state.detach()))
        settings = Training(batch_size=4, micro_tokens=100, dropout=0.3, clip=0.0)
        train(modules(encoder, head), [objective], [1.0], 1, settings, seed=1, device=CPU)
        assert len(seen) == 2
        return seen[1]

    assert torch.equal(second_outputs(3), second_outputs(12))


def test_the_seed_of_dropout_is_that_of_seed_step_and_micro_batch() -> None:
    seeds = [dropout_seed(*of) for of in ((1, 0, 0), (2, 0, 0), (1, 1, 0), (1, 0, 1), (0, 1, 1))]
    assert len(set(seeds)) == 5
    assert dropout_seed(1, 0, 0) == seeds[0]
    assert all(0 <= s < 2**63 for s in seeds)


# Kernels


@pytest.mark.parametrize(("precision", "kernel"), [("fp32", "Flash"), ("bf16", "Math")])
def test_in_bf16_on_a_cpu_training_uses_the_math_kernel_of_attention(precision: str, kernel: str) -> None:
    """Its backward pass is the fast one there; without dropout PyTorch would choose flash attention."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    q = torch.randn(2, 2, 8, 4, dtype=dtype, requires_grad=True)
    with training_attention(CPU, precision):
        out = torch.nn.functional.scaled_dot_product_attention(q, q, q)
    assert ("Flash" in type(out.grad_fn).__name__) == (kernel == "Flash")
