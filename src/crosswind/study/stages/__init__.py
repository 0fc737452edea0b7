"""Stages: what a key of the study file adds to a plan. One file a stage, declaring a `Stage`.

A stage looks at every clean cell of the plan and may add conditions to it: steps and further cells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from crosswind.registry import Registry

if TYPE_CHECKING:
    from crosswind.study.plan import Planner
    from crosswind.study.planned import Evaluated
    from crosswind.study.target_plans import TargetPlan

Conditions = Callable[["Evaluated"], None]
"""Adds the conditions of one clean cell to the plan."""


@dataclass(frozen=True)
class Stage:
    """A declaration: `name` is the key of the study file, `section` the type that pydantic checks its value against.

    `begin(section, planner, targets)` is called once a plan; it checks the section against what there is and returns
    what adds the conditions of each clean cell. `perturbations` are the names that the section itself gives to
    conditions, which no registry knows.
    """

    name: str
    summary: str
    section: Any
    begin: Callable[[Any, Planner, Sequence[TargetPlan]], Conditions]
    perturbations: Callable[[Any], Iterable[str]] = lambda section: ()

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        return TypeAdapter(self.section)

    def read(self, value: Any) -> Any:
        """The section as its type; faults are pydantic's, at this stage's key."""
        return self._adapter.validate_python(value)


STAGES: Registry[Stage] = Registry("stage", "crosswind.study.stages", "crosswind.stages", Stage)
