"""How adversarial examples transfer: of those that break their source, the share that another model gets wrong too.

Counted are items that both models have right when clean, so that neither a text that the other model never understood
nor an attack that had nothing to break is in the share (as Tramèr et al. 2017, "The space of transferable adversarial
examples", section 3, count them). The mean of a model's rows in the results, its score on the pool, is over all items.

A rate is the quotient of counts over all pairs of models in a group, the mean of it over languages. Its interval is
over clusters of items, for these very models: pipeline seeds are not drawn anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.estimate import Estimate, estimate
from crosswind.analysis.influence import ClusterNumbers, Influence, cell_influence, mean_influence, weighted_sum
from crosswind.evaluate.metrics.base import mean_of

SAME_ROUTE = "same route, other seed"
SAME_SEED = "other route, same seed"
BOTH_OTHER = "other route, other seed"
RELATIONS = (SAME_ROUTE, SAME_SEED, BOTH_OTHER)
"""How a model is related to the source of adversarial examples. The seed is that of the pipeline: models of one seed
share what it draws, such as the order of examples and the first weights of a head."""


@dataclass(frozen=True)
class TransferRate:
    """The transfer rate of one group of pairs, and where all relations are there what it is more than between models of
    one route; `broken` are the adversarial examples it is of, `pairs` the pairs of models."""

    name: Mapping[str, Any]
    rate: Estimate
    more: Estimate | None
    broken: int
    pairs: int


def transfer_rates(rows: pl.DataFrame, names: Sequence[str], *, baseline: str = "") -> list[TransferRate]:
    """The rate of each group that `names` tell apart, of rows in the columns of `report.content.TRANSFER_COLUMNS`.

    Among `names` may be `relation`. `baseline` is one of `RELATIONS`: each group that differs from it in its relation
    alone then says how much more than that it is, over the languages that both have.
    Groups without an adversarial example have no rate, and are not in it.
    """
    numbers = ClusterNumbers()
    quantities: dict[tuple[Any, ...], dict[tuple[str, str], Influence]] = {}
    totals: dict[tuple[Any, ...], tuple[int, int]] = {}
    for key, group in rows.with_columns(relation=_relation()).group_by(*names, maintain_order=True):
        by_language = {
            (str(language), str(context)): _quotient(members, numbers)
            for (language, context), members in group.group_by("language", "context_language", maintain_order=True)
            if members["broken"].sum()
        }
        if by_language:
            quantities[key] = by_language
            models = group.select("route", "pipeline_seed", "source_route", "source_seed").unique()
            totals[key] = int(group["broken"].sum()), len(models)
    made = []
    for key, of_group in quantities.items():
        name = dict(zip(names, key, strict=True))
        other = quantities.get(tuple({**name, "relation": baseline}.values())) if baseline else None
        more = None
        if other is not None and name["relation"] != baseline:
            both = [x for x in of_group if x in other]
            terms = [(1.0, mean_influence([of_group[x] for x in both], numbers))] if both else []
            terms += [(-1.0, mean_influence([other[x] for x in both], numbers))] if both else []
            more = estimate([(1.0, weighted_sum(terms, numbers))], numbers) if terms else None
        rate = estimate([(1.0, mean_influence([*of_group.values()], numbers))], numbers, level=True)
        made.append(TransferRate(name, rate, more, *totals[key]))
    return made


def _relation() -> pl.Expr:
    """The relation of a row's model to the source, among `RELATIONS`."""
    route, seed = pl.col("route") == pl.col("source_route"), pl.col("pipeline_seed") == pl.col("source_seed")
    return (
        pl.when(route).then(pl.lit(SAME_ROUTE)).when(seed).then(pl.lit(SAME_SEED)).otherwise(pl.lit(BOTH_OTHER))
    ).alias("relation")


def _quotient(rows: pl.DataFrame, numbers: ClusterNumbers) -> Influence:
    """The examples that transferred over those that broke their source, of all rows together."""
    clusters = [cluster for of_row in rows["clusters"].to_list() for cluster in of_row]
    sums = np.concatenate([np.asarray(of_row, dtype=np.float64).reshape(-1, 2) for of_row in rows["sums"].to_list()])
    layout, by_cluster = numbers.sums(sums, tuple(clusters))
    return cell_influence(by_cluster[None, None], mean_of(0, 1), (0,), layout, numbers, fixed=True)
