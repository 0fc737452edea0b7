"""`crosswind plan`: what a run, or a study with a pilot, would need to show an effect, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.analysis.contrast import PRIMARY
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.planner import Forecasted, detectable, plan_family, price_of_seeds
from crosswind.errors import UserError
from crosswind.study.folder import STUDY
from crosswind.study.joined import RunResults, join_runs, read_table
from crosswind.study.spec import read_study

_TRAINING = ("train", "pretrain")


@dataclass(frozen=True)
class PowerPlan:
    """The forecasts of the primary contrasts, CPU seconds of the runs they come from, and notes.

    `asked` are the seeds and draws of a study that was not run, and `shows` what each contrast would show with them.
    """

    runs: tuple[str, ...]
    effect: float
    forecasts: tuple[Forecasted, ...]
    training_seconds: float
    other_seconds: float
    asked: tuple[int, int] | None
    notes: tuple[str, ...]

    def shows(self, forecast: Forecasted) -> float | None:
        """The smallest effect that the study as it stands would show on as many items as the pilot has."""
        parts = forecast.contrast.estimate.components
        if self.asked is None or parts is None:
            return None
        seeds, draws = self.asked
        clusters = forecast.contrast.estimate.clusters
        return detectable(parts, seeds, clusters, forecast.comparisons, forecast.of_draws, draws)

    def seconds(self, forecast: Forecasted) -> float | None:
        """CPU seconds of the cheapest study that shows the effect in a contrast, all of its seeds counted."""
        plan = forecast.cheapest
        if plan is None:
            return None
        return plan.training * self.training_seconds + plan.predicting * self.other_seconds

    def lines(self) -> list[str]:
        """The plan in sentences."""
        lines = []
        for forecast in self.forecasts:
            text = forecast.sentence
            if self.asked is not None and (shown := self.shows(forecast)) is not None:
                text += f"; the study's {self.asked[0]} seeds would show {shown:.1f} on the pilot's items"
            if (seconds := self.seconds(forecast)) is not None and forecast.now > self.effect:
                text += f" ({seconds / 60:,.0f} min of CPU time in all)"
            lines.append(text)
        return lines

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        rows = [
            {
                "contrast": f.contrast.name,
                "measure": f.contrast.measure,
                "shown_now": f.now,
                "shown_with_more_items": f.more_items,
                "shown_with_more_draws": f.more_draws,
                "shown_by_study": self.shows(f),
                "cheapest": None if f.cheapest is None else asdict(f.cheapest),
                "cpu_seconds": self.seconds(f),
                "grid": [asdict(p) for p in f.grid],
            }
            for f in self.forecasts
        ]
        return {"runs": list(self.runs), "effect": self.effect, "contrasts": rows, "notes": list(self.notes)}


def power_plan(what: Path, effect: float, pilots: Sequence[Path] = ()) -> PowerPlan:
    """Plan from a run folder, or from a study file with the runs of a pilot (by default the study's own run)."""
    if not 0 < effect <= 100:
        raise UserError(f"an effect of {effect:g} points", where="--effect", hint="more than 0, at most 100")
    asked = None
    if what.is_dir():
        runs = [what, *pilots]
    else:
        study = read_study(what)
        asked = len(study.seeds), study.draws
        runs = [*pilots] or [Path("runs") / study.name]
        if not (runs[0] / STUDY).is_file():
            part = f"crosswind run {what} --set targets.limit=100 --set seeds=[1,2] --out pilot"
            hint = f"run a part of it ({part}), then add --pilot pilot"
            raise UserError("variance is not known without a run", where=str(what), hint=hint)
    run = join_runs(runs)
    return _planned(run, effect, asked)


def _planned(run: RunResults, effect: float, asked: tuple[int, int] | None) -> PowerPlan:
    primary = _primary(run)
    if not primary:
        raise UserError(
            "compares no routes", where=str(run.paths[0]), hint="a plan needs two routes, above their floor somewhere"
        )
    draws = sorted(set(run.rows["draw"]) - {0})
    single = [_primary(replace(run, rows=run.rows.filter(pl.col("draw").is_in([0, d])))) for d in draws]
    cells = run.rows.unique("cell")
    forecasts = plan_family(
        primary, effect, single if len(draws) > 1 else (), len(cells.filter(pl.col("draw") > 0)) / len(cells)
    )
    if not forecasts:
        one_seed = len(run.seeds) < 2
        raise UserError(
            "has one pipeline seed, which says nothing of others" if one_seed else "has no comparison that varies",
            where=str(run.paths[0]),
            hint="run the pilot with two seeds at least (--set seeds=[1,2])"
            if one_seed
            else "its routes answer every item alike: run a pilot in which they learn something",
        )
    used = asked[0] if asked else len(run.seeds)
    one = "The run has one draw of each noise, so what more draws would bring is not known."
    several = f"Draws count by what the {len(draws)} of this run differ in, within the variance of items."
    notes = [
        "Effects are seen with a power of 80 % at 5 %, corrected for all comparisons of the family (Bonferroni).",
        "Variances come from this run and are uncertain themselves, with few seeds very much so.",
        several if len(draws) > 1 else one,
        f"Where seeds dominate, {used} of them make intervals {price_of_seeds(used):.2f} times as wide as many would.",
    ] if used > 1 else []  # fmt: skip
    training, other = _costs(run.paths)
    return PowerPlan(tuple(map(str, run.paths)), effect, tuple(forecasts), training, other, asked, tuple(notes))


def _primary(run: RunResults) -> list[Contrast]:
    return [c for c in run.summary(primary_only=True).contrasts if c.family == PRIMARY]


def _costs(paths: Sequence[Path]) -> tuple[float, float]:
    """CPU seconds of training, and of everything else."""
    training = other = 0.0
    for path in paths:
        table = path / "provenance.parquet"
        if table.exists():
            frame = read_table(table, {"kind": pl.String, "cpu_seconds": pl.Float64})
            trained = frame["kind"].is_in(list(_TRAINING))
            training += float(frame.filter(trained)["cpu_seconds"].sum())
            other += float(frame.filter(~trained)["cpu_seconds"].sum())
    return training, other
