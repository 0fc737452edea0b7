"""The study file: YAML, checked key by key.

Names and shapes are checked here; whether tasks, languages, rows and perturbations exist is checked
when the study is planned. Unknown keys are errors with "did you mean".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from crosswind.errors import UserError, unknown
from crosswind.plain_yaml import parse_yaml, yaml_text
from crosswind.study.own import OwnTask
from crosswind.study.preset import with_preset_routes
from crosswind.study.spec_data import Data, Languages, MixtureSpec, PerturbSpec, TaskUse, Translated, TranslateSpec, Use
from crosswind.study.spec_targets import ClassName, Target, Targets
from crosswind.study.spec_training import (
    AugmentSpec,
    BudgetSpec,
    Defence,
    LayerChoice,
    MinedSpec,
    Mlm,
    Phase,
    PoolingSpec,
    Sampling,
    TrainingSpec,
)
from crosswind.study.strict import (
    Amount,
    Length,
    StrictModel,
    at_most,
    distinct,
    first_fault,
    listed,
    set_key,
    validate_mapping,
)

__all__ = [
    "Amount",
    "AugmentSpec",
    "Baseline",
    "BudgetSpec",
    "ClassName",
    "CompareSpec",
    "Data",
    "Defence",
    "Languages",
    "LayerChoice",
    "Length",
    "MinedSpec",
    "MixtureSpec",
    "Mlm",
    "PerturbSpec",
    "Phase",
    "PoolingSpec",
    "PretrainedEncoder",
    "Sampling",
    "Seed",
    "SlopeSpec",
    "StrictModel",
    "Study",
    "Target",
    "Targets",
    "TaskUse",
    "TrainingSpec",
    "TranslateSpec",
    "Translated",
    "Use",
    "at_most",
    "listed",
    "parse_study",
    "read_study",
    "set_key",
    "validate_mapping",
]
"""The keys of a study file, all of them; their definitions are in files of their own."""


def _path_listed(value: object) -> object:
    return [value] if isinstance(value, str | Path) else value


Seed = Annotated[int, Field(ge=0), at_most(2**32 - 1, "random generators take 32 bits")]


_ROUTE = re.compile(r"\w[\w.+-]{0,99}")


class PretrainedEncoder(StrictModel):
    """An encoder that the study pretrains: a configuration's file, or the configuration itself."""

    pretrain: Path | dict[str, Any]


class Baseline(StrictModel):
    """A baseline of the field, as a route of its own: `{mode: translate-train, translate: MODEL}`.

    `translate-train` trains every target on its training data and their translations into the target's languages;
    `translate-test` translates the test sets into the source language, which the target's own model then reads.
    `after` names the route whose encoder it begins with (without it: no intermediate phase).
    """

    mode: Literal["translate-train", "translate-test"]
    translate: Translated
    after: str | None = None


class SlopeSpec(StrictModel):
    """What more of a factor brings: `{factor: items, routes: [small, large]}` over what the study knows of its routes
    (items, labelled examples, steps, tokens, phases), or with amounts of yours, `routes: {a: 1, b: 4}`.

    `scale`: the slope is for each `doubling` of the amount, or, `linear`, for each unit of it.
    """

    factor: str = Field(min_length=1)
    routes: Annotated[
        dict[str, Annotated[float, Field(ge=0)] | None],
        BeforeValidator(lambda v: dict.fromkeys(v) if isinstance(v, list) else v),
    ] = Field(min_length=2)
    scale: Literal["doubling", "linear"] = "doubling"

    @property
    def amounts(self) -> dict[str, float | None]:
        """Of each route its amount, `None` where the study's own is meant."""
        return self.routes


class CompareSpec(StrictModel):
    """What is compared, declared before the run: `pairs` of routes (all of them), the `measures` of the family whose
    verdicts are corrected together; `paired_seeds`: seeds of one number are one draw; `margin`: effects smaller than
    so many points count as none; `slopes` over a factor that routes have more and less of; `random_languages`: a second
    interval is over other languages of the same families.
    """

    pairs: list[Annotated[list[str], Field(min_length=2, max_length=2)]] = Field(default_factory=list)
    measures: list[Literal["clean", "perturbed", "drop"]] = Field(["clean", "perturbed", "drop"], min_length=1)
    paired_seeds: bool = Field(False, strict=True)
    margin: float | None = Field(None, gt=0, le=100)
    slopes: Annotated[list[SlopeSpec], BeforeValidator(listed)] = Field(default_factory=list)
    random_languages: bool = Field(False, strict=True)


class Study(StrictModel):
    """A study file as read; see design §5 and `crosswind run --help`.

    Further keys belong to stages (`study/stages/`), which declare them.
    """

    has_examples: ClassVar[bool] = True
    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100)
    encoder: str | PretrainedEncoder
    predictions: Annotated[list[Path] | None, BeforeValidator(_path_listed)] = (
        None  # files of predictions in the place of the encoder's, which is only named
    )
    fine_tuned: bool = False  # the checkpoint brings the targets' head; nothing is trained for them
    revision: str | None = None
    trust_remote_code: bool = Field(False, strict=True)  # run the Python code that the encoder brings
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seeds: Annotated[
        list[Seed],
        BeforeValidator(lambda v: [v] if isinstance(v, int) else v),
        AfterValidator(distinct),
        at_most(1000, "every route is trained anew for each"),
    ] = Field(default_factory=lambda: [1], min_length=1)
    draws: Annotated[int, at_most(1000, "every cell is predicted anew for each")] = Field(1, ge=1)
    min_changed: float = Field(0.05, ge=0, le=1)  # a cell in which a smaller share of items changed has no score
    data: Data = Data()
    lexicons: Path | None = None
    words: Path | None = None  # lists of known words, LL.txt, for the input defence `correct`
    training: TrainingSpec = TrainingSpec()
    routes: Annotated[dict[str, list[Phase]], BeforeValidator(with_preset_routes)] = Field(min_length=1)
    baselines: dict[str, Baseline] = Field(default_factory=dict)
    defences: dict[str, Defence] = Field(default_factory=lambda: {"none": Defence()}, min_length=1)
    tasks: dict[str, OwnTask] = Field(default_factory=dict)  # data of the user's own
    mixtures: dict[str, MixtureSpec] = Field(default_factory=dict)
    targets: Targets
    compare: CompareSpec = CompareSpec()
    claims: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)  # files, or the package's names
    keep: Literal["all", "encoders", "none"] = "all"
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def pairs_name_routes(self) -> Study:
        """A `UserError` for a pair that names no route."""
        for route in (r for pair in self.compare.pairs for r in pair):
            if route not in self.route_names:
                raise unknown("route", route, self.route_names, where="study: compare.pairs")
        for route in (r for slope in self.compare.slopes for r in slope.routes):
            if route not in self.route_names:
                raise unknown("route", route, self.route_names, where="study: compare.slopes")
        return self

    @model_validator(mode="before")
    @classmethod
    def stages_declare_the_other_keys(cls, value: Any) -> Any:
        """Check the sections of stages; a `UserError` for a key that nobody declares."""
        if not isinstance(value, Mapping):
            return value
        from crosswind.study.stages import STAGES

        sections = {}
        for key in value:
            if key in cls.model_fields:
                continue
            if key not in STAGES:
                raise unknown("key", str(key), [*cls.model_fields, *STAGES.names()], where=f"study: {key}")
            try:
                sections[key] = STAGES[key].read(value[key])
            except ValidationError as error:
                raise first_fault(error, "study", STAGES[key].section, str(key)) from error
        return {**value, **sections}

    @property
    def route_names(self) -> list[str]:
        """The routes in order, then the baselines, which results have as routes too."""
        return [*self.routes, *self.baselines]

    @model_validator(mode="after")
    def baselines_begin_with_routes(self) -> Study:
        for name, baseline in self.baselines.items():
            if name in self.routes:
                raise ValueError(f"baselines.{name}: there is a route of that name")
            if not _ROUTE.fullmatch(name):
                raise ValueError(
                    f"{name!r} cannot name a baseline: letters, digits and . _ + - (it names a folder too)"
                )
            if baseline.after is not None and baseline.after not in self.routes:
                known = ", ".join(self.routes)
                raise ValueError(f"baselines.{name}.after: there is no route {baseline.after!r} (routes: {known})")
        return self

    def section(self, stage: str) -> Any:
        """What the study says to a stage; `None` if nothing."""
        return (self.model_extra or {}).get(stage)

    @field_validator("routes")
    @classmethod
    def routes_name_folders(cls, routes: dict[str, list[Phase]]) -> dict[str, list[Phase]]:
        for name in routes:
            if not _ROUTE.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a route: letters, digits and . _ + - (it names a folder too)")
        return routes

    @field_validator("defences")
    @classmethod
    def defences_name_folders(cls, defences: dict[str, Defence]) -> dict[str, Defence]:
        for name in defences:
            if not _ROUTE.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a defence: letters, digits and . _ + - (it names a folder too)")
        return defences


def read_study(path: Path, overrides: list[str] | None = None) -> Study:
    """Read and check a study file, with `KEY=VALUE` overrides; `UserError`s name the study key."""
    return parse_study(yaml_text(path, "study"), overrides, name=str(path))


def parse_study(text: str, overrides: list[str] | None = None, *, name: str = "study") -> Study:
    """Check the YAML text of a study, with `KEY=VALUE` overrides; `name` stands in error messages."""
    value = parse_yaml(text, name)
    for override in overrides or []:
        set_key(value, override)
    try:
        study: Study = validate_mapping(Study, value, name)
    except UserError as error:
        # What stages say of their keys does not know the file.
        if error.where is None or not error.where.startswith("study: "):
            raise
        raise UserError(error.what, where=f"{name}: {error.where.removeprefix('study: ')}", hint=error.hint) from error
    return study
