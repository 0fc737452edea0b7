"""Run folders read back for their statistics, and several runs of one study, with seeds run apart, as one."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from crosswind.analysis.costs import cost_table, costs_of, over_seeds
from crosswind.analysis.left_out import LEFT_OUT, LEFT_OUT_LATER, LeftOut, merged
from crosswind.analysis.results import CONSISTENCY, SAME_AS_CLEAN, WHERE_RIGHT, CellStats, read_results
from crosswind.analysis.scored import Chance
from crosswind.analysis.summarise import summarise
from crosswind.analysis.summary import Summary
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import METRICS, require_comparable, unfitted
from crosswind.study.analysed import Analysed, read_analysed
from crosswind.study.as_written import require_as_written
from crosswind.study.folder import COSTS, IDENTITY, asked_otherwise, run_identity


@dataclass(frozen=True, eq=False)
class RunResults:
    """The results of a run, or of several joined: its rows, what its statistics need, and where the sums lie.

    `files` maps a cell to its file of sums, `metrics` to the metric that these are of.
    """

    paths: tuple[Path, ...]
    name: str
    identity: Mapping[str, Any]
    rows: pl.DataFrame
    analysed: Analysed
    files: Mapping[str, Path]
    metrics: Mapping[str, str]
    left_out: tuple[LeftOut, ...]
    incomplete: tuple[tuple[Path, int], ...] = ()  # how many cells were asked for and not computed, by folder

    @property
    def seeds(self) -> tuple[int, ...]:
        """Its pipeline seeds."""
        return tuple(self.rows["pipeline_seed"].unique().sort().to_list())

    @property
    def missing(self) -> int:
        """How many cells were asked for and not computed."""
        return sum(cells for _, cells in self.incomplete)

    def statistics(self) -> SumsReader:
        """What reads the per-cluster sums of its cells."""
        return SumsReader(self.files, self.metrics)

    def summary(self, *, primary_only: bool = False) -> Summary:
        """The summary of its cells; or the primary comparisons alone."""
        a = self.analysed
        scored = self.rows.filter((pl.col("perturbation") == "clean") & (pl.col("attack") == "none"))
        model = ["encoder", "defence", "route", "pipeline_seed", "target", "split", "language", "context_language"]
        comparable = self.rows.join(scored.select([*model, "selection"]).unique(), on=[*model, "selection"], how="semi")
        summary = summarise(
            comparable,
            self.statistics(),
            chance=a.chance,
            headline=a.headline,
            routes=a.routes,
            sources=a.sources,
            diagnostic=a.diagnostic,
            left_out=self.left_out,
            given=frozenset(a.given),
            comparisons=a.comparisons,
            facts=a.facts,
            primary_only=primary_only,
        )
        tables = [read_table(path / COSTS, cost_table(()).schema) for path in self.paths if (path / COSTS).exists()]
        return replace(summary, costs=tuple(over_seeds([cost for table in tables for cost in costs_of(table)])))


_AGAIN = "run the study again: what is there is found in the store"
_CELLS = {**dict.fromkeys(("cell", "route", "defence", "target", "metric"), pl.String), "pipeline_seed": pl.Int64}


class SumsReader:
    """The statistics of a cell's clusters by its key, read file by file."""

    def __init__(self, files: Mapping[str, Path], metrics: Mapping[str, str]) -> None:
        self._files, self._metrics = files, metrics
        self._tables: dict[Path, dict[str, pl.DataFrame]] = {}

    def __call__(self, key: str) -> CellStats:
        cell = key.removesuffix(SAME_AS_CLEAN).removesuffix(WHERE_RIGHT)
        path = self._files[key if key.endswith(WHERE_RIGHT) else cell]
        metric = CONSISTENCY if key.endswith(SAME_AS_CLEAN) else self._metrics[cell]
        if path not in self._tables:
            if len(self._tables) >= 64:
                self._tables.clear()
            table = read_table(path, {"cell": pl.String, "cluster": pl.String, "sums": pl.List(pl.Float64)})
            parts = table.partition_by("cell", as_dict=True, maintain_order=True)
            self._tables[path] = {str(name[0]): part for name, part in parts.items()}
        if key not in self._tables[path] and cell == key:
            raise UserError("lacks the sums of a cell", where=str(path), hint=_AGAIN)
        part = self._tables[path][key]
        clusters = tuple(part["cluster"])
        width = 2 if metric == CONSISTENCY else len(METRICS[metric].columns)
        if (part["sums"].list.len() != width).any() or part["sums"].null_count():
            raise UserError(f"has no {width} sums for every cluster of a cell ({metric})", where=str(path), hint=_AGAIN)
        sums = np.array(part["sums"].to_list(), dtype=np.float64)
        if not np.isfinite(sums).all():
            raise UserError("has sums that are no numbers", where=str(path), hint=_AGAIN)
        return CellStats(sums, clusters, metric, clusters)


def read_run(path: Path, identity: Mapping[str, Any] | None = None) -> RunResults:
    """Read a run folder; a `UserError` where it is none, lacks what its statistics need, or has other tables than
    the run wrote.

    `identity` is what it is a run of, where a caller knows that already.
    """
    if not (path / "results.parquet").is_file():
        raise UserError("is no run folder with results", where=str(path), hint="`crosswind run` writes them")
    if identity is None:
        identity = run_identity(path)
        require_as_written(path)
        if not {"encoder", "study"} <= set(identity):  # by its study file alone nobody knows what was run
            raise UserError("is damaged", where=str(path / IDENTITY), hint=_AGAIN)
    cells = read_table(path / "cells.parquet", _CELLS)
    files, metrics = {}, {}
    for row in cells.iter_rows(named=True):
        route = row["route"] if row["defence"] == "none" else f"{row['route']}@{row['defence']}"
        files[row["cell"]] = path / "sums" / route / str(row["pipeline_seed"]) / f"{row['target']}.parquet"
        metrics[row["cell"]] = row["metric"]
        if row.get("right"):  # runs of older versions say nothing of single items
            files[row["cell"] + WHERE_RIGHT] = path / row["right"]
    left_out = path / "left_out.parquet"
    parts = read_table(left_out, LEFT_OUT, LEFT_OUT_LATER).iter_rows(named=True) if left_out.exists() else []
    results = read_results(path / "results.parquet")
    if lacking := sorted(set(results["cell"]) - set(files)):
        raise UserError(f"lacks {len(lacking)} cells of the results", where=str(path / "cells.parquet"), hint=_AGAIN)
    left = tuple(LeftOut(**{name: part[name] for name in LEFT_OUT if name in part}) for part in parts)
    missing = sum(part.cells for part in left if part.cause in ("not computed", "no clean cell"))
    return RunResults(
        (path,),
        str(identity.get("name", path.name)),
        identity,
        results,
        read_analysed(path),
        files,
        metrics,
        left,
        ((path, missing),) if missing else (),
    )


def join_runs(paths: Sequence[Path]) -> RunResults:
    """Several runs of one study as one. A `UserError` where study (its seeds aside), encoder or signatures differ, or
    two runs have a pipeline seed in common."""
    return join_read([read_run(path) for path in paths])


def join_read(runs: Sequence[RunResults]) -> RunResults:
    """The same of runs that were read."""
    joined, *others = runs
    for other in others:
        _require_same(joined, other)
        for path, earlier in ((p, r) for r in [joined] for p in r.paths):
            common = sorted(set(earlier.seeds) & set(other.seeds))
            if common:
                raise UserError(
                    f"has pipeline seed {common[0]} too, like {path}",
                    where=str(other.paths[0]),
                    hint="join runs of different seeds (`--set seeds=[2]`)",
                )
        joined = replace(
            joined,
            paths=(*joined.paths, *other.paths),
            rows=pl.concat([joined.rows, other.rows]),
            files={**joined.files, **other.files},
            metrics={**joined.metrics, **other.metrics},
            left_out=merged((*joined.left_out, *other.left_out)),
            analysed=_both(joined.analysed, other.analysed),
            incomplete=(*joined.incomplete, *other.incomplete),
        )
    return joined


def _both(first: Analysed, other: Analysed) -> Analysed:
    """What is known of the cells of either: an incomplete run says nothing of a target that it lacks."""
    chance: dict[str, Chance] = {**other.chance, **first.chance}
    for target in first.chance.keys() & other.chance.keys():
        a, b = first.chance[target], other.chance[target]
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            chance[target] = {**b, **a}
    return replace(
        first,
        routes=tuple(dict.fromkeys((*first.routes, *other.routes))),
        headline={**other.headline, **first.headline},
        chance=chance,
        sources={**other.sources, **first.sources},
        diagnostic=tuple(sorted({*first.diagnostic, *other.diagnostic})),
        given=tuple(dict.fromkeys((*first.given, *other.given))),
    )


_SAME_CELL = (
    *("route", "defence", "target", "language", "context_language", "split", "rows", "selection"),
    *("perturbation", "severity", "protection", "attack", "budget", "metric", "key"),
)


def _require_same(first: RunResults, other: RunResults) -> None:
    """A `UserError` where two runs are not of one study with one encoder and the same settings."""
    for what, key in (("another study", "study"), ("another encoder", "encoder")):
        a, b = first.identity.get(key), other.identity.get(key)
        if a != b:
            keys = asked_otherwise(first.paths[0], other.paths[0]) if key == "study" else [f"{b} and {a}"]
            raise UserError(
                f"is a run of {what} than {first.paths[0]}" + (f" ({', '.join(keys)})" if keys else ""),
                where=str(other.paths[0]),
                hint="`crosswind compare` sets two runs beside each other",
            )
    pairs = _matched(first.rows, other.rows)
    for a, b in pairs.select("signature", "signature_other").unique().iter_rows():
        require_comparable(unfitted(a), unfitted(b), where=str(other.paths[0]))


def _matched(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    columns = [*_SAME_CELL, "signature"]
    return rows.select(columns).unique().join(others.select(columns).unique(), on=_SAME_CELL, suffix="_other")


def facts_of(run: RunResults) -> dict[str, str]:
    """What stands at the head of a report of runs read back."""
    several = len(run.paths) > 1
    missing = ", ".join(f"{cells:,} of {path}" if several else f"{cells:,}" for path, cells in run.incomplete)
    return {
        "Runs": ", ".join(str(path) for path in run.paths),
        "Encoder": str(run.identity.get("encoder", "")),
        "Routes": ", ".join(run.analysed.routes),
        "Pipeline seeds": ", ".join(map(str, run.seeds)),
        "Cells": f"{run.rows['cell'].n_unique():,}" + (f" ({missing} are missing)" if missing else ""),
        "Declared comparisons": json.dumps(run.identity.get("compare", {}), ensure_ascii=False),
    }


def read_table(path: Path, columns: Mapping[str, Any], later: Collection[str] = ()) -> pl.DataFrame:
    """A table of a run folder with at least these columns; a `UserError` where it is damaged or another one.

    Runs of older versions lack the columns `later`.
    """
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UserError(f"cannot be read ({type(error).__name__})", where=str(path), hint=_AGAIN) from error
    wanted = {name: kind for name, kind in columns.items() if name in frame.columns or name not in later}
    wrong = [name for name, kind in wanted.items() if frame.schema.get(name) != kind]
    if wrong:
        raise UserError(f"has no column {', '.join(wrong)} as a run writes it", where=str(path), hint=_AGAIN)
    return frame
