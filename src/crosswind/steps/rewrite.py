"""`rewrite`: a test set under one perturbation, severity and draw; knows no model.

Writes `rewrites.parquet` and, where candidates were added to a pool, `added.parquet`: what
`perturb.replay.replay_dataset` puts back into the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, assert_never

from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, unsigned
from crosswind.steps.cells import ADDED, TABLE, dataset_of
from crosswind.steps.parameters import tokens_of
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef

if TYPE_CHECKING:
    import polars as pl

    from crosswind.perturb.perturbed import PerturbedDataset

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
    fields: tuple[str, ...] = unsigned("it follows from the task, or the run signs it")
    protection: str = "none"
    needs: tuple[tuple[str, DataRef], ...] = unsigned("it follows from the perturbation", ())
    constraints: tuple[str, ...] = ()
    suite: str | None = None


def _run(job: Job[RewriteParams], worker: Worker) -> str:
    from crosswind.perturb.constraint import parse_constraints
    from crosswind.perturb.damage import damage_of
    from crosswind.perturb.dataset import perturb_dataset
    from crosswind.perturb.example import check_protection
    from crosswind.perturb.lexicons import environment_of
    from crosswind.perturb.spec import TextScope, parse_spec

    params = job.params
    # The specification as written may say where a lexicon lies, which is no part of the step's identity.
    text = "+".join(f"{identity}:{severity!r}" for identity, severity in params.perturbation)
    spec = parse_spec(job.world["specs"].get(job.step.key, text))
    environment = environment_of(job.world["lexicons"])
    task = TASKS[params.ref.task]
    scope = replace(TextScope.of(task, params.ref.language, environment), fields=params.fields)
    constraints = parse_constraints(params.constraints)
    data = dataset_of(job, params.ref)
    perturbed = perturb_dataset(
        data,
        spec,
        draw=params.draw,
        fields=params.fields,
        protect=check_protection(params.protection),
        environment=environment,
        resolved={need: met_need(job, worker, need) for need in spec.needs(scope)},
        constraints=[c.made({need: constraint_judge(job, worker, need) for need in c.needs()}) for c in constraints],
    )
    perturbed.table().write_parquet(job.draft.path / TABLE)
    if perturbed.added:
        perturbed.added_table().write_parquet(job.draft.path / ADDED)
    if params.suite:
        _check_suite(job, perturbed.table(), str(spec))
    job.fact("changed", perturbed.changed_share)
    job.fact("counts", perturbed.counts)
    if params.fields != tuple(task.perturbed):
        job.sign("fields", ",".join(params.fields))
    _say_left(job, perturbed, [str(c) for c in constraints])
    measured = damage_of(data, perturbed, params.fields)
    job.fact("damage", {"words_hit": measured.word_share, "edits": measured.edits_per_text, "chrf": measured.chrf})
    return f"{100 * perturbed.changed_share:.0f} % changed"


def _check_suite(job: Job[RewriteParams], table: pl.DataFrame, spec: str) -> None:
    """Compare with what was published, and say what could not be compared and that nobody has judged it."""
    from crosswind.perturb.suite import check_published, load_suite

    suite, ref = load_suite(job.params.suite), job.params.ref
    if ref.selection != "all":
        job.note(f"Of {ref.task} a part was perturbed, which the published hashes of {suite.title} do not cover.")
    elif said := check_published(suite, ref.task, ref.language, ref.split, spec, table):
        job.note(said)
    job.note(f"{suite.title} is unreviewed: no annotators have judged whether labels hold under it.")


def _say_left(job: Job[RewriteParams], perturbed: PerturbedDataset, constraints: Sequence[str]) -> None:
    """Record how many items each reason left unperturbed; say it of the constraints that a user named."""
    left = perturbed.left_unperturbed
    job.fact("left_unperturbed", left)
    count = len(perturbed) + len(perturbed.candidates)
    for name in constraints:
        items = left.get(name, 0)
        job.note(f"The constraint {name} left {items:,} of {count:,} items as they were that were drawn to change.")


def constraint_judge(job: Job[Any], worker: Worker, need: Need) -> Any:
    """What a constraint asks of a model: the similarity of texts for its sentence vectors."""
    assert isinstance(need, ModelNeed)
    from crosswind.model.similarity import EncoderSimilarity

    path = _resolved(job, need)
    return worker.get("similarity", str(path), lambda: EncoderSimilarity(str(path)))


def met_need(job: Job[Any], worker: Worker, need: Need) -> Any:
    """What a perturbation is given for its need: a masked language model and an aligner are loaded."""
    if isinstance(need, ModelNeed) and need.role.startswith("masked-lm"):
        from crosswind.model.filling import EncoderFiller

        path = str(_resolved(job, need))
        return worker.get("masked-lm", path, lambda: EncoderFiller(path))
    if isinstance(need, ModelNeed) and need.role == "aligner":
        from crosswind.model.subwords import encoder_aligner

        path = str(_resolved(job, need))
        return worker.get("aligner", path, lambda: encoder_aligner(path))
    return _resolved(job, need)


def _resolved(job: Job[Any], need: Need) -> Any:
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
    version=5,
    params=RewriteParams,
    run=_run,
    cost=lambda params: tokens_of(params.ref) / 20,  # noise makes about twenty times as many words a second as a model
)
