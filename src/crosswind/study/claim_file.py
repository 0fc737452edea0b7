"""Files of claims: YAML, checked key by key; the package's own are in `claims/`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from crosswind.analysis.claims import (
    BestCheck,
    ChosenCheck,
    Claim,
    ClaimCheck,
    ClaimScope,
    ConsistentCheck,
    DifferenceCheck,
    MostCheck,
    ProvenanceCheck,
    RouteRef,
)
from crosswind.analysis.contrasted import Measure
from crosswind.errors import UserError, unknown
from crosswind.evaluate.benchmark import BENCHMARKS
from crosswind.plain_yaml import line_of, parse_yaml, yaml_text
from crosswind.study.spec import StrictModel, listed, validate_mapping

FOLDER = Path(__file__).resolve().parent / "claims"


class RouteSpec(StrictModel):
    """A route by its name, or by the tasks (and languages) that it was trained on before the target."""

    name: str = ""
    tasks: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    languages: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)

    def ref(self) -> RouteRef:
        """What it names."""
        return RouteRef(self.name, tuple(self.tasks), tuple(self.languages))


RouteName = Annotated[RouteSpec, BeforeValidator(lambda v: {"name": v} if isinstance(v, str) else v)]


class CheckSpec(StrictModel):
    """One check; which keys it has says which kind it is."""

    measure: Measure = "everywhere"
    route: RouteName | None = None
    against: RouteName | None = None
    best: RouteName | None = None
    most: Annotated[list[str], BeforeValidator(listed)] | None = Field(None, min_length=1)
    expect: Literal["helps", "hurts", "more robust", "less robust", "no benefit"] | None = None
    size: float | None = None
    tolerance: float = Field(1.0, gt=0)
    margin: float | None = Field(None, gt=0)
    target: str = ""
    perturbation: str = ""
    consistent: int | None = Field(None, ge=1)
    inconsistent: int | None = Field(None, ge=1)
    chosen: Literal["on dev"] | None = None
    encoder: str = ""
    phases: int | None = Field(None, ge=2, le=3)  # encoder, those between, the target's
    covers: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def is_one_check(self) -> CheckSpec:
        read = _READ_BY[type(self.check())]
        if unread := sorted(self.model_fields_set - read):
            raise ValueError(f"a check with {', '.join(sorted(self.model_fields_set & read))} has no {unread[0]}")
        return self

    def check(self) -> ClaimCheck:
        """The check that its keys make; `ValueError` where they make none."""
        against = self.against.ref() if self.against else None
        if self.encoder or self.phases is not None or self.covers:
            return ProvenanceCheck(encoder=self.encoder, phases=self.phases, covers=tuple(self.covers))
        if self.best is not None:
            return BestCheck(measure=self.measure, route=self.best.ref())
        if against is None:
            raise ValueError("a check says what it compares against (or best, or encoder, phases, covers)")
        if self.chosen is not None:
            if self.size is None:
                raise ValueError("what is chosen gains a size")
            return ChosenCheck(measure=self.measure, against=against, size=self.size, tolerance=self.tolerance)
        if self.consistent is not None or self.inconsistent is not None:
            count = self.consistent if self.consistent is not None else self.inconsistent
            assert count is not None
            if not self.target:
                raise ValueError("consistent gains are of a target")
            fails = self.inconsistent is not None
            return ConsistentCheck(
                measure=self.measure, target=self.target, against=against, at_least=count, fails=fails
            )
        if self.route is None:
            raise ValueError("a check against a route has a route")
        if self.most is not None:
            return MostCheck(measure=self.measure, route=self.route.ref(), against=against, targets=tuple(self.most))
        if self.expect is None:
            raise ValueError("a check says what it expects: helps, hurts, more robust, less robust, no benefit")
        if self.expect == "no benefit" and self.margin is None:
            raise ValueError("no benefit needs a margin, below which a gain counts as none")
        return DifferenceCheck(
            measure=self.measure,
            route=self.route.ref(),
            against=against,
            expect=self.expect,
            size=self.size,
            tolerance=self.tolerance,
            margin=self.margin,
            target=self.target,
            perturbation=self.perturbation,
        )


_READ_BY: dict[type, frozenset[str]] = {
    ProvenanceCheck: frozenset({"encoder", "phases", "covers"}),
    BestCheck: frozenset({"measure", "best"}),
    ChosenCheck: frozenset({"measure", "against", "chosen", "size", "tolerance"}),
    ConsistentCheck: frozenset({"measure", "target", "against", "consistent", "inconsistent"}),
    MostCheck: frozenset({"measure", "route", "against", "most"}),
    DifferenceCheck: frozenset(
        ("measure", "route", "against", "expect", "size", "tolerance", "margin", "target", "perturbation")
    ),
}
"""The keys that each kind of check reads."""


class ScopeSpec(StrictModel):
    """What a claim is about; what is left out is any."""

    encoder: str = ""
    targets: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    split: str = ""
    selection: str = ""
    benchmark: str = ""
    parameters: int | None = Field(None, ge=1)

    @field_validator("benchmark")
    @classmethod
    def known_benchmark(cls, benchmark: str) -> str:
        """A `ValueError` for a benchmark that nobody declares."""
        if benchmark and benchmark not in BENCHMARKS:
            raise ValueError(f"unknown benchmark: it is one of {', '.join(BENCHMARKS.names())}")
        return benchmark


class PublishedSpec(StrictModel):
    """A published figure beside a claim: the source's arXiv number, its words or setting, and what is claimed of it."""

    arxiv: str
    what: str
    setting: str = ""
    size: float
    tolerance: float = Field(0.05, ge=0)


class ClaimSpec(StrictModel):
    """One claim as written."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    statement: str
    source: str
    scope: ScopeSpec = ScopeSpec()
    general: bool = Field(False, strict=True)
    checks: list[CheckSpec] = Field(min_length=1)
    published: PublishedSpec | None = None

    @model_validator(mode="after")
    def encoders_fit(self) -> ClaimSpec:
        """A `ValueError` for a claim that is of one encoder and of all, or of the size of none."""
        if self.general and self.scope.encoder:
            raise ValueError("a general claim is of no single encoder: leave out scope.encoder")
        if self.scope.parameters and not self.scope.encoder:
            raise ValueError("scope.parameters is the size of scope.encoder, which is not named")
        return self


class ClaimsSpec(StrictModel):
    """A file of claims."""

    name: str
    summary: str = ""
    claims: list[ClaimSpec] = Field(min_length=1)


@dataclass(frozen=True)
class ClaimFile:
    """The claims of a file, and the published figures beside them by id."""

    name: str
    summary: str
    claims: tuple[Claim, ...]
    published: dict[str, PublishedSpec]
    path: Path

    def line_of(self, number: int, name: str) -> str:
        """The file and the line at which its claim of this number, from 0, has a name: `claims.yaml:12`."""
        line = line_of(yaml_text(self.path, "claims"), ("claims", number), name)
        return f"{self.path}:{line}"


def claim_files() -> dict[str, Path]:
    """The package's own files of claims by name."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def read_claims(name_or_path: str) -> ClaimFile:
    """A file of claims of the package by its name, or a user's; a `UserError` with its place for what is none."""
    shipped = claim_files()
    path = shipped.get(name_or_path, Path(name_or_path))
    if not os.path.exists(path):  # False for a name that no file can have, too
        raise unknown("file of claims", name_or_path, shipped, where="claims")
    value = parse_yaml(yaml_text(path, "claims"), str(path))
    try:
        spec = validate_mapping(ClaimsSpec, value, str(path))
    except UserError as error:
        raise _with_line(error, path) from error
    ids = [claim.id for claim in spec.claims]
    for claim_id in ids:
        if ids.count(claim_id) > 1:
            again = [i for i, other in enumerate(ids) if other == claim_id][1]
            line = line_of(yaml_text(path, "claims"), ("claims", again, "id"))
            hint = "give each an id of its own"
            raise UserError(f"two claims are called {claim_id!r}", where=f"{path}:{line}", hint=hint)
    published = {claim.id: claim.published for claim in spec.claims if claim.published is not None}
    return ClaimFile(spec.name, spec.summary, tuple(_claim(claim) for claim in spec.claims), published, path)


def _with_line(error: UserError, path: Path) -> UserError:
    """The fault of a key, `FILE: claims[0].checks[1].rout`, with its line."""
    key = (error.where or "").removeprefix(f"{path}: ")
    parts = [int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", key)]
    line = line_of(yaml_text(path, "claims"), parts)
    where = error.where if line is None else f"{path}:{line}: {key}"
    return UserError(error.what, where=where, hint=error.hint)


def _claim(spec: ClaimSpec) -> Claim:
    scope = spec.scope
    return Claim(
        id=spec.id,
        statement=spec.statement,
        source=spec.source,
        scope=ClaimScope(
            scope.encoder, tuple(scope.targets), scope.split, scope.selection, scope.benchmark, scope.parameters
        ),
        checks=tuple(check.check() for check in spec.checks),
        general=spec.general,
    )
