"""`perturb:`, noise on the test sets: a rewrite step and a cell for each perturbation, protection and draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BeforeValidator

from crosswind.data.languages import unknown_language
from crosswind.errors import UserError, unknown
from crosswind.perturb.constraint import parse_constraints
from crosswind.perturb.example import PROTECTIONS
from crosswind.perturb.extent import Extent, check_fields
from crosswind.perturb.spec import POOL, Spec, parse_specs
from crosswind.perturb.suite import load_suite
from crosswind.perturb.tuning import DamageTarget, damage_target
from crosswind.study.plan import Planner
from crosswind.study.planned import CellCondition, Evaluated
from crosswind.study.spec import PerturbSpec
from crosswind.study.stages import Conditions, Stage
from crosswind.study.target_plans import TargetPlan
from crosswind.tasks.base import Task

_Entry = Annotated[PerturbSpec, BeforeValidator(lambda v: {"spec": v} if isinstance(v, str) else v)]


def _begin(section: Sequence[PerturbSpec], planner: Planner, targets: Sequence[TargetPlan]) -> Conditions:
    perturbations = list(_specs(section, targets))
    extents = {id(perturb): _extent(perturb, f"perturb[{i}]") for i, perturb in enumerate(section)}
    planner.diagnostic.update(
        extents[id(perturb)].named_for(kind).condition(spec)[0]
        for perturb, spec in perturbations
        if not spec.preserving
        for kind in {target.task.kind for target in targets}
    )

    def conditions(evaluated: Evaluated) -> None:
        task, language = evaluated.target.task, evaluated.clean.data.language
        for perturb, spec in perturbations:
            if (perturb.targets is None or task.name in perturb.targets) and (
                perturb.languages is None or language in perturb.languages
            ):
                _add(perturb, spec, extents[id(perturb)], planner, evaluated)

    return conditions


def _add(perturb: PerturbSpec, spec: Spec, extent: Extent, planner: Planner, evaluated: Evaluated) -> None:
    extent = extent.named_for(evaluated.target.task.kind)
    name, severity = extent.condition(spec)
    draws = planner.study.draws
    reason = planner.not_applicable(spec, evaluated, extent)
    if reason is not None:
        for protection in _protections(perturb, evaluated.target.task):
            planner.leave_out(evaluated, CellCondition(name, severity, protection), reason, draws=draws)
        return
    chosen = _protections(perturb, evaluated.target.task)
    for protection in (p for p in perturb.protect if p not in chosen):
        reason = f"it has no {protection} to protect"
        reason += "" if "none" in perturb.protect else "; the cell without protection stands for it"
        planner.leave_out(evaluated, CellCondition(name, severity, protection), reason, draws=draws)
    for protection in chosen:
        for draw in _draws(perturb, draws):
            rewrite = planner.rewrite(evaluated, spec, draw, protection, extent)
            made_of = tuple(dict.fromkeys(atom.name for atom in spec.atoms))
            condition = CellCondition(name, severity, protection, draw, made_of=made_of)
            adds = any(atom.perturbation.add is not None for atom in spec.atoms)
            fields = extent.of(evaluated.target.task.kind, evaluated.target.task.perturbed)
            moves = adds or POOL in fields
            planner.condition(evaluated, condition, rewrite, label=extent.label(spec), moves_pool=moves)


def _specs(section: Sequence[PerturbSpec], targets: Sequence[TargetPlan]) -> Iterator[tuple[PerturbSpec, Spec]]:
    languages = {ref.language for target in targets for ref in target.data}
    names = [target.task.name for target in targets]
    for i, perturb in enumerate(section):
        where = f"perturb[{i}]"
        for code in perturb.languages or ():
            if code not in languages:
                raise unknown_language(code, languages, where=f"{where}.languages")
        for name in perturb.targets or ():
            if name not in names:
                raise unknown("target", name, names, where=f"{where}.targets")
        for name in perturb.protect:
            if name not in PROTECTIONS:
                raise unknown("protection", name, PROTECTIONS, where=f"{where}.protect")
        if perturb.suite:
            yield from ((perturb, spec) for spec in load_suite(perturb.suite, f"{where}.suite").specs)
            continue
        for spec in _leveled(perturb, where):
            yield perturb, spec


def _leveled(perturb: PerturbSpec, where: str) -> Sequence[Spec]:
    """The specs of an entry; those whose severity is found at 1. A `UserError` for one that has a severity as well."""
    if perturb.severity is None:
        return parse_specs(perturb.spec, where=where)
    specs, others = (parse_specs(perturb.spec, severity=level, where=where) for level in (1.0, 0.5))
    if any(
        a == b for spec, other in zip(specs, others, strict=True) for a, b in zip(spec.atoms, other.atoms, strict=True)
    ):
        raise UserError(
            f"{perturb.spec!r} has a severity, and severity finds it by the damage",
            where=f"{where}.severity",
            hint="leave out one of them",
        )
    return specs


def _draws(perturb: PerturbSpec, draws: int) -> Sequence[int]:
    """The draws of the study, of a frozen suite the one that is published."""
    return (load_suite(perturb.suite).draw,) if perturb.suite else range(1, draws + 1)


def _extent(perturb: PerturbSpec, where: str) -> Extent:
    fields = check_fields(perturb.fields or (), f"{where}.fields")
    constraints = parse_constraints(perturb.constraints, where=f"{where}.constraints")
    return Extent(fields, constraints, perturb.suite, _damage(perturb, f"{where}.severity"))


def _damage(perturb: PerturbSpec, where: str) -> DamageTarget | None:
    if perturb.severity is None:
        return None
    ((axis, value),) = perturb.severity.items()
    return damage_target(axis, value, where)


def _protections(perturb: PerturbSpec, task: Task) -> list[str]:
    """The protections that mean something for a task: answers for span QA, entities for NER."""
    fitting = {"none"} | ({"answers"} if task.kind == "span" else set())
    fitting |= {"entities"} if task.group in ("ner", "entity-linking") else set()
    return [p for p in perturb.protect if p in fitting] or ["none"]


PERTURB = Stage("perturb", "noise on the test sets", list[_Entry], _begin)
