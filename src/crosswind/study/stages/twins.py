"""`twins:`, test sets that people wrote in another way: a recorded perturbation and a cell for each language of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from pydantic import Field

from crosswind.errors import UserError, unknown
from crosswind.perturb.twins import no_twins, twin_pairs
from crosswind.steps.twin import TWIN, TwinParams
from crosswind.study.plan import Planner
from crosswind.study.planned import CellCondition, Evaluated
from crosswind.study.spec import StrictModel
from crosswind.study.stages import Conditions, Stage
from crosswind.study.target_plans import TargetPlan
from crosswind.tasks.base import TASKS


class TwinSpec(StrictModel):
    """`variant` is a task that holds the items of the target `target` in another writing, as `tasks` declares it.

    `name` is that of the perturbation in results (the variant's by default); `quotes` stand around its texts.
    `marks`: changed words stand as `<word|0>` in it.
    `rows`: both files hold the same items in the same order, whatever their texts have in common.
    """

    target: str
    variant: str
    name: str = Field("", pattern=r"^[\w.-]*$")
    split: str = "test"
    quotes: str = ""
    rows: bool = False
    marks: bool = False

    @property
    def perturbation(self) -> str:
        """What results call it."""
        return self.name or self.variant


def _begin(section: Sequence[TwinSpec], planner: Planner, targets: Sequence[TargetPlan]) -> Conditions:
    names = [target.task.name for target in targets]
    for i, twin in enumerate(section):
        if twin.target not in names:
            raise unknown("target", twin.target, names, where=f"twins[{i}].target")
        variant = TASKS.get(twin.variant, where=f"twins[{i}].variant")
        if variant.kind != TASKS[twin.target].kind:
            raise UserError(
                f"{twin.variant} is of kind {variant.kind}, {twin.target} of kind {TASKS[twin.target].kind}",
                where=f"twins[{i}].variant",
                hint="declare it with `like:` its target",
            )

    lacking = lru_cache(maxsize=None)(partial(_lacking, planner))

    def conditions(evaluated: Evaluated) -> None:
        for twin in section:
            if twin.target == evaluated.target.task.name:
                _add(twin, planner, evaluated, lacking)

    return conditions


def _add(twin: TwinSpec, planner: Planner, evaluated: Evaluated, lacking: Callable[[TwinParams], str | None]) -> None:
    data = evaluated.clean.data
    condition = CellCondition(perturbation=twin.perturbation, severity=1.0, draw=1)
    if data.language not in TASKS[twin.variant].languages:
        planner.leave_out(evaluated, condition, f"{twin.variant} has no {data.language}")
        return
    variant = replace(data, task=twin.variant, split=twin.split, rows=None, limit=None)
    prints = {ref.name: planner.fingerprint(ref) for ref in (data, variant)}
    prints |= {**planner.declared_by(TASKS, data.task), **planner.declared_by(TASKS, variant.task)}
    params = TwinParams(data, variant, twin.quotes, twin.rows, twin.marks)
    if reason := lacking(params):
        planner.leave_out(evaluated, condition, reason)
        return
    step = TWIN.step(params, data=prints, label=f"{twin.variant} of {data.name}", affinity="rewrites")
    planner.condition(evaluated, condition, planner.add(step), label=condition.perturbation)


def _lacking(planner: Planner, params: TwinParams) -> str | None:
    """Why none of the items that a limit takes has a variant; `None` where some have, and where nothing was drawn.

    The files are read for it; what lies on the hub is not, and the step says it then. Raises a `UserError` where none
    of all items is like a variant.
    """
    drawn, source = params.ref, planner.source
    if drawn.limit is None or params.rows or drawn.made is not None or planner.asks_hub:
        return None
    variant = params.variant.load(source)
    read = partial(twin_pairs, variant=variant, quotes=params.quotes, marks=params.marks)
    if read(drawn.load(source)):
        return None
    whole = drawn.undrawn.load(source)
    if not read(whole):
        raise no_twins(whole, variant)
    return f"none of the items that limit: {drawn.limit} takes is among the {len(variant):,} of {params.variant.task}"


TWINS = Stage(
    "twins",
    "test sets that people wrote in another way",
    list[TwinSpec],
    _begin,
    lambda section: (twin.perturbation for twin in section),
)
