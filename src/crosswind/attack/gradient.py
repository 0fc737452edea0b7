"""Gradients of the goal loss by the input embeddings, and what they say of a change of the text.

To first order a change of tokens raises the loss by `sum of gradient . (new embedding - old embedding)` (Ebrahimi et
al. 2018, HotFlip, equation 1). The tokens that differ are those between the common beginning and end of two rows; where
their numbers differ, those beyond the shorter side are left out. It only orders alternatives: what counts is asked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, assert_never

import numpy as np
import torch

from crosswind.attack.goal import gold_tokens
from crosswind.attack.victim import ModelVictim
from crosswind.data.examples import ChoiceExample, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.predict import GRAIN
from crosswind.model.rows import Padding, Row, encode_queries, pad

Gradient = list[tuple[Row, "np.ndarray[Any, np.dtype[np.float32]]"]]
"""The rows of an example, and the gradient `(length, width)` of the example's loss by the embeddings of each."""


def loss_gradients(victim: ModelVictim, examples: Sequence[Any]) -> list[Gradient]:
    """The gradients of labelled examples; a `UserError` where the architecture takes no embeddings as input."""
    rows, weights = _rows(victim, examples)
    predictor = victim.predictor
    groups: dict[tuple[int, bool, int], list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        length = min(-(-len(row) // GRAIN) * GRAIN, max(predictor.encoder.max_positions, len(row)))
        groups[length, len(row) == length, predictor.head.group(row)].append(i)
    padding = Padding.of(predictor.encoder.tokenizer)
    predictor.head.module.eval()
    made: dict[int, Any] = {}
    for (length, *_), members in sorted(groups.items()):
        height = predictor.height(length)
        for start in range(0, len(members), height):
            part = members[start : start + height]
            batch = pad([rows[i] for i in part], padding, height=height, length=length)
            made |= zip(
                part, _backward(victim, batch, [rows[i] for i in part], [weights[i] for i in part]), strict=False
            )
    gradients: list[Gradient] = [[] for _ in examples]
    for i, row in enumerate(rows):
        gradients[row.owner].append((row, made[i][: len(row)]))
    return gradients


def estimated_gains(victim: ModelVictim, base: Gradient, candidates: Sequence[Any]) -> list[float]:
    """By how much the loss would rise for each candidate, to first order around the example of `base`."""
    rows, _ = _rows(victim, candidates, weighed=False)
    owned: list[list[Row]] = [[] for _ in candidates]
    for row in rows:
        owned[row.owner].append(row)
    # What differs: the gradient there, and the numbers of the new and the old tokens.
    parts: list[tuple[int, Any, Any, Any]] = []
    for i, mine in enumerate(owned):
        for (old, gradient), new in zip(base, mine, strict=False):
            start, stop_old, stop_new = _differing(old.ids, new.ids)
            stop = min(stop_old, stop_new)
            if stop > start:
                parts.append((i, gradient[start:stop], new.ids[start:stop], old.ids[start:stop]))
    gains = [0.0] * len(candidates)
    if not parts:
        return gains
    # One look at the embeddings for all candidates: they differ in few tokens.
    known = np.unique(np.concatenate([np.asarray(ids) for _, _, *two in parts for ids in two]))
    predictor = victim.predictor
    with torch.no_grad():
        vectors = predictor.encoder.embeddings(torch.as_tensor(known, device=predictor.device)).double().cpu().numpy()
    for i, gradient, new_ids, old_ids in parts:
        step = vectors[np.searchsorted(known, new_ids)] - vectors[np.searchsorted(known, old_ids)]
        gains[i] += float((gradient.astype(np.float64) * step).sum())
    return gains


def _differing(a: Any, b: Any) -> tuple[int, int, int]:
    """Where two rows begin to differ, and where each ends to."""
    n, m = len(a), len(b)
    shorter = min(n, m)
    start = _alike(a[:shorter], b[:shorter])
    end = _alike(a[n - shorter + start :][::-1], b[m - shorter + start :][::-1])
    return start, n - end, m - end


def _alike(a: Any, b: Any) -> int:
    """How many tokens two rows of one length have in common at their beginnings."""
    differ = a != b
    first = int(differ.argmax()) if len(differ) else 0
    return first if len(differ) and differ[first] else len(differ)


def _rows(victim: ModelVictim, examples: Sequence[Any], *, weighed: bool = True) -> tuple[list[Row], list[Any]]:
    """All rows of the examples, and what of a row's output its example's loss takes."""
    predictor = victim.predictor
    if predictor.head.kind == "query":
        prefix = predictor.head.pooling.prefix if predictor.head.pooling else ""
        rows = encode_queries(predictor.encoder.tokenizer, examples, predictor.query_length, prefix)
        return rows, [victim.direction(examples[r.owner]) if weighed else None for r in rows]
    if not weighed:
        return predictor.rows(examples), []
    rows, weights = [], []
    for number, (example, outputs) in enumerate(zip(examples, predictor.outputs(examples), strict=True)):
        match example:
            case PairExample():
                mine: list[Any] = [example.label]
            case ChoiceExample():
                scores = torch.tensor([float(out) for _, out in outputs])
                share = torch.softmax(scores.double(), 0)
                share[example.label] -= 1
                mine = share.tolist()
            case TaggingExample():
                mine = [victim.gold_tags(example)] * len(outputs)
            case SpanExample():
                mine = [gold_tokens(example, row) for row, _ in outputs]
            case QueryExample():
                raise ValueError("queries have no outputs")
            case _:
                assert_never(example)
        for (row, _), weight in zip(outputs, mine, strict=True):
            rows.append(Row(row.ids, row.types, number, row.positions, row.first, row.offsets, row.cut))
            weights.append(weight)
    return rows, weights


def _backward(victim: ModelVictim, batch: dict[str, Any], rows: Sequence[Row], weights: Sequence[Any]) -> Any:
    predictor = victim.predictor
    moved = {k: v.to(predictor.device) for k, v in batch.items()}
    try:
        embedded = predictor.encoder.embeddings(moved.pop("input_ids")).detach().requires_grad_(True)
        with torch.enable_grad():
            out = predictor.head({"inputs_embeds": embedded, **moved}).float()
            losses = [_loss(predictor, out[i], row, w) for i, (row, w) in enumerate(zip(rows, weights, strict=True))]
            given = [loss for loss in losses if loss is not None]
            total = torch.stack(given).sum() if given else out.sum() * 0
        (gradient,) = torch.autograd.grad(total, embedded)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise UserError(
            f"{predictor.name} takes no embeddings as input, so it has no gradients by them ({error})",
            where="recipe",
            hint="attack it with a recipe that needs scores alone",
        ) from error
    return gradient.detach().float().cpu().numpy()


def _loss(predictor: Any, out: torch.Tensor, row: Row, weight: Any) -> torch.Tensor | None:
    """What a row gives to the loss of its example."""
    match predictor.head.kind:
        case "pair":
            return torch.nn.functional.cross_entropy(predictor.in_order(out), torch.tensor(weight, device=out.device))
        case "choice":
            weighed: torch.Tensor = out * weight
            return weighed
        case "tagging":
            gold = weight[row.first : row.first + len(row.positions)]
            known = [i for i, tag in enumerate(gold) if tag is not None]
            if not known:
                return None
            picked = out[torch.as_tensor(row.positions[known], device=out.device)]
            tags = torch.tensor([gold[i] for i in known], device=out.device)
            return torch.nn.functional.cross_entropy(picked, tags, reduction="sum") / max(1, len(weight))
        case "span":
            if not weight:
                return None
            start, end = weight[0]
            logs = torch.log_softmax(out[: len(row)], dim=0)
            return -logs[start, 0] - logs[end, 1]
        case _:
            nearer: torch.Tensor = out @ torch.as_tensor(weight, device=out.device, dtype=out.dtype)
            return nearer
