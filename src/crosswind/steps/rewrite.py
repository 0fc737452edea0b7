"""`rewrite`: a test set under one perturbation, severity and draw; knows no model.

Writes `rewrites.parquet` and, where candidates were added to a pool, `added.parquet`: what
`perturb.replay.replay_dataset` puts back into the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.cells import ADDED, TABLE, dataset_of
from crosswind.steps.parameters import tokens_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef

_COLUMN = "results have a column for it"


@dataclass(frozen=True)
class RewriteParams:
    """`perturbation` holds identity and severity of each part; `fields` are the text fields that may change.

    `needs` are the data sets that the perturbation needs besides, by role. What steps make for it are inputs, models
    are named by the step's data and found by the context (`models`).
    """

    ref: DataRef = unsigned(_COLUMN)
    perturbation: tuple[tuple[str, float], ...] = unsigned(_COLUMN)
    draw: int = unsigned(_COLUMN)
    fields: tuple[str, ...] = unsigned("it follows from the task")
    protection: str = "none"
    needs: tuple[tuple[str, DataRef], ...] = unsigned("it follows from the perturbation", ())


def _run(job: Job[RewriteParams], worker: Worker) -> str:
    from crosswind.perturb.dataset import perturb_dataset
    from crosswind.perturb.example import check_protection
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.spec import TextScope, parse_spec

    params = job.params
    # The specification as written may say where a lexicon lies, which is no part of the step's identity.
    text = "+".join(f"{identity}:{severity!r}" for identity, severity in params.perturbation)
    spec = parse_spec(job.world["specs"].get(job.step.key, text))
    environment = environment_of(job.world["lexicons"])
    scope = TextScope.of(TASKS[params.ref.task], params.ref.language, environment)
    data = dataset_of(job, params.ref)
    perturbed = perturb_dataset(
        data,
        spec,
        draw=params.draw,
        fields=params.fields,
        protect=check_protection(params.protection),
        environment=environment,
        resolved={need: _resolved(job, need) for need in spec.needs(scope)},
    )
    perturbed.table().write_parquet(job.draft.path / TABLE)
    if perturbed.added:
        perturbed.added_table().write_parquet(job.draft.path / ADDED)
    job.fact("changed", perturbed.changed_share)
    job.fact("counts", perturbed.counts)
    return f"{100 * perturbed.changed_share:.0f} % changed"


def _resolved(job: Job[RewriteParams], need: Need) -> Any:
    """What a need of the perturbation is: a data set, the folder of a step, the place of a model."""
    match need:
        case DataNeed():
            return dataset_of(job, dict(job.params.needs)[need.role])
        case StepNeed():
            return job.inputs[need.role].path
        case ModelNeed():
            return job.world["models"][need.source]
        case _:
            assert_never(need)


REWRITE: StepKind[RewriteParams] = StepKind(
    name="rewrite",
    version=4,
    params=RewriteParams,
    run=_run,
    cost=lambda params: tokens_of(params.ref) / 20,  # noise makes about twenty times as many words a second as a model
)
