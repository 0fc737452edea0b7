"""What a step minimises: one objective a kind.

An objective sums the loss of some examples and counts their terms; the loop divides the sum over the
micro-batches by the batch's total, so a batch's gradient does not depend on how it was cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch.nn import functional as F

from crosswind.data.examples import Example, Pool
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.model.heads import Head
from crosswind.model.rows import (
    Row,
    encode_choices,
    encode_pairs,
    encode_queries,
    encode_spans,
    encode_tagging,
    encode_texts,
    pad,
)
from crosswind.train.batching import padded_length


class Objective(Protocol):
    """A source of training steps: `lengths` of its examples (tokens, for grouping) and the loss."""

    name: str
    whole_batch: bool  # in-batch negatives: never cut into micro-batches

    @property
    def lengths(self) -> Sequence[int]: ...

    @property
    def clusters(self) -> Sequence[str] | None:
        """What examples belong together, if anything does."""
        ...

    def rows(self, index: int) -> Sequence[Row]:
        """The rows of one example."""
        ...

    def terms(self, index: int, step: int) -> int:
        """How many loss terms the example contributes."""
        ...

    def loss(self, indices: Sequence[int], device: torch.device, step: int) -> torch.Tensor:
        """The summed loss of some examples."""
        ...


@dataclass
class TaskObjective:
    """Cross-entropy of one task's head. Unlabelled examples are refused."""

    name: str
    head: Head
    encoder: Encoder
    examples: Sequence[Example]
    rows_of: list[list[Row]]
    targets: list[Any]
    whole_batch: bool = False

    @property
    def lengths(self) -> Sequence[int]:
        return [max(len(r) for r in rows) for rows in self.rows_of]

    @property
    def clusters(self) -> Sequence[str] | None:
        # Translations of a cluster are other clusters: routes in many languages see as many texts a batch as others.
        return [f"{example.language} {example.cluster}" for example in self.examples]

    def rows(self, index: int) -> Sequence[Row]:
        return self.rows_of[index]

    def terms(self, index: int, step: int) -> int:
        if self.head.kind == "tagging":
            return len(self.targets[index])
        return len(self.rows_of[index]) if self.head.kind == "span" else 1

    def loss(self, indices: Sequence[int], device: torch.device, step: int) -> torch.Tensor:
        rows = [r for i in indices for r in self.rows_of[i]]
        batch = {k: v.to(device) for k, v in padded(rows, self.encoder).items()}
        out = self.head(batch).float()
        match self.head.kind:
            case "pair":
                gold = torch.tensor([self.targets[i] for i in indices], device=device)
                return F.cross_entropy(out, gold, reduction="sum")
            case "choice":
                return self._choice_loss(out, indices, device)
            case "tagging":
                return self._tagging_loss(out, indices, device)
            case _:
                gold = torch.tensor([t for i in indices for t in self.targets[i]], device=device)
                pads = (batch["attention_mask"] == 0).unsqueeze(-1)
                scores = out.masked_fill(pads, torch.finfo(out.dtype).min)
                start = F.cross_entropy(scores[..., 0], gold[:, 0], reduction="sum")
                return (start + F.cross_entropy(scores[..., 1], gold[:, 1], reduction="sum")) / 2

    def _choice_loss(self, scores: torch.Tensor, indices: Sequence[int], device: torch.device) -> torch.Tensor:
        counts = [len(self.rows_of[i]) for i in indices]
        table = scores.new_full((len(indices), max(counts)), torch.finfo(scores.dtype).min)
        mask = torch.arange(max(counts), device=device)[None, :] < torch.tensor(counts, device=device)[:, None]
        table = table.masked_scatter(mask, scores)
        gold = torch.tensor([self.targets[i] for i in indices], device=device)
        return F.cross_entropy(table, gold, reduction="sum")

    def _tagging_loss(self, out: torch.Tensor, indices: Sequence[int], device: torch.device) -> torch.Tensor:
        which: list[int] = []
        where: list[int] = []
        gold: list[int] = []
        row_number = 0
        for i in indices:
            for row in self.rows_of[i]:
                which += [row_number] * len(row.positions)
                where += row.positions.tolist()
                gold += self.targets[i][row.first : row.first + len(row.positions)]
                row_number += 1
        picked = out[torch.tensor(which, device=device), torch.tensor(where, device=device)]
        return F.cross_entropy(picked, torch.tensor(gold, device=device), reduction="sum")


@dataclass
class RetrievalObjective:
    """In-batch softmax of a dual encoder with a learnable scale (LAReQA, Roy et al. 2020, §5).

    Row 0 of an example is its query, row 1 its first gold candidate. A candidate that is right for
    another query of the batch too is not its negative.
    """

    name: str
    head: Head
    encoder: Encoder
    rows_of: list[list[Row]]
    gold: list[frozenset[str]]
    positive: list[str]
    clusters: Sequence[str] | None = None  # its negatives come from everywhere
    whole_batch: bool = True

    @property
    def lengths(self) -> Sequence[int]:
        return [max(len(r) for r in rows) for rows in self.rows_of]

    def rows(self, index: int) -> Sequence[Row]:
        return self.rows_of[index]

    def terms(self, index: int, step: int) -> int:
        return 1

    def loss(self, indices: Sequence[int], device: torch.device, step: int) -> torch.Tensor:
        def embed(which: int) -> torch.Tensor:
            batch = padded([self.rows_of[i][which] for i in indices], self.encoder)
            return self.head({k: v.to(device) for k, v in batch.items()})

        scale: torch.Tensor = self.head.module.log_scale.exp()  # type: ignore[operator]
        queries, candidates = embed(0).float(), embed(1).float()
        # Autocast would compute the cosines in bf16, where those of 0.64 to 1.28 times 100 are half a point apart.
        with torch.autocast(device.type, enabled=False):
            scores = scale * queries @ candidates.T
        right = torch.tensor([[self.positive[b] in self.gold[a] for b in indices] for a in indices], device=device)
        right.fill_diagonal_(False)
        scores = scores.masked_fill(right, torch.finfo(scores.dtype).min)
        return F.cross_entropy(scores, torch.arange(len(indices), device=device), reduction="sum")


def padded(rows: Sequence[Row], encoder: Encoder) -> dict[str, torch.Tensor]:
    """A training batch `(rows, length)`, padded to a step of `padded_length` within the encoder's positions."""
    longest = max(len(r) for r in rows)
    length = max(min(padded_length(longest), encoder.max_positions), longest)
    return pad(rows, encoder.tokenizer.pad_token_id, length=length)


def task_objective(
    name: str,
    encoder: Encoder,
    head: Head,
    examples: Sequence[Any],
    *,
    max_length: int,
    stride: int = 128,
    pool: Pool | None = None,
) -> TaskObjective | RetrievalObjective:
    """The objective of a labelled task; a `UserError` for examples without labels."""
    tokenizer = encoder.tokenizer
    if head.kind == "query":
        return _retrieval(name, encoder, head, examples, pool, max_length)
    match head.kind:
        case "pair":
            rows = encode_pairs(tokenizer, examples, max_length)
            targets: list[Any] = [e.label for e in examples]
        case "choice":
            rows = encode_choices(tokenizer, examples, max_length)
            targets = [e.label for e in examples]
        case "tagging":
            rows = encode_tagging(tokenizer, examples, max_length)
            index = {label: i for i, label in enumerate(head.labels)}
            targets = [None if e.tags is None else [index[t] for t in e.tags] for e in examples]
        case _:
            rows = encode_spans(tokenizer, examples, max_length, stride)
            targets = [None if e.answers is None else [] for e in examples]
    if any(t is None for t in targets):
        bad = next(e for e, t in zip(examples, targets, strict=True) if t is None)
        raise UserError(
            f"{name}: example {bad.id} has no label", where=name, hint="train on a labelled split (see `list tasks`)"
        )
    grouped: list[list[Row]] = [[] for _ in examples]
    for row in rows:
        grouped[row.owner].append(row)
    if head.kind == "span":
        targets = [[_span_target(r, e) for r in grouped[i]] for i, e in enumerate(examples)]
    return TaskObjective(name, head, encoder, examples, grouped, targets)


def _span_target(row: Row, example: Any) -> tuple[int, int]:
    """Token positions of the first answer in this window; (0, 0), the first token, if it is not there.

    Tokens that share a character (bytes of an emoji, halves of a Thai sara am) may reach beyond the
    answer: a token that begins or ends just where the answer does goes before one that overlaps it.
    """
    if not example.answers or row.offsets is None:
        return 0, 0
    answer = example.answers[0]
    starts, ends = row.offsets[:, 0], row.offsets[:, 1]
    inside = np.flatnonzero((ends > answer.start) & (starts < answer.end))
    if len(inside) == 0:
        return 0, 0
    cut_before = inside[0] == 0 and starts[0] > answer.start
    cut_behind = inside[-1] == len(ends) - 1 and ends[-1] < answer.end
    if cut_before or cut_behind:
        return 0, 0
    exact_start = inside[starts[inside] == answer.start]
    exact_end = inside[ends[inside] == answer.end]
    first = int(exact_start[0] if len(exact_start) else inside[0])
    last = int(exact_end[-1] if len(exact_end) else inside[-1])
    return int(row.positions[first]), int(row.positions[last])


def _retrieval(
    name: str, encoder: Encoder, head: Head, examples: Sequence[Any], pool: Pool | None, max_length: int
) -> RetrievalObjective:
    if pool is None:
        raise UserError(f"{name}: a retrieval task without a pool of candidates", where=name)
    prefix = head.pooling.prefix if head.pooling else ""
    positives = [pool.candidates[pool.index[e.gold[0]]] for e in examples]
    queries = encode_queries(encoder.tokenizer, examples, max_length, prefix)
    texts = encode_texts(
        encoder.tokenizer, [prefix + c.text for c in positives], max_length, [c.context for c in positives]
    )
    rows = [[q, t] for q, t in zip(queries, texts, strict=True)]
    gold = [frozenset(e.gold) for e in examples]
    return RetrievalObjective(name, head, encoder, rows, gold, [e.gold[0] for e in examples])
