"""Contrastive pretraining against a plain transcription, and its noise, which is drawn anew in every epoch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.perturb.spec import parse_spec
from crosswind.train.contrastive import ContrastiveMaskedLM, contrastive_masked_lm, noisy_sides
from crosswind.train.loop import train
from crosswind.train.masked import sides_of
from crosswind.train.objective import Visit
from crosswind.train.settings import Training

Fresh = Callable[..., Encoder]

LINES: list[TextLine | ParallelLine] = [
    *(TextLine(f"t/{i}", "en", f"the brown dog number {i} jumps over the lazy fox") for i in range(5)),
    TextLine("t/5", "en", "the brown dog number 0 jumps over the lazy fox"),
    ParallelLine("p/0", (("en", "the old house"), ("es", "la casa vieja"))),
]
NOISE = [parse_spec("swap:0.9"), parse_spec("duplicate:0.9")]


def objective_of(encoder: Encoder, *, weight: float = 0.7, temperature: float = 0.1) -> ContrastiveMaskedLM:
    return contrastive_masked_lm(
        "mlm", encoder, LINES, NOISE, weight=weight, temperature=temperature, max_length=64, seed=3, batch_size=7
    )


def loss_of(objective: ContrastiveMaskedLM, visits: list[Visit], step: int) -> torch.Tensor:
    """As the loop computes it."""
    batches = objective.batch(visits, step)
    outputs = [objective.forward(batch) for batch in batches]
    return objective.loss(batches, outputs) / sum(objective.terms(*visit) for visit in visits)


def transcription(
    objective: ContrastiveMaskedLM, visits: list[Visit], step: int, weight: float, t: float
) -> torch.Tensor:
    """The mean masked-LM loss over all masked pieces, and the mean of -log softmax over cosines, pair by pair."""
    model = objective.encoder.lm
    assert model is not None
    clean, noisy = objective.batch(visits, step)
    masked, vectors = [], []
    for batch in (clean, noisy):
        result = model(**batch.inputs, output_hidden_states=True)
        losses = F.cross_entropy(result.logits[batch.targets["chosen"]], batch.targets["gold"], reduction="none")
        masked += list(losses)
        for hidden, mask in zip(result.hidden_states[-1], batch.inputs["attention_mask"], strict=True):
            vectors.append(hidden[mask == 1].mean(0))
    n = len(visits)
    texts = [objective.clean.rows(visit.example)[0].ids.tolist() for visit in visits]
    pairs = []
    for i in range(n):
        for side in (0, 1):
            terms = {
                j: F.cosine_similarity(vectors[i + side * n], vectors[j + (1 - side) * n], dim=0) / t
                for j in range(n)
                if j == i or texts[j] != texts[i]
            }
            pairs.append(torch.logsumexp(torch.stack([*terms.values()]), 0) - terms[i])
    return torch.stack(masked).mean() + weight * torch.stack(pairs).mean()


def test_loss_and_gradient_are_those_of_a_transcription(fresh_encoder: Fresh) -> None:
    encoder = fresh_encoder()
    encoder.modules().double().eval()
    objective = objective_of(encoder)
    visits = [Visit(i, 1 if i == 2 else 0) for i in range(len(LINES))]
    assert bool(objective.batch(visits, 4)[1].targets["same"][0, 5])  # the same text is no negative
    parameters = dict(encoder.modules().named_parameters())
    gradients = []
    losses = []
    for loss in (loss_of(objective, visits, 4), transcription(objective, visits, 4, 0.7, 0.1)):
        grads = torch.autograd.grad(loss, list(parameters.values()), allow_unused=True)
        gradients.append({n: g for n, g in zip(parameters, grads, strict=True) if g is not None})
        losses.append(float(loss.detach()))
    assert losses[0] == pytest.approx(losses[1], abs=1e-9)
    assert gradients[0].keys() == gradients[1].keys()
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], atol=1e-9), name
    plain = float(loss_of(objective_of(encoder, weight=1e-9), visits, 4).detach())
    assert losses[0] > plain + 0.1


def test_every_epoch_draws_other_noise_and_the_same_one_again(fresh_encoder: Fresh) -> None:
    objective = objective_of(fresh_encoder())
    rows = [[objective.rows(i, epoch)[1].ids.tolist() for i in range(7)] for epoch in (0, 1, 0)]
    clean = [objective.rows(i)[0].ids.tolist() for i in range(7)]
    assert rows[0] == rows[2]
    assert rows[0] != rows[1]
    assert all(noisy != usual for noisy, usual in zip(rows[0], clean, strict=True))
    assert objective.terms(0) == objective.clean.terms(0) + objective.noisy.terms(0)


def test_lines_are_divided_among_the_noise_and_what_has_none_stays() -> None:
    lines = [TextLine(f"x/{i}", language, "Hello there, dear World") for i in range(60) for language in ("en", "zh")]
    noise = [parse_spec("case:1"), parse_spec("swap:1")]
    sides = sides_of(lines, 1)
    made = [first[1] for first, _ in noisy_sides(sides, noise, seed=1, epoch=0)]
    of_english = made[::2]
    cased = sum(text.lower() == "hello there, dear world" for text in of_english)
    assert 15 < cased < 45
    pair = noisy_sides([(("en", "an old house"), ("es", "una casa vieja"))], [parse_spec("swap:1")], seed=1, epoch=0)
    ((first, second),) = pair
    assert second is not None
    assert first[1] != "an old house"
    assert second[1] != "una casa vieja"


def test_a_killed_pretraining_goes_on_to_the_same_weights(fresh_encoder: Fresh, tmp_path: Path) -> None:
    def run(folder: Path | None, steps: int = 4) -> dict[str, torch.Tensor]:
        encoder = fresh_encoder()
        settings = Training(batch_size=3, learning_rate=1e-3, decay="constant")
        modules = {"encoder": encoder.modules()}
        train(modules, [objective_of(encoder)], [1.0], steps, settings, seed=1, folder=folder, interval=0)
        return {n: p.detach().clone() for n, p in encoder.modules().named_parameters()}

    whole = run(None)
    run(tmp_path, 2)
    resumed = run(tmp_path)
    assert all(torch.equal(whole[n], resumed[n]) for n in whole)


def test_an_encoder_whose_head_reads_more_is_refused(fresh_encoder: Fresh) -> None:
    with pytest.raises(UserError, match="more than hidden states"):
        objective_of(fresh_encoder("distilbert"))
