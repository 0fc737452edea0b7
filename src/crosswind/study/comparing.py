"""`crosswind compare`: a run beside published results."""

from __future__ import annotations

from pathlib import Path

from crosswind.analysis.published import Comparison, Protocol, Trained, compare_published
from crosswind.analysis.results import read_results
from crosswind.errors import UserError
from crosswind.study.as_written import require_as_written
from crosswind.study.folder import IDENTITY, STUDY
from crosswind.study.resolve import targets
from crosswind.study.spec import Phase, Study, read_study
from crosswind.tasks.base import TASKS


def run_beside_published(run: Path, protocol: Protocol | None = None) -> Comparison:
    """The results of a run folder beside published ones; a `UserError` for a folder that is none, or has other
    results than the run wrote."""
    if not (run / IDENTITY).exists() or not (run / "results.parquet").exists():
        raise UserError("is no run folder with results", where=str(run), hint="name what `crosswind run` wrote")
    require_as_written(run, {"results.parquet"})
    study = read_study(run / STUDY)
    return compare_published(read_results(run / "results.parquet"), trained_by(study), protocol)


def trained_by(study: Study) -> Trained:
    """How a study's routes train, and which of its targets train on less than their task's English training set."""
    protocols: dict[str, Protocol | None] = {}
    for route, phases in study.routes.items():
        labelled = any(phase.tasks for phase in phases)
        protocols[route] = None if study.fine_tuned else "intermediate" if labelled else "zero-shot"
        if phases and not labelled:
            protocols[route] = "other"  # more masked LM before the target
    for name, baseline in study.baselines.items():
        protocols[name] = baseline.mode if baseline.after is None else "other"
    parts = {}
    for target in targets(study) if not study.fine_tuned else ():
        said = (study.targets.tasks or {}).get(target.task.name)
        for phase in (said.train if said else None) or ():
            if part := _part(phase, target.task.trains_on):
                parts[target.task.name] = part
    return Trained(protocols, parts)


def _part(phase: Phase, usual: str | None) -> str | None:
    """What a target's phase does otherwise than train on the whole English training set; None if nothing."""
    for use in phase.tasks:
        source = TASKS[use.name].source_language if use.name in TASKS else "en"
        if use.rows or use.limit or use.split not in (None, "train"):
            return f"the run trains on a part of {use.name} ({use.rows or use.limit or use.split})"
        if use.languages and use.languages != [source]:
            return f"the run trains on {use.name} in {', '.join(use.languages)}"
        if use.name != usual:
            return f"the run trains on {use.name}, not on {usual}"
    return None
