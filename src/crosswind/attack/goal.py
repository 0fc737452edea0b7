"""What an attack makes worse: the loss of the gold answer, and how right a prediction is.

| kind | loss | right |
|---|---|---|
| pair, choice | -log p(gold) | 1 or 0 |
| tagging | mean of -log p(gold tag) over the words | F1 of the sentence's entities (chunks) |
| span | -log p(start) - log p(end) of the likeliest gold answer | token F1 |
| query | the best wrong candidate's score minus the best gold one's | 1 where a gold candidate ranks first |

A higher loss is nearer to a success. Where there is a right and a wrong (pair, choice, query), a success is a
prediction that was right and is wrong.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from crosswind.data.examples import ChoiceExample, Example, Kind, PairExample, QueryExample, SpanExample, TaggingExample
from crosswind.evaluate.grid import Floats
from crosswind.evaluate.metrics.base import Metric
from crosswind.evaluate.metrics.tagging import chunk_statistics
from crosswind.evaluate.predictions import Prediction
from crosswind.model.rows import Row

GoalValues = npt.NDArray[np.float64]

BINARY: frozenset[Kind] = frozenset({"pair", "choice", "query"})
"""The kinds whose predictions are right or wrong, so that an attack can succeed."""


@dataclass(frozen=True, slots=True)
class GoalScores:
    """What a victim says of n examples: `loss` `(n,)` and `right` `(n,)` in [0, 1].

    `predictions` are what it predicts, where it says so.
    """

    loss: GoalValues
    right: GoalValues
    predictions: tuple[Prediction, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.loss)


def rightness(metric: Metric, example: Example, prediction: Prediction) -> float:
    """How right a prediction is, in [0, 1]; a tagged sentence without entities is right where none is predicted."""
    match example:
        case PairExample() | ChoiceExample():
            return float(prediction["predicted"] == example.label)
        case QueryExample():
            ranks = prediction["ranks"]
            return float(bool(ranks) and ranks[0] == 1)
        case TaggingExample():
            common, predicted, gold = chunk_statistics([prediction["tags"]], [example.tags or ()])[0, :3]
            return 2 * float(common) / float(predicted + gold) if predicted + gold else 1.0
        case SpanExample():
            key = "f1" if "f1" in metric.scores else metric.headline
            judged = metric.judge([example], [prediction], {})
            return float(metric.score(judged.statistics.sum(axis=0), key)) / 100


def class_loss(scores: Sequence[float] | npt.NDArray[np.floating], gold: int) -> float:
    """-log of the softmax of `scores` at `gold`, in float64."""
    values = np.asarray(scores, dtype=np.float64)
    highest = float(values.max())
    return highest + math.log(float(np.exp(values - highest).sum())) - float(values[gold])


def tagging_loss(outputs: Sequence[tuple[Row, Floats]], gold: Sequence[int | None]) -> float:
    """The mean of -log p(gold tag) over the words of a sentence's windows; a tag that is none of the model's is `None`
    and counts nothing."""
    total = 0.0
    for row, out in outputs:
        for i, position in enumerate(row.positions):
            tag = gold[row.first + i]
            total += 0.0 if tag is None else class_loss(out[position], tag)
    return total / max(1, len(gold))


def span_loss(example: SpanExample, outputs: Sequence[tuple[Row, Floats]]) -> float:
    """-log p(start) - log p(end) of the likeliest gold answer over all windows, each normalised over all their tokens.

    Of an unanswerable question the answer is the first token of a window. An answer that no window holds whole has
    the loss of the least likely tokens.
    """
    totals = [_log_sum([out[:, side] for _, out in outputs]) for side in (0, 1)]
    losses = []
    for row, out in outputs:
        values = out.astype(np.float64)
        for start, end in gold_tokens(example, row):
            losses.append(totals[0] - float(values[start, 0]) + totals[1] - float(values[end, 1]))
    if losses:
        return min(losses)
    lowest = [min(float(out[:, side].min()) for _, out in outputs) for side in (0, 1)]
    return totals[0] - lowest[0] + totals[1] - lowest[1]


def gold_tokens(example: SpanExample, row: Row) -> list[tuple[int, int]]:
    """The first and last token of each gold answer that a window holds whole; its first token where there is none."""
    if not example.answers:
        return [(0, 0)]
    if row.offsets is None or not len(row.positions):
        return []
    starts, ends = row.offsets[:, 0], row.offsets[:, 1]
    pairs = []
    for answer in example.answers:
        inside = np.flatnonzero((ends > answer.start) & (starts < answer.end))
        whole = len(inside) and starts[0] <= answer.start and answer.end <= ends[-1]
        if whole:
            pairs.append((int(row.positions[inside[0]]), int(row.positions[inside[-1]])))
    return pairs


def _log_sum(parts: Sequence[Floats]) -> float:
    values = np.concatenate([p.astype(np.float64) for p in parts])
    highest = float(values.max())
    return highest + math.log(float(np.exp(values - highest).sum()))
