"""What the steps that perturb a test set share: parameters, the perturbation as it was planned, what it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from crosswind.model.needed import loaded_model, model_use
from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import unsigned
from crosswind.steps.cells import dataset_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef

if TYPE_CHECKING:
    from crosswind.data.examples import Dataset
    from crosswind.perturb.perturbed import PerturbedDataset
    from crosswind.perturb.spec import Spec

CONSTRAINED = "constraints "
"""Before a step's key: where the context holds its constraints as they were written, if these say where data lie."""

COLUMN = "results have a column for it"


@dataclass(frozen=True)
class NoiseParams:
    """`perturbation` holds identity and severity of each part; `fields` are the text fields that may change.

    `needs` are the data sets that the perturbation needs besides, by role. What steps make for it are inputs, models
    are named by the step's data and found by the context (`models`).
    """

    ref: DataRef = unsigned(COLUMN)
    perturbation: tuple[tuple[str, float], ...] = unsigned(COLUMN)
    draw: int = unsigned(COLUMN)
    fields: tuple[str, ...] = unsigned("it follows from the task, or the run signs it")
    protection: str = "none"
    needs: tuple[tuple[str, DataRef], ...] = unsigned("it follows from the perturbation", ())
    constraints: tuple[str, ...] = ()


@dataclass(frozen=True)
class PlannedNoise:
    """The data and the perturbation of a job; `perturbed` draws a spec of the same parts on data of the same task.

    `realised` gives, of the data after that, the share of the open sites that was changed.
    """

    data: Dataset
    spec: Spec
    constraints: Sequence[str]
    perturbed: Callable[[Dataset, Spec], PerturbedDataset]
    realised: Callable[[PerturbedDataset, Spec], float | None]


def planned_noise(job: Job[Any], worker: Worker) -> PlannedNoise:
    """What a job with `NoiseParams` perturbs, and how; its needs are met."""
    from crosswind.perturb.constraint import constraints_as_written
    from crosswind.perturb.dataset import perturb_dataset
    from crosswind.perturb.example import check_protection
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.realised import realised_share
    from crosswind.perturb.spec import TextScope, parse_spec

    params: NoiseParams = job.params
    # The specification as written may say where a lexicon lies, which is no part of the step's identity.
    text = "+".join(f"{identity}:{severity!r}" for identity, severity in params.perturbation)
    spec = parse_spec(job.world["specs"].get(job.step.key, text))
    environment = environment_of(job.world["lexicons"])
    scope = replace(TextScope.of(TASKS[params.ref.task], params.ref.language, environment), fields=params.fields)
    constraints = constraints_as_written(job.world["specs"].get(CONSTRAINED + job.step.key, ""), params.constraints)
    data = dataset_of(job, params.ref)
    resolved = {need: met_need(job, worker, need) for need in spec.needs(scope)}
    judged = [c.made({need: met_need(job, worker, need) for need in c.needs()}) for c in constraints]

    def perturbed(data: Dataset, spec: Spec) -> PerturbedDataset:
        return perturb_dataset(
            data,
            spec,
            draw=params.draw,
            fields=params.fields,
            protect=check_protection(params.protection),
            environment=environment,
            resolved=resolved,
            constraints=judged,
        )

    def realised(changed: PerturbedDataset, spec: Spec) -> float | None:
        return realised_share(
            data,
            changed,
            spec,
            draw_number=params.draw,
            fields=params.fields,
            protect=check_protection(params.protection),
            environment=environment,
            resolved=resolved,
        )

    return PlannedNoise(data, spec, [c.identity for c in constraints], perturbed, realised)


def met_need(job: Job[Any], worker: Worker, need: Need) -> Any:
    """What a need of a perturbation or a constraint is: a data set, the folder of a step, a model, which is loaded."""
    match need:
        case DataNeed():
            return dataset_of(job, dict(job.params.needs)[need.role])
        case StepNeed():
            return job.inputs[need.role].path
        case ModelNeed():
            role, source = need.role, str(job.world["models"][need.source])
            return worker.get(model_use(role), source, lambda: loaded_model(role, source))
        case _:
            assert_never(need)
