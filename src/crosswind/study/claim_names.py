"""The names that a file of claims uses: what no run and no registry knows is a typing error, and no claim to judge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from crosswind.analysis.claims import (
    BestCheck,
    ChosenCheck,
    Claim,
    ClaimCheck,
    ConsistentCheck,
    DifferenceCheck,
    MostCheck,
    ProvenanceCheck,
    RouteRef,
)
from crosswind.analysis.condition import AVERAGED, DEV_LAYER
from crosswind.errors import UserError, unknown
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.study.claim_file import ClaimFile
from crosswind.study.joined import RunResults
from crosswind.tasks.base import TASKS
from crosswind.tasks.mixture import MIXTURES

SELECTIONS = ("english", "last", "untuned", "oracle", AVERAGED, DEV_LAYER)
"""The ways of choosing a checkpoint that results name."""


def require_known_names(file: ClaimFile, runs: Sequence[RunResults], where: str) -> None:
    """A `UserError` with "did you mean" for the first name of a task, target, perturbation, language, split or
    selection that neither these runs nor any registry knows. What is known and not in a run is outside its scope."""
    known = {
        "target": {*_column(runs, "target"), *TASKS.names()},
        "task": {*TASKS.names(), *MIXTURES.names(), *_trained_on(runs)},
        "perturbation": {*_column(runs, "perturbation"), *PERTURBATIONS.names()},
        "language": {*_column(runs, "language"), *(code for task in TASKS for code in task.languages)},
        "split": {*_column(runs, "split"), *(split for task in TASKS for split in task.splits)},
        "selection": {*_column(runs, "selection"), *SELECTIONS},
    }
    for claim in file.claims:
        for kind, name in _names(claim):
            parts = [name]
            if kind == "perturbation" and name not in known[kind]:  # joined ones, and their settings
                parts = [re.split(r"[(:@]", part)[0] for part in name.split("+")]
            for part in parts:
                if part not in known[kind]:
                    raise unknown(kind, part, known[kind], where=f"{where}: {claim.id}")


def unknown_route(
    file: ClaimFile, runs: Sequence[RunResults], shipped: Sequence[ClaimFile], where: str
) -> UserError | None:
    """The first name of a route that no run has and no file of the package uses, with what may be meant."""
    routes = {route for run in runs for route in run.analysed.routes}
    usual = {ref.name for other in shipped for claim in other.claims for check in claim.checks for ref in _refs(check)}
    for claim in file.claims:
        for ref in (ref for check in claim.checks for ref in _refs(check)):
            if ref.name and ref.name not in routes | usual:
                return unknown("route", ref.name, routes, where=f"{where}: {claim.id}")
    return None


def _column(runs: Sequence[RunResults], name: str) -> set[str]:
    return {str(value) for run in runs for value in run.rows[name].unique()}


def _trained_on(runs: Sequence[RunResults]) -> set[str]:
    factors = (of for run in runs for of in run.analysed.facts.factors.values())
    return {task for of in factors for task in of.get("tasks", "").split()}


def _names(claim: Claim) -> Iterator[tuple[str, str]]:
    """Each name that a claim uses, routes aside, with what it is the name of."""
    yield from (("target", target) for target in claim.scope.targets)
    yield from (("split", name) for name in (claim.scope.split,) if name)
    yield from (("selection", name) for name in (claim.scope.selection,) if name)
    for check in claim.checks:
        for ref in _refs(check):
            yield from (("task", task) for task in ref.tasks)
            yield from (("language", code) for code in ref.languages)
        match check:
            case DifferenceCheck():
                yield from (("target", name) for name in (check.target,) if name)
                yield from (("perturbation", name) for name in (check.perturbation,) if name)
            case MostCheck():
                yield from (("target", name) for name in check.targets)
            case ConsistentCheck():
                yield "target", check.target
            case ProvenanceCheck():
                yield from (("task", name) for name in check.covers)
            case BestCheck() | ChosenCheck():
                pass


def _refs(check: ClaimCheck) -> Iterable[RouteRef]:
    match check:
        case DifferenceCheck() | MostCheck():
            return check.route, check.against
        case BestCheck():
            return (check.route,)
        case ConsistentCheck() | ChosenCheck():
            return (check.against,)
        case ProvenanceCheck():
            return ()
