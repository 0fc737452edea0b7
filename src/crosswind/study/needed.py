"""What perturbations and constraints need, where no step of a study brings it: data that are read, models."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, assert_never

from crosswind.data.examples import Dataset
from crosswind.model.needed import loaded_model, model_use
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import NamedConstraint, refusal_of
from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.spec import Resolved, Spec, TextScope
from crosswind.study.encoders import place_of, require_named


class NeedsMet:
    """Resolves needs: each model is loaded once, and `data` reads data sets; without it there are none to read.

    What only a step of a study makes, and data where there are none, are left out: who needs them says so.
    """

    def __init__(self) -> None:
        self._models: dict[ModelNeed, Any] = {}

    def of(self, needs: Iterable[Need], data: Callable[[DataNeed], Dataset] | None = None) -> dict[Need, Any]:
        """What each need is. Raises `UserError` for a model or data that cannot be read."""
        resolved: dict[Need, Any] = {}
        for need in needs:
            match need:
                case DataNeed():
                    if data is not None:
                        resolved[need] = data(need)
                case ModelNeed():
                    if need not in self._models:
                        require_named(need.source, f"{model_use(need.role)} model")
                        self._models[need] = loaded_model(need.role, place_of(need.source))
                    resolved[need] = self._models[need]
                case StepNeed():
                    continue
                case _:
                    assert_never(need)
        return resolved


def met_on_lines(
    spec: Spec, scope: TextScope, constraints: Sequence[NamedConstraint]
) -> tuple[Resolved, list[Constraint]]:
    """What a perturbation and constraints of lines need, loaded, and the constraints that are made of it.

    Raises `NotApplicable`, before anything is loaded, where the perturbation or a constraint does not apply to lines.
    """
    for atom in spec.atoms:
        if reason := atom.perturbation.applies(atom.setting(scope)) or atom.applies(scope):
            raise NotApplicable(reason, where="SPEC", hint=f"it is for {atom.perturbation.languages}")
    if reason := refusal_of(constraints, scope):
        raise NotApplicable(reason, where="--constraint", hint="leave it out")
    resolved = NeedsMet().of([*spec.needs(scope), *(need for c in constraints for need in c.needs())])
    return resolved, [c.made(resolved) for c in constraints]
