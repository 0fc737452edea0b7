"""What an attack did to a test set in one language, with intervals.

    A        the score of the attacked examples before (the task's metric)
    A'       their score after; examples that were wrong before count as wrong
    success  of the examples that were right before, the share that the attack made wrong (`1 - A'/A` of an accuracy);
             for kinds with a right and a wrong
    gain     A' under the control (random draws from the same alternatives) minus A' under the attack; of a score that
             is better when lower, the other way round

Budgets are equal in one of two senses. The control may ask as often as the search may, and draws on where the search
has ended earlier (`control`, `gain`); or each example's control ends where its search has ended (`control_at_used`,
`gain_at_used`), read from the same draws. A curve holds A' itself, the task's metric over all items, each under its
worst text within so many queries or edits: its last value is A', but where a recipe adds to a pool: there a curve, and
what is at the queries used, is of each query beside its own copy, A' of all copies together.

Intervals are over clusters of items, of one model: A, A' and the control have the same ones, so that differences are
paired.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from crosswind.analysis.attack_points import AttackCurves
from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import SCORE_LIMITS, ClusterNumbers, Influence, Limits, cell_influence, weighted_sum
from crosswind.attack.outcome import refused_by_constraints
from crosswind.evaluate.metrics.base import Array, Metric, Score, mean_of


@dataclass(frozen=True)
class AttackedSet:
    """The outcomes of one attack on one test set, a row an example in one order.

    `outcomes` has the columns of `attack.run.outcome_table`, `clusters` `(items,)` the units that are resampled,
    `clean` and `attacked` `(items, k)` the metric's statistics before and after; `chrf` `(items,)` compares the texts,
    100 where nothing changed.
    """

    name: str
    budget: int
    outcomes: pl.DataFrame
    clusters: Sequence[str]
    clean: Array
    attacked: Array
    chrf: Sequence[float] = ()


@dataclass(frozen=True)
class AttackLine:
    """The figures of one attack in one language; shares and scores in points, curves as (at, A') and (at, success).

    Of the `of` examples of the test set `n` were attacked. `control` and `gain` are at the budget, `control_at_used`
    and `gain_at_used` at the queries that the search used for each example. `queries`, `passes` and `control_queries`
    are (median, 90th percentile) over attacked examples, and so is `before_change`, the queries that an example cost
    before its first changed text (to rank its words, for a gradient); `untried` is the share of attacked examples whose
    budget ended before any changed text was asked about; `edit_rate` (edits per word, no points) and `chrf` are means
    over the examples that the attack changed, with intervals over them, and so is `similarity`, the cosine of changed
    and original texts for the sentence encoder that a constraint names (none, or several: missing); `positions` is the
    median of the sites that could change, and `budget_per_position` the budget for each of them. `exhausted` is the
    share of attacked examples whose search had nothing more to ask before its budget ended (it had been through its
    space, or goes through it once as greedy searches do), `without_site` the share of right ones that had nothing to
    change. `refused` are the texts that constraints refused (median, 90th percentile), `given_up` the share of attacked
    examples that ended because constraints that ask a model had refused too many. Curves of the control are those
    of its draws, at its own budget.
    """

    target: str
    language: str
    attack: str
    budget: int
    n: int
    of: int
    before: Estimate
    after: Estimate
    success: Estimate | None
    control: Estimate | None
    gain: Estimate | None
    control_at_used: Estimate | None
    gain_at_used: Estimate | None
    queries: tuple[float, float]
    passes: tuple[float, float]
    control_queries: tuple[float, float] | None
    before_change: tuple[float, float]
    refused: tuple[float, float]
    untried: float
    given_up: float
    edit_rate: Estimate | None
    chrf: Estimate | None
    similarity: Estimate | None
    positions: float
    budget_per_position: float | None
    exhausted: float
    without_site: float
    over_budget: tuple[tuple[int, float], ...]
    over_edit_rate: tuple[tuple[float, float], ...]
    success_over_budget: tuple[tuple[int, float], ...] | None
    success_over_edit_rate: tuple[tuple[float, float], ...] | None
    control_over_budget: tuple[tuple[int, float], ...] | None
    control_over_edit_rate: tuple[tuple[float, float], ...] | None
    control_success_over_budget: tuple[tuple[int, float], ...] | None
    control_success_over_edit_rate: tuple[tuple[float, float], ...] | None

    def to_json(self) -> dict[str, Any]:
        """As plain data; of an estimate the score and its interval."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


def _plain(value: Any) -> Any:
    return {"score": value.score, "low": value.low, "high": value.high} if isinstance(value, Estimate) else value


@dataclass(frozen=True)
class AttackedExample:
    """An attacked example for a person: its texts before and after by field, and what the model said."""

    id: str
    language: str
    attack: str
    before: Mapping[str, str]
    after: Mapping[str, str]
    gold: str
    predicted_before: str
    predicted_after: str
    queries: int
    edit_rate: float


def attack_line(
    target: str,
    language: str,
    attack: AttackedSet,
    metric: Metric,
    *,
    binary: bool,
    of: int | None = None,
    control: AttackedSet | None = None,
) -> AttackLine:
    """The figures of an attack beside its control, which is of the same examples in the same order.

    `of` is how many examples the attacked ones were taken from (default: these were all).
    """
    score = metric.function()
    rows = attack.outcomes
    right = rows["clean_right"].to_numpy() > 0
    broken = (rows["end"] == "success").to_numpy()
    numbers = ClusterNumbers()

    def quantity(statistics: Array, of: Score) -> Influence:
        layout, sums = numbers.sums(np.asarray(statistics, dtype=np.float64), tuple(attack.clusters))
        return cell_influence(sums[None, None], of, (0,), layout, numbers, fixed=True)

    def level(x: Influence) -> Estimate:
        return estimate([(1.0, x)], numbers, level=True)

    before, after = quantity(attack.clean, score), quantity(attack.attacked, score)

    sign = 1.0 if metric.better == "higher" else -1.0

    def over(drawn: Influence, left: Influence) -> Estimate:
        return estimate([(1.0, weighted_sum([(sign, drawn), (-sign, left)], numbers))], numbers)

    drawn = None if control is None else quantity(control.attacked, score)
    used = rows["queries"].to_numpy()
    draws = None if control is None else AttackCurves(control.outcomes, control.clean)
    drawn_at_used = None if draws is None else quantity(draws.within(used)[0], score)
    curves = AttackCurves(attack.outcomes, attack.clean)
    # Draws that end early are read from curves, so the search is too: in A' of a pool all queries' copies are together.
    searched = quantity(curves.within(attack.budget)[0], score)
    success = None
    if binary and right.any():
        success = level(quantity(np.stack([broken & right, right], axis=1), mean_of(0, 1)))
    tried = _tried(rows)
    positions = float(np.median(tried["positions"].to_numpy())) if len(tried) else 0.0
    changed = (rows["changes"].to_numpy() > 0).astype(np.float64)

    def mean_of_changed(values: Any, unit: float, limits: Limits) -> Estimate | None:
        """The mean of a figure of the texts over the examples that were changed; NaN is none.

        1 of the figure is `unit` points while its interval is made, `limits` are in points.
        """
        known = np.asarray(values, dtype=np.float64)
        counted = (changed > 0) & ~np.isnan(known)
        if not counted.any():
            return None
        # Clusters of which nothing was changed tell nothing of the mean, so that none counts as one.
        layout, sums = numbers.sums(
            np.stack([known[counted] * unit / 100, np.ones(counted.sum())], axis=1),
            tuple(cluster for cluster, kept in zip(attack.clusters, counted, strict=True) if kept),
        )
        whole = cell_influence(sums[None, None], mean_of(0, 1), (0,), layout, numbers, fixed=True)
        mean = estimate([(1.0, replace(whole, limits=limits))], numbers)
        low, high = (None if end is None else end / unit for end in (mean.low, mean.high))
        within = limits[0] / unit, limits[1] / unit
        return Estimate(mean.score / unit, low, high, mean.basis, clusters=mean.clusters, note=mean.note, limits=within)

    def points_of(read_from: AttackCurves, budget: int) -> dict[str, Any]:
        """The points of every curve by its name, without those of the clean score, which stands beside them."""
        read = read_from.read(budget, binary).items()
        return {name: tuple(point for point in curve.points(metric) if point[0]) for name, curve in read}

    points = points_of(curves, attack.budget)
    drawn_points = {} if control is None or draws is None else points_of(draws, control.budget)
    return AttackLine(
        target=target,
        language=language,
        attack=attack.name,
        budget=attack.budget,
        n=len(rows),
        of=len(rows) if of is None else of,
        before=level(before),
        after=level(after),
        success=success,
        control=None if drawn is None else level(drawn),
        gain=None if drawn is None else over(drawn, after),
        control_at_used=None if drawn_at_used is None else level(drawn_at_used),
        gain_at_used=None if drawn_at_used is None else over(drawn_at_used, searched),
        queries=_spread(tried["queries"]),
        passes=_spread(tried["passes"]),
        control_queries=None if control is None else _spread(_tried(control.outcomes)["queries"]),
        before_change=_spread(before_first_change(tried)),
        refused=_spread(_refused(tried)),
        untried=100 * len(tried.filter(end="budget", curve="[]")) / max(1, len(tried)),
        given_up=100 * float((tried["end"] == "refused").sum()) / max(1, len(tried)),
        edit_rate=mean_of_changed(rows["edit_rate"], 100, (0.0, math.inf)),
        chrf=mean_of_changed(attack.chrf, 1, SCORE_LIMITS) if len(attack.chrf) else None,
        similarity=mean_of_changed(_cosines(rows), 100, (-100.0, 100.0)),
        positions=positions,
        budget_per_position=attack.budget / positions if positions else None,
        exhausted=100 * float((tried["end"] == "exhausted").sum()) / max(1, len(tried)),
        without_site=100 * float((rows["end"] == "no site").sum() / max(1, int(right.sum()))),
        over_budget=points["over_budget"],
        over_edit_rate=points["over_edit_rate"],
        success_over_budget=points.get("success_over_budget"),
        success_over_edit_rate=points.get("success_over_edit_rate"),
        control_over_budget=drawn_points.get("over_budget"),
        control_over_edit_rate=drawn_points.get("over_edit_rate"),
        control_success_over_budget=drawn_points.get("success_over_budget"),
        control_success_over_edit_rate=drawn_points.get("success_over_edit_rate"),
    )


def before_first_change(rows: pl.DataFrame) -> pl.Series:
    """What each example cost before its first changed text: all of its queries where none was asked about.

    The first text of an attack is the first point of its curve, because none was worse before; what only measures (a
    word taken away, a gradient) is none.
    """
    firsts = [next((point[0] - 1 for point in json.loads(curve)), None) for curve in rows["curve"]]
    used = rows["queries"].to_list()
    return pl.Series([q if first is None else first for first, q in zip(firsts, used, strict=True)], dtype=pl.Int64)


def _cosines(rows: pl.DataFrame) -> list[float]:
    """The cosine of each example's changed texts for the encoder that a constraint names: NaN where none changed, and
    everywhere without such an encoder or with several, which have no common scale."""
    measured: list[dict[str, float]] = [json.loads(text) for text in rows["similarity"]]
    encoders = {name for of_example in measured for name in of_example}
    return [next(iter(m.values())) if m and len(encoders) == 1 else math.nan for m in measured]


def _tried(rows: pl.DataFrame) -> pl.DataFrame:
    """The examples that the attack asked about."""
    return rows.filter(pl.col("end").is_in(["success", "budget", "exhausted", "refused"]))


def _refused(rows: pl.DataFrame) -> pl.Series:
    """How many texts of each example constraints refused."""
    many = [sum(refused_by_constraints(json.loads(text)).values()) for text in rows["refused"]]
    return pl.Series(many, dtype=pl.Int64)


def _spread(column: pl.Series) -> tuple[float, float]:
    values: NDArray[Any] = column.to_numpy()
    if not len(values):
        return 0.0, 0.0
    return float(np.median(values)), float(np.quantile(values, 0.9))


_ESTIMATES = (
    *("before", "after", "success", "control", "gain", "control_at_used", "gain_at_used"),
    *("edit_rate", "chrf", "similarity"),
)
_SPREADS = ("queries", "passes", "control_queries", "before_change", "refused")
_NUMBERS = ("positions", "budget_per_position", "exhausted", "without_site", "untried", "given_up")
CURVE_NAMES = ("over_budget", "over_edit_rate", "success_over_budget", "success_over_edit_rate")
OF_CONTROL = "control_"
_CURVES = (*CURVE_NAMES, *(OF_CONTROL + name for name in CURVE_NAMES))

LINE_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("target", "language", "attack"), pl.String()),
    **dict.fromkeys(("budget", "n", "of"), pl.Int64()),
    **dict.fromkeys([name + end for name in _ESTIMATES for end in ("", "_low", "_high")], pl.Float64()),
    **dict.fromkeys([name + end for name in _SPREADS for end in ("_median", "_90")], pl.Float64()),
    **dict.fromkeys(_NUMBERS, pl.Float64()),
    **dict.fromkeys(_CURVES, pl.String()),
}
"""The columns of a table of lines (`AttackLine`): estimates as score, low and high, spreads as median and 90th
percentile, curves as JSON."""


def line_table(lines: Sequence[AttackLine]) -> pl.DataFrame:
    """A row a line, in the columns of `LINE_COLUMNS`."""
    rows = []
    for line in lines:
        row: dict[str, Any] = dict.fromkeys(LINE_COLUMNS)
        for name, value in line.to_json().items():
            if name in _ESTIMATES:
                if value is not None:
                    row |= {name: value["score"], f"{name}_low": value["low"], f"{name}_high": value["high"]}
            elif name in _SPREADS:
                row[f"{name}_median"], row[f"{name}_90"] = value or (None, None)
            elif name in _CURVES:
                row[name] = None if value is None else json.dumps(value)
            else:
                row[name] = value
        rows.append(row)
    return pl.DataFrame(rows, schema=LINE_COLUMNS)
