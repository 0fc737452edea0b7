"""`crosswind plan`: what a run, or a study with a pilot, would need to show an effect, and what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from crosswind.analysis.condition import APART
from crosswind.analysis.contrast import PRIMARY
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.planner import SEEDS, Forecasted, ItemCount, Pilot, Planned, plan_family, plan_together
from crosswind.analysis.results import CLEAN, NONE
from crosswind.analysis.sample_sizes import detectable, price_of_seeds
from crosswind.errors import UserError
from crosswind.study.folder import STUDY
from crosswind.study.joined import RunResults, join_runs, read_table
from crosswind.study.spec import Study, read_study
from crosswind.tasks.base import TASKS

_TRAINING = ("train", "pretrain")


@dataclass(frozen=True)
class AskedSize:
    """The seeds and draws of a study that was not run, and its items of each target in one language, where they are
    known."""

    seeds: int
    draws: int
    items: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class PowerPlan:
    """The forecasts of the primary contrasts, what is known of the runs that they come from, and notes.

    `whole` is the cheapest study that shows the effect in all contrasts, `asked` the size of a study that was not run.
    """

    runs: tuple[str, ...]
    effect: float
    forecasts: tuple[Forecasted, ...]
    pilot: Pilot
    whole: Planned | None
    asked: AskedSize | None
    notes: tuple[str, ...]

    def shows(self, forecast: Forecasted) -> float | None:
        """The smallest effect that the study as it stands would show in a contrast."""
        parts = forecast.contrast.estimate.components
        if self.asked is None or parts is None:
            return None
        clusters = round(forecast.contrast.estimate.clusters * self._times(forecast.contrast))
        return detectable(parts, self.asked.seeds, clusters, forecast.comparisons, forecast.of_draws, self.asked.draws)

    def _times(self, contrast: Contrast) -> float:
        """How many times the pilot's items the study has, in the target that has the fewest more."""
        if self.asked is None or not all(t in self.asked.items and t in self.pilot.items for t in contrast.targets):
            return 1.0
        return min(self.asked.items[t] / self.pilot.items[t].run for t in contrast.targets)

    def seconds(self, forecast: Forecasted) -> float | None:
        """CPU seconds of the cheapest study that shows the effect in a contrast, all of its seeds counted."""
        return None if forecast.cheapest is None else self.pilot.seconds(forecast.cheapest)

    def lines(self) -> list[str]:
        """The plan in sentences: of each contrast, with what other numbers of seeds would need; then of all at once."""
        lines = []
        for forecast in self.forecasts:
            text = forecast.sentence
            if forecast.cheapest is not None:
                text += f" ({_minutes(self.pilot.seconds(forecast.cheapest))})"
            if self.asked is not None and (shown := self.shows(forecast)) is not None:
                on = "" if self._known(forecast) else " on the pilot's items"
                text += f"; the study's {self.asked.seeds} seeds would show {shown:.1f}{on}"
            lines.append(text)
            lines += [f"  or {other}" for other in self._others(forecast)]
        if self.whole is None:
            lines.append(f"no study of these sizes shows {self.effect:g} points in every comparison")
        elif len(self.forecasts) > 1:
            draws = f", {self.whole.draws} draw{'' if self.whole.draws == 1 else 's'}"
            each = ", ".join(f"{t} {n:,}" for t, n in self.whole.items.items())
            size = f"{self.whole.seeds} seeds, {each} items a language{draws}"
            lines.append(f"all of them: {size} ({_minutes(self.pilot.seconds(self.whole))})")
        return lines

    def _known(self, forecast: Forecasted) -> bool:
        return self.asked is not None and all(t in self.asked.items for t in forecast.contrast.targets)

    def _others(self, forecast: Forecasted) -> list[str]:
        """What the effect would take with fewer and with more seeds than the cheapest study has."""
        cheapest = forecast.cheapest
        if cheapest is None or cheapest.seeds == 1:
            return []
        at = SEEDS.index(cheapest.seeds)
        plans = [forecast.with_fewest_items(s) for s in (*SEEDS[max(0, at - 1) : at], *SEEDS[at + 1 : at + 2])]
        return [f"{forecast.size(p)} ({_minutes(self.pilot.seconds(p))})" for p in plans if p is not None]

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        rows = [
            {
                "contrast": f.contrast.name,
                "measure": f.contrast.measure,
                "kind": f.contrast.kind,
                "targets": list(f.contrast.targets),
                "shown_now": f.now,
                "shown_with_more_items": f.more_items,
                "shown_with_more_draws": f.more_draws,
                "shown_by_study": self.shows(f),
                "cheapest": None if f.cheapest is None else asdict(f.cheapest),
                "cpu_seconds": self.seconds(f),
                "enough": [asdict(p) for p in f.enough],
                "grid": [asdict(p) for p in f.grid],
            }
            for f in self.forecasts
        ]
        whole = None
        if self.whole is not None:
            whole = asdict(self.whole) | {"cpu_seconds": self.pilot.seconds(self.whole)}
        items = {target: asdict(count) for target, count in self.pilot.items.items()}
        run = {"runs": list(self.runs), "effect": self.effect, "items": items}
        return {**run, "contrasts": rows, "all": whole, "notes": list(self.notes)}


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min of CPU time in all"


def power_plan(what: Path, effect: float, pilots: Sequence[Path] = ()) -> PowerPlan:
    """Plan from a run folder, or from a study file with the runs of a pilot (by default the study's own run)."""
    if not 0 < effect <= 100:
        raise UserError(f"an effect of {effect:g} points", where="--effect", hint="more than 0, at most 100")
    study = None
    if what.is_dir():
        runs = [what, *pilots]
    else:
        study = read_study(what)
        runs = [*pilots] or [Path("runs") / study.name]
        if not pilots and not (runs[0] / STUDY).is_file():
            part = f"crosswind run {what} --set targets.limit=100 --set seeds=[1,2] --out pilot"
            hint = f"run a part of it ({part}), then add --pilot pilot"
            raise UserError("variance is not known without a run", where=str(what), hint=hint)
    run = join_runs(runs)
    return _planned(run, effect, None if study is None else _asked(study, run))


def _asked(study: Study, run: RunResults) -> AskedSize:
    """The size of a study: of its items what it limits a target to, or what the task has."""
    items = {}
    for target in run.analysed.headline:
        spec = (study.targets.tasks or {}).get(target)
        limit = (spec.limit if spec else None) or study.targets.limit
        known = [n for n in (limit, _whole(run.rows, target)) if n is not None]
        if known and not (spec and spec.rows):
            items[target] = min(known)
    return AskedSize(len(study.seeds), study.draws, items)


def _planned(run: RunResults, effect: float, asked: AskedSize | None) -> PowerPlan:
    # What needs no statistics is said before any are made.
    systems = run.rows.select("cell", pl.struct("encoder", "route", "defence").alias("system"))
    if systems["system"].n_unique() < 2:
        raise _compares_nothing(run)
    # Only models that were given are compared without seeds, and with each other.
    given = systems.filter(pl.col("cell").is_in(run.analysed.given))["system"]
    if len(run.seeds) < 2 and given.n_unique() < 2:
        raise _one_seed(run)
    primary = _primary(run)
    if not primary:
        raise _compares_nothing(run)
    draws = sorted(set(run.rows["draw"]) - {0})
    single = [_primary(replace(run, rows=run.rows.filter(pl.col("draw").is_in([0, d])))) for d in draws]
    cells = run.rows.unique("cell")
    training, other = _costs(run.paths)
    pilot = Pilot(len(cells.filter(pl.col("draw") > 0)) / len(cells), training, other, _items_of(run.rows))
    forecasts = plan_family(primary, effect, single if len(draws) > 1 else (), pilot)
    if not forecasts:
        if len(run.seeds) < 2:
            raise _one_seed(run)
        hint = "its routes answer every item alike: run a pilot in which they learn something"
        raise UserError("has no comparison that varies", where=str(run.paths[0]), hint=hint)
    used = asked.seeds if asked else len(run.seeds)
    one = "The run has one draw of each noise, so what more draws would bring is not known."
    several = f"Draws count by what the {len(draws)} of this run differ in, within the variance of items."
    notes = [
        "Effects are seen with a power of 80 % at 5 %, corrected for all comparisons of the family (Bonferroni).",
        "Variances come from this run and are uncertain themselves, with few seeds very much so.",
        "Items come in whole clusters, as the run drew them; no plan asks for more than a task is known to have.",
        several if len(draws) > 1 else one,
    ]
    if asked is not None:
        notes.append("The study's languages, perturbations and training are taken to be those of the run.")
    if used > 1:
        wide = f"{price_of_seeds(used):.2f} times as wide as many would"
        notes.append(f"Where seeds dominate, {used} of them make intervals {wide}.")
    whole = plan_together(forecasts, pilot)
    return PowerPlan(tuple(map(str, run.paths)), effect, tuple(forecasts), pilot, whole, asked, tuple(notes))


def _compares_nothing(run: RunResults) -> UserError:
    hint = "a plan needs two routes, above their floor somewhere"
    return UserError("compares no routes", where=str(run.paths[0]), hint=hint)


def _one_seed(run: RunResults) -> UserError:
    what = "has one pipeline seed, which says nothing of others"
    return UserError(what, where=str(run.paths[0]), hint="run the pilot with two seeds at least (--set seeds=[1,2])")


def _items_of(rows: pl.DataFrame) -> dict[str, ItemCount]:
    """The items of each target in one language, the mean over languages, and how many its task has."""
    plain = rows.filter(
        (pl.col("perturbation") == CLEAN) & (pl.col("attack") == NONE) & ~pl.col("selection").is_in(APART)
    )
    means = plain.group_by("target", maintain_order=True).agg(pl.col("n").mean())
    return {target: ItemCount(round(n), _whole(rows, target)) for target, n in means.iter_rows()}


def _whole(rows: pl.DataFrame, target: str) -> int | None:
    """The official number of items of a target, in the language that has fewest; `None` where nobody declares it."""
    if target not in TASKS:
        return None
    pairs = rows.filter(pl.col("target") == target).select("language", "split").unique().iter_rows()
    known = [TASKS[target].counts.get(pair) for pair in pairs]
    return None if None in known else min((n for n in known if n is not None), default=None)


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
