"""`twin`: a test set written in another way by people, as a recorded perturbation; knows no model.

Writes `rewrites.parquet` as `rewrite` does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.cells import TABLE, dataset_of
from crosswind.steps.parameters import tokens_of
from crosswind.tasks.refs import DataRef


@dataclass(frozen=True)
class TwinParams:
    """The standard test set, and the one that holds its variants; `quotes` stand around the texts of the latter.

    `rows`: row i of one whole set is row i of the other. `marks`: its changed words stand as `<word|0>`.
    """

    ref: DataRef = unsigned("results have columns for it")
    variant: DataRef = unsigned("results have a column for it")
    quotes: str = unsigned("how a file is read", "")
    rows: bool = unsigned("how a file is read", False)
    marks: bool = unsigned("how a file is read", False)


def _run(job: Job[TwinParams], worker: Worker) -> str:
    from crosswind.perturb.damage import damage_of
    from crosswind.perturb.twins import TWIN_FIELDS, rows_of, twins

    standard, variant = dataset_of(job, job.params.ref), dataset_of(job, job.params.variant)
    if job.params.rows:
        variant = rows_of(standard, dataset_of(job, replace(job.params.ref, rows=None, limit=None)), variant)
    params = job.params
    made = twins(standard, variant, quotes=params.quotes, marks=params.marks, by_rows=params.rows)
    made.data.table().write_parquet(job.draft.path / TABLE)
    job.fact("changed", made.data.changed_share)
    job.fact("counts", {"lost": made.lost, "label": made.label, "torn": made.torn})
    measured = damage_of(standard, made.data, TWIN_FIELDS)
    job.fact("damage", {"words_hit": measured.word_share, "edits": measured.edits_per_text, "chrf": measured.chrf})
    text = f"{job.params.variant.name}: {made.aligned:,} of {len(standard):,} items have a variant"
    if made.aligned < len(standard):
        text += "; the others stand as they are, so a drop is that of all of them together"
    if made.lost or made.label or made.torn:
        text += f"; of the variants {made.lost:,} are like no item, {made.label:,} have another label"
        text += f" and {made.torn:,} do not fit the item's words or answers"
    job.note(text + ".")
    return f"{100 * made.data.changed_share:.0f} % changed"


TWIN: StepKind[TwinParams] = StepKind(
    name="twin", version=3, params=TwinParams, run=_run, cost=lambda params: tokens_of(params.ref) / 20
)
