"""Defences that learn from an attack: the training data of a phase are attacked, and trained on with what was found.

Test sets have no part in it. The model that is attacked is trained as the defended one but for these examples, on the
same data, from the same seed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crosswind.attack.recipe import needed_spec, parse_recipe, require_restarts, unattackable
from crosswind.errors import UserError
from crosswind.perturb.perturbation import Environment
from crosswind.steps.train import MinedParams, TrainParams
from crosswind.study.oracle import refuse_test_text
from crosswind.study.planned import ATTACK_PREFIX, EvaluatedModel
from crosswind.study.spec import MinedSpec
from crosswind.study.target_plans import MinedPlan, PhasePlan, TargetPlan
from crosswind.tasks.refs import DataRef

if TYPE_CHECKING:
    from crosswind.study.planning_models import ModelPlanner


def mined_plan(spec: MinedSpec, where: str) -> MinedPlan:
    """The plan of what a defence says; a `UserError` for an unknown recipe or a control."""
    call = parse_recipe(spec.recipe, where=f"{where}.recipe")
    if call.control:
        hint = "random draws are what augment trains on"
        raise UserError(f"{spec.recipe} searches nothing", where=f"{where}.recipe", hint=hint)
    return MinedPlan(spec, call, where)


def mined_family(plan: MinedPlan, phase: PhasePlan, environment: Environment) -> set[str]:
    """The recipe, and the perturbations whose alternatives it searches in the languages that are trained on."""
    settings = [plan.call.setting(ref.declaration, ref.language, environment) for ref in _attacked(phase)]
    atoms = {atom.name for s in settings if not unattackable(plan.call, s) for atom in needed_spec(plan.call, s).atoms}
    return {ATTACK_PREFIX + plan.call.recipe, *atoms}


def with_mined_inputs(
    planner: ModelPlanner, target: TargetPlan, phase: PhasePlan, params: TrainParams, encoder: str | None, label: str
) -> tuple[TrainParams, dict[str, str]]:
    """The parameters of a phase that learns from attacks, and the inputs that these are.

    Raises a `UserError` where a recipe attacks none of the phase's data, or draws on tables of test text.
    """
    from crosswind.study.stages.attack import AttackSpec, attack_step

    if not phase.mined:
        return params, {}
    model = planner.train(params, encoder, f"{label}, to be attacked", replace(phase, mined=()))
    evaluated = EvaluatedModel(model, f"model {model[:16]}")
    mined: list[MinedParams] = []
    inputs: dict[str, str] = {}
    for number, plan in enumerate(phase.mined):
        refusals: list[str] = []
        for ref in _attacked(phase):
            setting = plan.call.setting(ref.declaration, ref.language, planner.environment)
            reason = unattackable(plan.call, setting)
            if ref.declaration.kind == "query":
                reason = "retrieval learns from the candidates of its batch, which an attack on a pool does not have"
            if reason is not None:
                refusals.append(f"{ref.name}: {reason}")
                continue
            require_restarts(plan.call, setting, plan.spec.restarts, f"{plan.where}.restarts")
            refuse_test_text(needed_spec(plan.call, setting), planner.environment, f"{plan.where}.recipe")
            chosen = _limited(ref, plan.spec.examples)
            spec = AttackSpec(
                recipe=plan.spec.recipe, budget=plan.spec.budget, restarts=plan.spec.restarts, seed=plan.spec.seed
            )
            reading = planner.reading(target, chosen)
            named = f"{plan.call.name} on {chosen.name}, for {label}"
            role = f"mined {number} {ref.name}"
            inputs[role] = attack_step(planner, plan.call, spec, (), evaluated, reading, {}, named)
            mined.append(MinedParams(role, ref, plan.spec.share))
        if not any(m.role.startswith(f"mined {number} ") for m in mined):
            raise UserError(
                f"{plan.call.recipe} attacks none of the data that {target.task.name} is trained on ({refusals[0]})",
                where=f"{plan.where}.recipe",
                hint="`crosswind list recipes` shows what each attacks",
            )
        for refusal in refusals:
            planner.note(f"{plan.where}: nothing is mined of {refusal}.")
    return replace(params, mined=tuple(mined)), inputs


def _attacked(phase: PhasePlan) -> list[DataRef]:
    """The data of a phase that can be attacked: translations, which a step makes, are not."""
    return [ref for head in phase.heads for ref in head.data if ref.made is None]


def _limited(ref: DataRef, examples: int) -> DataRef:
    size = ref.size
    if size is not None and size <= examples:
        return ref
    return replace(ref, limit=examples if ref.limit is None else min(ref.limit, examples))
