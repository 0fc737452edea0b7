"""Where the results of runs come from: cost, machines, signatures, keys, licences, the study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from crosswind import __version__
from crosswind.errors import UserError
from crosswind.plain_yaml import yaml_text
from crosswind.report.content import DataLicence, Provenance, StepCost
from crosswind.study.folder import STUDY
from crosswind.study.joined import RunResults
from crosswind.tasks.base import TASKS


def provenance_of(run: RunResults) -> Provenance:
    """What the run folders say; what one lacks is not in it."""
    frames = [frame for path in run.paths if (frame := _steps(path / "provenance.parquet")) is not None]
    steps = pl.concat(frames).unique("step", maintain_order=True) if frames else pl.DataFrame()
    signatures = run.rows["signature"].value_counts(sort=True, name="rows")
    return Provenance(
        costs=_costs(steps),
        machines=_machines(steps),
        signatures=tuple((str(s), int(n)) for s, n in sorted(signatures.iter_rows(), key=lambda x: (-x[1], x[0]))),
        keys=_keys(steps),
        data=tuple(_licences(run)),
        study=_study(run.paths),
        version=str(run.identity.get("crosswind", __version__)),
        encoder=str(run.identity.get("encoder", "")),
    )


_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("step", "kind", "label", "hardware"), pl.String()),
    **dict.fromkeys(("cpu_seconds", "wall_seconds"), pl.Float64()),
}


def _steps(path: Path) -> pl.DataFrame | None:
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError):
        return None
    same = all(frame.schema.get(name) == kind for name, kind in _COLUMNS.items())
    return frame.select(*_COLUMNS) if same else None


def _costs(steps: pl.DataFrame) -> tuple[StepCost, ...]:
    if steps.is_empty():
        return ()
    by_kind = steps.group_by("kind", maintain_order=True).agg(
        pl.len().alias("steps"), pl.col("cpu_seconds").sum(), pl.col("wall_seconds").sum()
    )
    costs = [StepCost(str(kind), int(n), float(cpu), float(wall)) for kind, n, cpu, wall in by_kind.iter_rows()]
    return tuple(sorted(costs, key=lambda c: -c.cpu))


def _machines(steps: pl.DataFrame) -> tuple[str, ...]:
    """Each processor with its versions once, and how many steps ran on it."""
    if steps.is_empty():
        return ()
    counts: dict[str, int] = {}
    for text, number in steps["hardware"].value_counts(name="number").iter_rows():
        try:
            value = json.loads(text)
            versions = dict(value.get("versions", {}))
        except (ValueError, TypeError, AttributeError):
            continue
        parts = [value.get("gpu") or value.get("cpu") or "unknown machine"]
        parts += [f"{name} {versions[name]}" for name in sorted(versions)]
        name = ", ".join(map(str, parts))
        if value:
            counts[name] = counts.get(name, 0) + int(number)
    return tuple(f"{name} ({n:,} steps)" for name, n in sorted(counts.items(), key=lambda x: (-x[1], x[0])))


def _keys(steps: pl.DataFrame) -> tuple[tuple[str, str], ...]:
    if steps.is_empty():
        return ()
    trained = steps.filter(pl.col("kind").is_in(["train", "pretrain"]))
    return tuple((str(label), str(key)) for label, key in trained.select("label", "step").iter_rows())


def _licences(run: RunResults) -> Iterator[DataLicence]:
    tested = list(run.rows["target"].unique(maintain_order=True))
    trained = {task for facts in run.analysed.facts.factors.values() for task in facts.get("tasks", "").split()}
    for name in dict.fromkeys((*tested, *sorted(trained))):
        use = " and ".join(
            [*(["target"] if name in tested else []), *(["intermediate task"] if name in trained else [])]
        )
        task = TASKS[name] if name in TASKS else None  # noqa: SIM401
        yield DataLicence(name, use, task.licence if task else "", task.citation if task else "")


def _study(paths: Sequence[Path]) -> str:
    try:
        return yaml_text(paths[0] / STUDY, "study")
    except UserError:
        return ""
