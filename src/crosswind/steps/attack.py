"""`attack`: a model's test set under attack; its rewrites are put back like those of noise.

Inputs: `model` (without it: the base checkpoint), `pool` (vectors, of a retrieval task), what the alternatives need.
Writes `rewrites.parquet` (the worst text of each example), `outcomes.parquet` (how each attack ended and what it cost).
A step that was killed goes on with the examples that were not finished, to the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind, device_needs, unsigned
from crosswind.steps.cells import ADDED, TABLE, CellParams, dataset_of, predictor_of, purification_of, record_hardware
from crosswind.steps.parameters import tokens_of
from crosswind.steps.perturbing import CONSTRAINED, met_need
from crosswind.tasks.base import TASKS, kept_texts
from crosswind.tasks.refs import DataRef

if TYPE_CHECKING:
    from crosswind.attack.recipe import AttackSetting, Call
    from crosswind.attack.victim import ModelVictim

OUTCOMES = "outcomes.parquet"
_COLUMN = "results have a column for it"
_READ = "the cell that reads what the attack made signs it"
WIDTHS = "widths"  # of the context: by key of an attack how many examples it has at once, where not the usual number


@dataclass(frozen=True)
class AttackParams(CellParams):
    """What a cell reads, and how it is attacked: a recipe with its parameters, queries an example, starts and seed.

    `metric` judges how right a prediction is. How the model reads is signed by the cell that reads what the attack
    made. How many examples are attacked at once changes no result, as what stands beside an example in a pass changes
    none of any step: it is no part of the key (`WIDTHS`).
    """

    max_length: int = unsigned(_READ, 128)
    stride: int | None = unsigned(_READ, None)
    query_length: int | None = unsigned(_READ, None)
    precision: str = unsigned(_READ, "fp32")
    device: str = unsigned(_READ, "cpu")
    labels: tuple[str, ...] = unsigned(_READ, ())
    recipe: str = unsigned(_COLUMN, "")
    budget: int = unsigned(_COLUMN, 1)
    restarts: int = unsigned("results have it in the attack's column", 0)
    seed: int = unsigned("results have it in the attack's column", 1)
    metric: str = unsigned("a metric signs its own name", "")
    protection: str = "none"
    constraints: tuple[str, ...] = unsigned("results have them in the attack's column", ())
    needs: tuple[tuple[str, DataRef], ...] = unsigned("it follows from the recipe", ())


def _run(job: Job[AttackParams], worker: Worker) -> str:
    import numpy as np

    from crosswind.attack.cosine import cosine_note, cosines_of
    from crosswind.attack.outcome import ENDS
    from crosswind.attack.recipe import constraints_of, needed_spec, parse_recipe
    from crosswind.attack.run import (
        AttackBudget,
        attack_examples,
        attack_notes,
        outcome_table,
        perturbed_by,
    )
    from crosswind.attack.runner import WIDTH
    from crosswind.attack.victim import ModelVictim
    from crosswind.evaluate.metrics.base import METRICS
    from crosswind.perturb.constraint import constraints_as_written
    from crosswind.perturb.damage import damage_of
    from crosswind.perturb.example import check_protection
    from crosswind.perturb.lexicons import environment_of

    params = job.params
    task = TASKS[params.ref.task]
    # The recipe as written may say where a lexicon lies, which is no part of the step's identity.
    call = parse_recipe(job.world["specs"].get(job.step.key, params.recipe))
    setting = call.setting(task, params.ref.language, environment_of(job.world["lexicons"]))
    data = dataset_of(job, params.ref)
    predictor = predictor_of(job, worker)
    vectors = None
    if "pool" in job.inputs:
        vectors = np.load(job.inputs["pool"].path / "vectors.npy", mmap_mode="r", allow_pickle=False)
    victim = ModelVictim(
        predictor,
        METRICS[params.metric],
        pool=data.pool,
        vectors=vectors,
        purification=purification_of(job, worker),
        fixed=kept_texts(task),
    )
    spec = needed_spec(call, setting)
    resolved = {
        need: met_need(job, worker, need) for need in spec.needs(setting.scope(call.declaration.attacked(setting)))
    }
    _say_what_proposes(job, predictor, resolved)
    named = constraints_as_written(job.world["specs"].get(CONSTRAINED + job.step.key, ""), params.constraints)
    judges = {n: met_need(job, worker, n) for c in (*named, *constraints_of(call, setting)) for n in c.needs()}
    resolved |= judges
    trigger = _trigger(job, victim, call, setting)
    outcomes = attack_examples(
        victim,
        data.examples,
        call,
        setting,
        AttackBudget(params.budget, params.restarts, params.seed, job.world.get(WIDTHS, {}).get(job.step.key, WIDTH)),
        resolved=resolved,
        protect=check_protection(params.protection),
        constraints=[c.made(judges) for c in named],
        reach=victim.reach,
        metric=victim.metric,
        trigger=trigger,
        pool=data.pool,
        finished=job.partial / "finished.jsonl",
        report=lambda done, total, note: job.report(done, total, note),
    )
    perturbed = perturbed_by(data, outcomes)
    perturbed.table().write_parquet(job.draft.path / TABLE)
    if perturbed.added:
        perturbed.added_table().write_parquet(job.draft.path / ADDED)
    similar = cosines_of(call, setting, data.examples, outcomes, named, judges)
    outcome_table(outcomes, similar).write_parquet(job.draft.path / OUTCOMES)
    for note in attack_notes(call, setting, params.ref.name, outcomes):
        job.note(note)
    if said := cosine_note(call, similar):
        job.note(said)
    for end in ENDS:
        job.fact(f"ended: {end}", sum(o.end == end for o in outcomes))
    job.fact("changed", perturbed.changed_share)
    measured = damage_of(data, perturbed, call.declaration.attacked(setting))
    job.fact("damage", {"words_hit": measured.word_share, "edits": measured.edits_per_text, "chrf": measured.chrf})
    record_hardware(job)
    before = sum(o.clean_right > 0 for o in outcomes)
    broken = sum(o.end == "success" for o in outcomes)
    return f"{broken} of {before} that were right broken"


def _trigger(job: Job[AttackParams], victim: ModelVictim, call: Call, setting: AttackSetting) -> tuple[str, ...]:
    """The trigger of a universal attack, searched on development data; none of other recipes."""
    from crosswind.attack.universal import find_trigger

    params, declared = job.params, call.declaration
    if declared.universal is None:
        return ()
    (need,) = declared.needs(setting)
    ref = dict(params.needs)[need.role]
    how = replace(declared.universal(setting), drawn=call.control)
    trigger = find_trigger(victim, dataset_of(job, ref).examples, how, params.budget, params.seed)
    job.fact("trigger", {"words": " ".join(trigger.words), "queries": trigger.queries, "examples": trigger.examples})
    job.note(
        f"{params.recipe}: the trigger {' '.join(trigger.words)!r} was searched on {trigger.examples} examples of "
        f"{ref.name} with {trigger.queries} queries each; their mean loss is {trigger.after:.3f} with it, "
        f"{trigger.before:.3f} without."
    )
    return trigger.words


def _say_what_proposes(job: Job[AttackParams], predictor: Any, resolved: Mapping[Any, Any]) -> None:
    """Note a proposing model that shares weights with the model under attack: it knows what that one knows."""
    from crosswind.model.related import share_weights
    from crosswind.perturb.needs import ModelNeed

    for need, model in resolved.items():
        proposes = isinstance(need, ModelNeed) and need.role.startswith("masked-lm")
        if proposes and share_weights(model.encoder, predictor.encoder):
            job.note(
                f"{job.params.recipe}: the masked language model that proposes shares its weights with the model under "
                "attack (one was fine-tuned from the other, or both from a third). Who compares such models crosses "
                "all pairs."
            )


def _cost(params: AttackParams) -> float:
    """Estimated tokens: half of the budget for every example."""
    return tokens_of(params.ref) * params.budget / 2


ATTACK: StepKind[AttackParams] = StepKind(
    name="attack", version=7, params=AttackParams, run=_run, needs=device_needs, cost=_cost
)
