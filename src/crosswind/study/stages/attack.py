"""`attack:`, searched perturbations: for each recipe an attack step, a cell of what it gave, and its control.

`attack: [{recipe: polygloss, budget: 500, examples: 500}]`. The control draws from the same alternatives, as many
texts as the budget allows; what the attack gains over it is the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import BeforeValidator, Field

from crosswind.analysis.condition import APART
from crosswind.attack.allowed import require_budget
from crosswind.attack.recipe import (
    RECIPES,
    AttackSetting,
    Call,
    constraints_of,
    needed_spec,
    parse_recipe,
    require_restarts,
    unattackable,
)
from crosswind.attack.runner import WIDTH, engine_rules
from crosswind.data.languages import unknown_language
from crosswind.errors import UserError, unknown
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.constraint import (
    NamedConstraint,
    constraint_resources,
    parse_constraints,
    refusal_of,
    written_constraints,
)
from crosswind.perturb.example import PROTECTIONS
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.perturb.spec import TextScope, printed_call
from crosswind.steps.attack import ATTACK, AttackParams
from crosswind.steps.cells import CellParams
from crosswind.steps.perturbing import CONSTRAINED
from crosswind.study.plan import Planner
from crosswind.study.planned import ATTACK_PREFIX, CellCondition, Evaluated, EvaluatedModel
from crosswind.study.planning_models import ModelPlanner
from crosswind.study.spec import StrictModel, listed
from crosswind.study.stages import Conditions, Stage
from crosswind.study.target_plans import TargetPlan
from crosswind.study.transferred import Transfers
from crosswind.tasks.base import TASKS

BUDGET, EXAMPLES = 100, 500  # of each attacked example, of each test set


class AttackSpec(StrictModel):
    """One attack: a recipe, queries an example, how many examples of a test set (in whole clusters).

    `fields` are those that change (default: all that the recipe attacks). `control: false` leaves the control out.
    `transfer: true` scores the adversarial examples of every route and seed on the others. `restarts` are further
    starts of a search that draws; other searches have none. `apart: true` also attacks the models of selections that
    are reported apart (`oracle`, `averaged`, `dev layer`).
    """

    recipe: str
    budget: int = BUDGET
    examples: int = Field(EXAMPLES, ge=1)
    restarts: int = Field(0, ge=0, le=1000)
    seed: int = Field(1, ge=0)
    control: bool = True
    transfer: bool = False
    apart: bool = Field(False, strict=True)
    fields: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    protect: str = "none"
    constraints: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    languages: Annotated[list[str], BeforeValidator(listed)] | None = None
    targets: Annotated[list[str], BeforeValidator(listed)] | None = None
    width: int = Field(WIDTH, ge=1)


@dataclass(frozen=True)
class _Attack:
    spec: AttackSpec
    call: Call
    constraints: tuple[NamedConstraint, ...] = ()

    @property
    def name(self) -> str:
        """What the column `attack` says: the recipe with its parameters, and starts and seed that are not the usual."""
        return attack_name(self.call, self.spec, self.constraints)


def attack_name(call: Call, spec: AttackSpec, constraints: Sequence[NamedConstraint]) -> str:
    """What results call an attack: the recipe with its parameters and constraints, starts and seed if not the usual."""
    extra = [c.identity for c in constraints]
    extra += [f"{k}={v}" for k, v, usual in (("restarts", spec.restarts, 0), ("seed", spec.seed, 1)) if v != usual]
    return ";".join([call.name, *extra])


_Entry = Annotated[AttackSpec, BeforeValidator(lambda v: {"recipe": v} if isinstance(v, str) else v)]


def _begin(section: Sequence[AttackSpec], planner: Planner, targets: Sequence[TargetPlan]) -> Conditions:
    transfers = Transfers()
    attacks = [a for i, spec in enumerate(section) for a in _attacks(spec, f"attack[{i}]", targets)]

    def conditions(evaluated: Evaluated) -> None:
        task, language = evaluated.target.task, evaluated.clean.data.language
        for attack in attacks:
            spec = attack.spec
            if evaluated.clean.selection in APART and not spec.apart:
                continue
            if (spec.targets is None or task.name in spec.targets) and (
                spec.languages is None or language in spec.languages
            ):
                _add(attack, planner, evaluated, transfers)

    return conditions


def _attacks(spec: AttackSpec, where: str, targets: Sequence[TargetPlan]) -> list[_Attack]:
    require_budget(spec.budget, f"{where}.budget")
    if spec.protect not in PROTECTIONS:
        raise unknown("protection", spec.protect, PROTECTIONS, where=f"{where}.protect")
    languages = {ref.language for target in targets for ref in target.data}
    names = [target.task.name for target in targets]
    for code in spec.languages or ():
        if code not in languages:
            raise unknown_language(code, languages, where=f"{where}.languages")
    for name in spec.targets or ():
        if name not in names:
            raise unknown("target", name, names, where=f"{where}.targets")
    call = parse_recipe(spec.recipe, where=f"{where}.recipe").limited_to(spec.fields, f"{where}.fields")
    kinds = {t.task.kind for t in targets if spec.targets is None or t.task.name in spec.targets}
    if not kinds & set(call.declaration.kinds):
        raise UserError(
            f"{call.recipe} attacks {', '.join(call.declaration.kinds)} tasks; there is none among the targets",
            where=f"{where}.recipe",
            hint="`crosswind list recipes` shows what each attacks",
        )
    for target in (t for t in targets if t.task.kind in kinds & {*call.declaration.kinds}):
        setting = call.setting(target.task, target.task.source_language)
        require_restarts(call, setting, spec.restarts, f"{where}.restarts")
    constraints = parse_constraints(spec.constraints, where=f"{where}.constraints")
    drawn = spec.control and not call.control and not call.declaration.blind
    controls = [_Attack(spec, call.counterpart(), constraints)] if drawn else []
    return [_Attack(spec, call, constraints), *controls]


def _add(attack: _Attack, planner: Planner, evaluated: Evaluated, transfers: Transfers) -> None:
    task, spec = evaluated.target.task, attack.spec
    attack = replace(attack, call=attack.call.named_for(task.kind))
    condition = CellCondition(protection=spec.protect, attack=attack.name, budget=spec.budget)
    setting = attack.call.setting(task, evaluated.clean.data.language, planner.environment)
    constraints = (*constraints_of(attack.call, setting), *attack.constraints)
    reason = unattackable(attack.call, setting) or refusal_of(constraints, _scope(attack.call, setting))
    if task.search == "mined":
        reason = "which pairs are mined depends on all sentences at once: there is no example to attack"
    elif evaluated.translation is not None:
        reason = "the model reads a translation: every query would have to be translated anew"
    if any(need.split == evaluated.clean.data.split for need in attack.call.declaration.needs(setting)):
        reason = "it is searched on the split that is evaluated; attack another one"
    if reason is not None:
        planner.leave_out(evaluated, condition, f"{attack.call.recipe}: {reason}")
        return
    atoms = dict.fromkeys(atom.name for atom in needed_spec(attack.call, setting).atoms)
    condition = replace(condition, made_of=(ATTACK_PREFIX + attack.call.recipe, *atoms))
    evaluated = _selected(evaluated, spec.examples)
    inputs = {"layer": evaluated.layer} if evaluated.layer else {}
    if evaluated.embed is not None:
        inputs["pool"] = evaluated.embed
    label = f"{attack.name} on {evaluated.reading.ref.name}, route {evaluated.clean.route}"
    model, reading = evaluated.model, evaluated.reading
    key = attack_step(planner, attack.call, spec, attack.constraints, model, reading, inputs, label)
    moves = attack.call.declaration.pool is not None
    planner.condition(evaluated, condition, key, label=f"{attack.name}, {spec.budget} queries", moves_pool=moves)
    if spec.transfer and not attack.call.control:
        transfers.add(planner, evaluated, condition, key, moves_pool=moves)


def attack_step(
    planner: ModelPlanner,
    call: Call,
    spec: AttackSpec,
    constraints: Sequence[NamedConstraint],
    model: EvaluatedModel,
    reading: CellParams,
    inputs: dict[str, str],
    label: str,
) -> str:
    """Add the step that attacks what a model reads; its key. `inputs` are those besides model and alternatives."""
    inputs = dict(inputs)
    task = TASKS[reading.ref.task]
    setting = call.setting(task, reading.ref.language, planner.environment)
    data = dict(planner.prints(model, reading))
    scope = _scope(call, setting)
    alternatives = needed_spec(call, setting)
    planner.note_oracle(alternatives)
    recipe_needs = call.declaration.needs(setting)
    mine = constraints_of(call, setting)
    wanted = [*alternatives.needs(scope), *recipe_needs, *(n for c in (*mine, *constraints) for n in c.needs())]
    needs = planner.needed(wanted, reading.ref, data, inputs)
    data |= constraint_resources((*mine, *constraints), scope)
    data |= engine_rules((*mine, *constraints), spec.restarts)
    data |= {f"resource {name}": value for name, value in alternatives.resources(scope).items()}
    data |= planner.declared_by(RECIPES, call.recipe)
    for atom in alternatives.atoms:
        data |= planner.declared_by(PERTURBATIONS, atom.name)
    # A recipe's joined alternatives and search may change with the package.
    data["alternatives"] = "+".join(atom.identity for atom in alternatives.atoms)
    data["search"] = str(call.chosen_search(setting))
    limits = [*(c.name for c in call.declaration.constraints(setting)), *(c.identity for c in mine)]
    if limits:
        data["limits"] = "+".join(limits)
    if call.declaration.universal is not None and call.control:
        data["draws"] = "no trigger twice"
    if call.declaration.pool is not None:
        data["added"] = "counted as changed"  # earlier versions counted none
    changes = call.declaration.published_changes
    if changes and dict(call.params).get("setting") == "published":
        # What the paper's numbers are may change with the package as well.
        data["published"] = printed_call("", sorted(changes.items()))
    metric = METRICS.get(task.metric)
    data[f"metric {metric.name}"] = str(metric.version)
    if model.key is not None:
        inputs["model"] = model.key
    params = AttackParams(
        **{name: getattr(reading, name) for name in CellParams.__dataclass_fields__},
        recipe=call.name,
        budget=spec.budget,
        restarts=spec.restarts,
        seed=spec.seed,
        metric=metric.name,
        protection=spec.protect,
        constraints=tuple(c.identity for c in constraints),
        needs=needs,
    )
    key = planner.add(ATTACK.step(params, data=data, inputs=inputs, label=label, affinity=model.affinity))
    if spec.width != WIDTH:
        planner.attack_at_once(key, spec.width)
    if str(call) != call.name:
        planner.write_as(key, str(call))
    if written := written_constraints(constraints):
        planner.write_as(CONSTRAINED + key, written)
    return key


def _scope(call: Call, setting: AttackSetting) -> TextScope:
    return setting.scope(call.declaration.attacked(setting))


def _selected(evaluated: Evaluated, examples: int) -> Evaluated:
    """The clean cell with the examples that are attacked; those of retrieval stand before the pool of all."""
    data = evaluated.clean.data
    if data.limit is not None and data.limit <= examples:
        return evaluated
    if data.size is not None and data.size <= examples:
        return evaluated
    query = evaluated.target.task.kind == "query"
    chosen = replace(data, sample=examples) if query else replace(data, limit=examples)
    return replace(
        evaluated, clean=replace(evaluated.clean, data=chosen), reading=replace(evaluated.reading, ref=chosen)
    )


STAGE = Stage("attack", "attacks on the test sets, each beside its control", list[_Entry], _begin)
