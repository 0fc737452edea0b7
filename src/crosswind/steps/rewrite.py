"""`rewrite`: a test set under one perturbation, severity and draw; knows no model.

Input: `severity`, where it is found by the damage wanted (`tune`). Writes `rewrites.parquet` and, where candidates were
added to a pool, `added.parquet`: what `perturb.replay.replay_dataset` puts back into the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crosswind.perturb.perturbation import NotApplicable
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind
from crosswind.steps.cells import ADDED, TABLE, perturbed
from crosswind.steps.parameters import tokens_of
from crosswind.steps.perturbing import NoiseParams, planned_noise
from crosswind.tasks.base import TASKS

if TYPE_CHECKING:
    import polars as pl

    from crosswind.perturb.perturbed import PerturbedDataset

SEVERITY = "severity"  # the input that finds it


@dataclass(frozen=True)
class RewriteParams(NoiseParams):
    """As `NoiseParams`; the severity of each part is 1 where the input `severity` finds it."""

    suite: str | None = None


def _run(job: Job[RewriteParams], worker: Worker) -> str:
    from crosswind.perturb.damage import damage_of

    params = job.params
    noise = planned_noise(job, worker)
    data, spec, refused = noise.data, noise.spec, ""
    if SEVERITY in job.inputs:
        facts = job.inputs[SEVERITY].facts
        job.fact("severity", facts["severity"])
        if facts["severity"] is None:
            refused = str(facts["refused"])
        else:
            spec = spec.at(facts["severity"])
    if not refused:
        try:
            changed = noise.perturbed(data, spec)
        except NotApplicable as reason:  # the texts lack what the perturbation changes
            refused = reason.what
    if refused:  # nothing is predicted anew, and the cell is n/a
        job.fact("refused", refused)
        changed = perturbed(data, None)
    changed.table().write_parquet(job.draft.path / TABLE)
    if changed.added:
        changed.added_table().write_parquet(job.draft.path / ADDED)
    if params.suite:
        _check_suite(job, changed.table(), str(spec))
    job.fact("changed", changed.changed_share)
    job.fact("counts", changed.counts)
    if params.fields != tuple(TASKS[params.ref.task].perturbed):
        job.sign("fields", ",".join(params.fields))
    _say_left(job, changed, noise.constraints)
    measured = damage_of(data, changed, params.fields)
    done = {"words_hit": measured.word_share, "edits": measured.edits_per_text, "chrf": measured.chrf}
    share = None if refused else noise.realised(changed, spec)
    job.fact("damage", done if share is None else done | {"changed_sites": share})
    return f"{100 * changed.changed_share:.0f} % changed"


def _check_suite(job: Job[RewriteParams], table: pl.DataFrame, spec: str) -> None:
    """Compare with what was published, and say what could not be compared and that nobody has judged it."""
    from crosswind.perturb.suite import check_published, load_suite

    suite, ref = load_suite(job.params.suite), job.params.ref
    if ref.selection != "all":
        job.note(suite.uncovered(ref.task))
    elif said := check_published(suite, ref.task, ref.language, ref.split, spec, table):
        job.note(said)
    job.note(suite.unreviewed)


def _say_left(job: Job[RewriteParams], perturbed: PerturbedDataset, constraints: Sequence[str]) -> None:
    """Record how many items each reason left unperturbed; say it of the constraints that a user named."""
    left = perturbed.left_unperturbed
    job.fact("left_unperturbed", left)
    count = len(perturbed) + len(perturbed.candidates)
    for name in constraints:
        items = left.get(name, 0)
        job.note(f"The constraint {name} left {items:,} of {count:,} items as they were that were drawn to change.")


REWRITE: StepKind[RewriteParams] = StepKind(
    name="rewrite",
    version=5,
    params=RewriteParams,
    run=_run,
    cost=lambda params: tokens_of(params.ref) / 20,  # noise makes about twenty times as many words a second as a model
)
