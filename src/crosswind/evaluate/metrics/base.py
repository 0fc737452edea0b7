"""What a metric is: it judges predictions into statistics per item, and scores the sums of these.

The metrics, as `Task.metrics` names them, and the keys that each reports (the headline first):

    accuracy           accuracy                                XNLI, PAWS-X, XCOPA, Tatoeba
    error-rate         error_rate                              100 - accuracy: lower is better
    seqeval-f1         f1 precision recall token_accuracy      UD-POS, PAN-X (seqeval 0.0.12, as published)
    seqeval-f1-new     f1 precision recall token_accuracy      the same with seqeval >= 0.0.16
    seqeval-f1-strict  f1 precision recall token_accuracy      seqeval 1.2.2, mode="strict", scheme=IOB2 (PAN-X)
    token-accuracy     token_accuracy
    squad              f1 exact_match                          XQuAD, TyDiQA-GoldP, SQuAD 1.1
    squad2             f1 exact_match                          SQuAD 2.0
    mlqa               f1 exact_match                          MLQA
    checklist-error    error_rate, and one of each test        MultiCheckList: lower is better
    map@20             map@20 map mrr                          LAReQA, Mewsli-X
    map                map map@20 mrr                          LAReQA as its own paper scores it
    mrr                mrr mrr@20                              reciprocal rank, uncut and cut
    bucc-f1            f1 precision recall                     BUCC, mined pairs; threshold of its dev set
    set-f1             f1 precision recall                     BUCC, pairs of a submission

A metric never sees a model or an interval, and whoever resamples never looks inside a metric: it
sums the rows of an `(items, k)` array and asks for the score of the sums. `evaluate.judge` calls a
metric's `judge` and `fit` and checks what goes in and what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from crosswind.data.examples import KINDS, Kind
from crosswind.errors import UserError, unknown
from crosswind.registry import Registry

Array = NDArray[np.float64]
Score = Callable[[Array], Array]
"""Sums of the statistics `(..., k)` -> scores `(...)` in percent points, 0 to 100."""
Better = Literal["higher", "lower"]
ROUNDED = 1e-6  # what a sum may be off by


@dataclass(frozen=True, eq=False)
class Judged:
    """What a metric makes of a test set: rows with an id, a cluster and `statistics` `(rows, k)`.

    An id names something that exists before any prediction (an example, a source-side sentence), so
    that rows of two models, or of the clean and the perturbed set, can be paired.
    """

    ids: tuple[str, ...]
    clusters: tuple[str, ...]
    statistics: Array

    @classmethod
    def by_example(cls, examples: Sequence[Any], statistics: Array) -> Judged:
        """One row an example, with the example's id and cluster."""
        return cls(tuple(e.id for e in examples), tuple(e.cluster for e in examples), statistics)


@dataclass(frozen=True)
class AnswerTokens:
    """How a metric cuts the answers of a language into tokens.

    `name` is signed where it is not empty; `note` is a sentence for the reader of the score.
    """

    name: str = ""
    note: str = ""


Judge = Callable[[Sequence[Any], Sequence[Any], Mapping[str, float]], Judged]
"""Examples, their predictions (`evaluate.predictions.Prediction`) in the same order, and what was fitted."""
Fit = Callable[[Sequence[Any], Sequence[Any]], Mapping[str, float]]
"""Development examples and their predictions -> named numbers that judging needs (a threshold)."""


@dataclass(frozen=True)
class Metric:
    """A metric: how predictions are judged, the names of its `k` statistics, and scores of their sums.

    `scores` maps a metric key to its vectorised function, the headline first. `version` is raised
    when a number may change; `settings` are what else two comparable scores must share. `judge`
    makes the statistics; with `fit`, it needs numbers that are fitted on development data. `kinds`
    are the kinds of examples that it can judge. `better` says whether quality is a `higher` or a
    `lower` score. `chance` gives what guessing is expected to score, as a function of the same sums.
    `sparse`: a row that is missing stands for zeros (and is no unit that resampling draws).
    `tokens` says how the texts of a language are cut, where that depends on the language.
    `task_score` names the keys whose mean is the task's score in a benchmark average (QA: EM and F1).
    `formula` says in a line what the headline is, `source` where that is defined; `unknown_chance` why nobody knows
    what guessing scores, where `chance` is left out.
    """

    name: str
    version: int
    columns: tuple[str, ...]
    scores: Mapping[str, Score]
    judge: Judge
    fit: Fit | None = None
    better: Better = "higher"
    chance: Score | None = None
    sparse: bool = False
    kinds: tuple[Kind, ...] = KINDS
    task_score: tuple[str, ...] = ()
    tokens: Callable[[str], AnswerTokens] | None = None
    settings: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    formula: str = ""
    source: str = ""
    unknown_chance: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of its scores, the headline first."""
        return tuple(self.scores)

    @property
    def headline(self) -> str:
        """The key of the score that summaries report."""
        return self.keys[0]

    def score(self, sums: Array, key: str | None = None) -> Array:
        """Scores `(...)` in points of summed statistics `(..., k)`, for `key` or the headline."""
        sums = np.asarray(sums, dtype=np.float64)
        if sums.shape[-1] != len(self.columns):
            raise ValueError(f"{self.name} needs {len(self.columns)} statistics {self.columns}, got {sums.shape[-1]}")
        return self.function(key)(sums)

    def function(self, key: str | None = None) -> Score:
        """The score function of `key`, or of the headline; a `UserError` if there is none."""
        key = key or self.headline
        if key not in self.scores:
            raise unknown("metric key", key, self.keys, where=self.name)
        return self.scores[key]

    def all_scores(self, statistics: Array) -> dict[str, float]:
        """Every key's score in points of the items `(items, k)`; a `UserError` for one that is not between 0 and 100,
        where intervals end."""
        sums = np.asarray(statistics, dtype=np.float64).sum(axis=0)
        scores = {key: float(self.score(sums, key)) for key in self.keys}
        for key, value in scores.items():
            if value < -ROUNDED or value > 100 + ROUNDED:
                raise UserError(
                    f"scores {value:g} points of {key}: scores lie between 0 and 100",
                    where=f"metric {self.name}",
                    hint="rescale it (a correlation r to 50 + 50 r)",
                )
        return scores

    def chance_score(self, statistics: Array) -> float | None:
        """What guessing is expected to score in points on the items `(items, k)`; `None` if that is not known."""
        if self.chance is None:
            return None
        if not len(statistics):
            return 0.0
        return float(self.chance(np.asarray(statistics, dtype=np.float64).sum(axis=0)))

    def benchmark_score(self, scores: Mapping[str, float]) -> float:
        """The task's score in a benchmark average: the mean of its `task_score` keys."""
        keys = self.task_score or (self.headline,)
        return sum(scores[k] for k in keys) / len(keys)

    def signature(self, **items: Any) -> str:
        """`metric=squad|version=1|normaliser=english|…`, with the caller's items (layer, device, …) sorted."""
        declared = {"metric": self.name, "version": self.version, **self.settings}
        given = {k: items[k] for k in sorted(items) if items[k] is not None}
        if clash := declared.keys() & given.keys():
            raise ValueError(f"a signature sets {', '.join(sorted(clash))} itself")
        pairs = {k: str(v) for k, v in {**declared, **given}.items()}
        for k, v in pairs.items():
            if "|" in v or "|" in k or "=" in k:
                raise ValueError(f"a signature cannot hold {k!r}: {v!r}")
        return "|".join(f"{k}={v}" for k, v in pairs.items())


METRICS: Registry[Metric] = Registry("metric", "crosswind.evaluate.metrics", "crosswind.metrics", Metric)


def parse_signature(signature: str) -> dict[str, str]:
    """The name=value pairs of a signature."""
    pairs = (part.partition("=") for part in signature.split("|") if part)
    return {name: value for name, _, value in pairs}


def unfitted(signature: str) -> str:
    """A signature without what was fitted to a model (a threshold), which every training has its own of."""
    return "|".join(part for part in signature.split("|") if not part.startswith("fitted "))


def differences(a: str, b: str) -> dict[str, tuple[str | None, str | None]]:
    """What two signatures disagree on: name -> (value in a, value in b), `None` where absent."""
    x, y = parse_signature(a), parse_signature(b)
    return {k: (x.get(k), y.get(k)) for k in sorted(x.keys() | y.keys()) if x.get(k) != y.get(k)}


def comparable(a: str, b: str) -> bool:
    """Whether two scores with these signatures may be compared: they agree on everything."""
    return not differences(a, b)


def require_comparable(a: str, b: str, *, where: str | None = None) -> None:
    """A `UserError` that names what two signatures disagree on, if anything."""
    if unequal := differences(a, b):
        text = ", ".join(f"{k} ({x or 'unset'} against {y or 'unset'})" for k, (x, y) in unequal.items())
        raise UserError(
            f"these scores cannot be compared: they differ in {text}",
            where=where,
            hint="score both with the same settings",
        )


def ratio(numerator: Array, denominator: Array, *, empty: float) -> Array:
    """100 * numerator / denominator in points; `empty` where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    out = np.full(numerator.shape, empty, dtype=np.float64)
    np.divide(numerator, denominator, out=out, where=denominator > 0)
    return np.where(denominator > 0, out * 100.0, empty)


def mean_of(column: int, count: int) -> Score:
    """The mean of a column over a count column, in points; NaN of no items."""

    def score(sums: Array) -> Array:
        return ratio(sums[..., column], sums[..., count], empty=float("nan"))

    return score


def f1_scores(tp: int = 0, predicted: int = 1, gold: int = 2) -> dict[str, Score]:
    """Micro F1, precision and recall in points of three count columns; 0 where undefined."""

    def f1(sums: Array) -> Array:
        return ratio(2 * sums[..., tp], sums[..., predicted] + sums[..., gold], empty=0.0)

    def precision(sums: Array) -> Array:
        return ratio(sums[..., tp], sums[..., predicted], empty=0.0)

    def recall(sums: Array) -> Array:
        return ratio(sums[..., tp], sums[..., gold], empty=0.0)

    return {"f1": f1, "precision": precision, "recall": recall}
