"""What a step minimises: the objectives of labelled tasks, one class for all heads and one for retrieval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, assert_never

import numpy as np
import torch

from crosswind.data.examples import Example, Pool
from crosswind.errors import UserError
from crosswind.model.encoder import Encoder
from crosswind.model.heads import Head
from crosswind.model.lengths import overlap
from crosswind.model.rows import (
    Row,
    encode_choices,
    encode_pairs,
    encode_queries,
    encode_spans,
    encode_tagging,
    encode_texts,
)
from crosswind.train.objective import Batch, Decision, Visit, cross_entropy, model_inputs, padded, single


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

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        return self.rows_of[index]

    def terms(self, index: int, epoch: int = 0) -> int:
        if self.head.kind == "tagging":
            return len(self.targets[index])
        return len(self.rows(index, epoch)) if self.head.kind == "span" else 1

    def batch(self, visits: Sequence[Visit], step: int) -> tuple[Batch, ...]:
        rows = [self.rows(*visit) for visit in visits]
        inputs = padded([r for of_example in rows for r in of_example], self.encoder)
        golds = [self.targets[visit.example] for visit in visits]
        match self.head.kind:
            case "pair":
                targets = {"gold": torch.tensor(golds)}
            case "choice":
                targets = {"gold": torch.tensor(golds), "counts": torch.tensor([len(r) for r in rows])}
            case "tagging":
                targets = _tag_targets(rows, golds)
            case "span":
                targets = {"gold": torch.tensor([t for gold in golds for t in gold])}
            case "query":
                raise ValueError("queries are trained by RetrievalObjective")
            case other:
                assert_never(other)
        return (Batch(inputs, targets),)

    def forward(self, batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        return self.head(model_inputs(batch, embeddings))

    def decisions(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> list[Decision]:
        (batch,), (output,) = batches, outputs
        out, targets = single(output), batch.targets
        match self.head.kind:
            case "pair":
                return [Decision(out, targets["gold"])]
            case "choice":
                return [Decision(_choice_table(out, targets["counts"]), targets["gold"])]
            case "tagging":
                return [Decision(out[targets["row"], targets["position"]], targets["gold"])]
            case "span":
                attended = batch.inputs["attention_mask"].sum(1, keepdim=True)
                pads = (torch.arange(out.shape[1], device=out.device) >= attended).unsqueeze(-1)
                scores = out.masked_fill(pads, torch.finfo(out.dtype).min)
                return [Decision(scores[..., i], targets["gold"][:, i], 0.5) for i in (0, 1)]
            case "query":
                raise ValueError("queries are trained by RetrievalObjective")
            case other:
                assert_never(other)

    def loss(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return cross_entropy(self.decisions(batches, outputs))


def _choice_table(scores: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """Scores `(rows,)` that come example by example as a table `(examples, most choices)`."""
    most = int(counts.max())
    table = scores.new_full((len(counts), most), torch.finfo(scores.dtype).min)
    mask = torch.arange(most, device=scores.device)[None, :] < counts[:, None]
    return table.masked_scatter(mask, scores)


def _tag_targets(rows: Sequence[Sequence[Row]], golds: Sequence[Sequence[int]]) -> dict[str, torch.Tensor]:
    """Where each word's first piece lies (row and position), and its tag."""
    numbers: list[int] = []
    positions: list[int] = []
    tags: list[int] = []
    number = 0
    for of_example, gold in zip(rows, golds, strict=True):
        for row in of_example:
            numbers += [number] * len(row.positions)
            positions += row.positions.tolist()
            tags += gold[row.first : row.first + len(row.positions)]
            number += 1
    return {"row": torch.tensor(numbers), "position": torch.tensor(positions), "gold": torch.tensor(tags)}


@dataclass
class RetrievalObjective:
    """In-batch softmax of a dual encoder with a learnable scale (LAReQA, Roy et al. 2020, §5).

    Row 0 of an example is its query, row 1 its first gold candidate. A candidate that is right for
    another query of the batch too is not its negative; candidates of one text have one name in `gold` and `positive`,
    so that the same sentence is none wherever it stands.
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

    def rows(self, index: int, epoch: int = 0) -> Sequence[Row]:
        return self.rows_of[index]

    def terms(self, index: int, epoch: int = 0) -> int:
        return 1

    def batch(self, visits: Sequence[Visit], step: int) -> tuple[Batch, ...]:
        """The queries and their candidates; `right[a, b]`: the candidate of `b` is right for the query of `a` too."""
        indices = [visit.example for visit in visits]
        right = torch.tensor([[self.positive[b] in self.gold[a] for b in indices] for a in indices])
        right.fill_diagonal_(False)
        queries, candidates = (padded([self.rows(*v)[which] for v in visits], self.encoder) for which in (0, 1))
        return Batch(queries), Batch(candidates, {"right": right})

    def forward(self, batch: Batch, embeddings: torch.Tensor | None = None) -> torch.Tensor:
        return self.head(model_inputs(batch, embeddings))

    def decisions(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> list[Decision]:
        scale: torch.Tensor = self.head.module.log_scale.exp()  # type: ignore[operator]
        queries, candidates = (single(output) for output in outputs)
        # Autocast would compute the cosines in bf16, where those of 0.64 to 1.28 times 100 are half a point apart.
        with torch.autocast(queries.device.type, enabled=False):
            scores = scale * queries @ candidates.T
        scores = scores.masked_fill(batches[1].targets["right"], torch.finfo(scores.dtype).min)
        return [Decision(scores, torch.arange(len(scores), device=scores.device))]

    def loss(self, batches: Sequence[Batch], outputs: Sequence[torch.Tensor]) -> torch.Tensor:
        return cross_entropy(self.decisions(batches, outputs))


def task_objective(
    name: str,
    encoder: Encoder,
    head: Head,
    examples: Sequence[Any],
    *,
    max_length: int,
    query_length: int | None = None,
    stride: int | None = None,
    pool: Pool | None = None,
) -> TaskObjective | RetrievalObjective:
    """The objective of a labelled task; a `UserError` for examples without labels.

    `query_length` is that of a retrieval task's queries (default: `max_length`, as that of its candidates).
    """
    tokenizer = encoder.tokenizer
    targets: list[Any]
    match head.kind:
        case "query":
            return _retrieval(name, encoder, head, examples, pool, max_length, query_length or max_length)
        case "pair":
            rows = encode_pairs(tokenizer, examples, max_length)
            targets = [e.label for e in examples]
        case "choice":
            rows = encode_choices(tokenizer, examples, max_length)
            targets = [e.label for e in examples]
        case "tagging":
            rows = encode_tagging(tokenizer, examples, max_length)
            index = {label: i for i, label in enumerate(head.labels)}
            beyond = next((t for e in examples for t in e.tags or () if t not in index), None)
            if beyond is not None:
                hint = "the phase before trained the head on other tags: train both on all of the data"
                raise UserError(f"{name}: the head has no tag {beyond!r}", where=name, hint=hint)
            targets = [None if e.tags is None else [index[t] for t in e.tags] for e in examples]
        case "span":
            # A gold answer that stands nowhere in the context is no question without an answer.
            examples = [e for e in examples if e.answers or not e.unplaced]
            rows = encode_spans(tokenizer, examples, max_length, overlap(stride, max_length))
            targets = [None if e.answers is None else [] for e in examples]
        case other:
            assert_never(other)
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
    name: str,
    encoder: Encoder,
    head: Head,
    examples: Sequence[Any],
    pool: Pool | None,
    max_length: int,
    query_length: int,
) -> RetrievalObjective:
    if pool is None:
        raise UserError(f"{name}: a retrieval task without a pool of candidates", where=name)
    prefix = head.pooling.prefix if head.pooling else ""
    positives = [pool.candidates[pool.index[e.gold[0]]] for e in examples]
    queries = encode_queries(encoder.tokenizer, examples, query_length, prefix)
    texts = encode_texts(
        encoder.tokenizer, [prefix + c.text for c in positives], max_length, [c.context for c in positives]
    )
    rows = [[q, t] for q, t in zip(queries, texts, strict=True)]
    # One sentence may stand in two paragraphs, and is no negative of a query that it answers: its first id is for all.
    first: dict[str, str] = {}
    same = {c.id: first.setdefault(c.text, c.id) for c in pool.candidates}
    gold = [frozenset(same[name] for name in e.gold) for e in examples]
    return RetrievalObjective(name, head, encoder, rows, gold, [same[c.id] for c in positives])


def gathered(
    parts: Sequence[tuple[TaskObjective | RetrievalObjective, int]],
) -> TaskObjective | RetrievalObjective:
    """An objective of single examples of objectives of the same head, in the order given."""
    tasks = [(objective, i) for objective, i in parts if isinstance(objective, TaskObjective)]
    queries = [(objective, i) for objective, i in parts if isinstance(objective, RetrievalObjective)]
    if tasks and not queries:
        one = tasks[0][0]
        rows, targets = [o.rows_of[i] for o, i in tasks], [o.targets[i] for o, i in tasks]
        return TaskObjective(one.name, one.head, one.encoder, [o.examples[i] for o, i in tasks], rows, targets)
    if queries and not tasks:
        first = queries[0][0]
        gold, positive = [o.gold[i] for o, i in queries], [o.positive[i] for o, i in queries]
        return replace(first, rows_of=[o.rows_of[i] for o, i in queries], gold=gold, positive=positive)
    raise ValueError("examples of tasks and of retrieval have no batch in common")
