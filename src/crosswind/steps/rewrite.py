"""`rewrite`: a test set under one perturbation, severity and draw; knows no model.

Writes `rewrites.parquet`, what `perturb.dataset.replay_dataset` puts back into the data.
"""

from __future__ import annotations

from dataclasses import dataclass

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.cells import dataset_of
from crosswind.tasks.refs import DataRef

_COLUMN = "results have a column for it"


@dataclass(frozen=True)
class RewriteParams:
    """`perturbation` holds identity and severity of each part; `fields` are the text fields that may change."""

    ref: DataRef = unsigned(_COLUMN)
    perturbation: tuple[tuple[str, float], ...] = unsigned(_COLUMN)
    draw: int = unsigned(_COLUMN)
    fields: tuple[str, ...] = unsigned("it follows from the task")
    protection: str = "none"


def _run(job: Job[RewriteParams], worker: Worker) -> str:
    from crosswind.perturb.dataset import perturb_dataset
    from crosswind.perturb.example import check_protection
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.spec import parse_spec

    params = job.params
    # The specification as written may say where a lexicon lies, which is no part of the step's identity.
    text = "+".join(f"{identity}:{severity!r}" for identity, severity in params.perturbation)
    spec = parse_spec(job.world["specs"].get(text, text))
    perturbed = perturb_dataset(
        dataset_of(job, params.ref),
        spec,
        draw=params.draw,
        fields=params.fields,
        protect=check_protection(params.protection),
        environment=environment_of(job.world["lexicons"]),
    )
    perturbed.table().write_parquet(job.draft.path / "rewrites.parquet")
    job.fact("changed", perturbed.changed_share)
    job.fact("rejected", perturbed.rejected)
    return f"{100 * perturbed.changed_share:.0f} % changed"


REWRITE: StepKind[RewriteParams] = StepKind(name="rewrite", version=3, params=RewriteParams, run=_run)
