"""The names that a file of claims uses: what no run and no registry knows is a typing error, and no claim to judge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

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
from crosswind.study.claim_file import ClaimFile, claim_files, read_claims
from crosswind.study.joined import RunResults
from crosswind.study.spec import Study
from crosswind.study.stages import STAGES
from crosswind.tasks.base import TASKS
from crosswind.tasks.mixture import MIXTURES

SELECTIONS = ("english", "last", "untuned", "oracle", AVERAGED, DEV_LAYER)
"""The ways of choosing a checkpoint that results name."""


@dataclass(frozen=True)
class KnownNames:
    """What a claim may name: by the kind of name those that are known, and the routes."""

    routes: tuple[str, ...]
    of: Mapping[str, Set[str]]

    @classmethod
    def of_runs(cls, runs: Sequence[RunResults]) -> KnownNames:
        """What these runs or some registry know."""
        routes = tuple(dict.fromkeys(route for run in runs for route in run.analysed.routes))
        return cls(
            routes,
            _with_registries(
                {
                    **{kind: _column(runs, kind) for kind in _COLUMNS},
                    "task": _trained_on(runs),
                }
            ),
        )

    @classmethod
    def of_study(cls, study: Study) -> KnownNames:
        """What a study or some registry knows, before anything is run."""
        declared = {*study.tasks, *study.mixtures, *(study.targets.tasks or {})}
        named = ((stage, study.section(stage.name)) for stage in STAGES)
        of_stages = {name for stage, section in named if section is not None for name in stage.perturbations(section)}
        known = {"target": declared, "task": declared, "perturbation": of_stages}
        return cls(tuple(study.route_names), _with_registries(known))


_COLUMNS = ("target", "perturbation", "language", "split", "selection")


def _with_registries(names: Mapping[str, Set[str]]) -> dict[str, Set[str]]:
    always: dict[str, Set[str]] = {
        "target": {*TASKS.names()},
        "task": {*TASKS.names(), *MIXTURES.names()},
        "perturbation": {*PERTURBATIONS.names()},
        "language": {code for task in TASKS for code in task.languages},
        "split": {split for task in TASKS for split in task.splits},
        "selection": {*SELECTIONS},
    }
    return {kind: {*known, *names.get(kind, ())} for kind, known in always.items()}


def require_known_names(file: ClaimFile, names: KnownNames) -> None:
    """A `UserError` with file, line and "did you mean" for the first name of a task, target, perturbation, language,
    split or selection that nobody knows. What is known and not in a run is outside its scope."""
    for number, claim in enumerate(file.claims):
        for kind, name in _names(claim):
            known, parts = names.of[kind], [name]
            if kind == "perturbation" and name not in known:  # joined ones, and their settings
                parts = [re.split(r"[(:@]", part)[0] for part in name.split("+")]
            for part in parts:
                if part not in known:
                    raise unknown(kind, part, known, where=f"{file.line_of(number, part)}: {claim.id}")


def unknown_route(file: ClaimFile, names: KnownNames) -> UserError | None:
    """The first name of a route that nobody has and no file of the package uses, with what may be meant."""
    shipped = [read_claims(name) for name in claim_files()]
    usual = {ref.name for other in shipped for claim in other.claims for check in claim.checks for ref in _refs(check)}
    for number, claim in enumerate(file.claims):
        for ref in (ref for check in claim.checks for ref in _refs(check)):
            if ref.name and ref.name not in {*names.routes, *usual}:
                return unknown("route", ref.name, names.routes, where=f"{file.line_of(number, ref.name)}: {claim.id}")
    return None


def require_claims(claims: Sequence[str], names: KnownNames) -> list[ClaimFile]:
    """The files of claims of these names or paths; a `UserError` for one that cannot be read, and for a name in a file
    of the user's that nobody knows. The package's own files are of other studies too."""
    shipped, files = claim_files(), []
    for name in claims:
        file = read_claims(name)
        if name not in shipped:
            require_known_names(file, names)
            if (mistyped := unknown_route(file, names)) is not None:
                raise mistyped
        files.append(file)
    return files


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
