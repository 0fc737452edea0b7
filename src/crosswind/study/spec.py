"""The study file: YAML, checked key by key.

Names and shapes are checked here; whether tasks, languages, rows and perturbations exist is checked
when the study is planned. Unknown keys are errors with "did you mean".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from crosswind.errors import UserError, shown, unknown
from crosswind.plain_yaml import parse_yaml, parse_yaml_value, yaml_text
from crosswind.reading import expanded
from crosswind.study.own import OwnTask
from crosswind.study.preset import with_preset_routes


class StrictModel(BaseModel):
    """A mapping of the study file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def at_most(limit: int, reason: str) -> AfterValidator:
    """Refuses a larger number, or a longer list, and says why: what could never run is no study."""

    def check(value: Any) -> Any:
        size = len(value) if isinstance(value, list) else value
        if size is not None and size > limit:
            raise ValueError(f"at most {limit:,}: {reason}")
        return value

    return AfterValidator(check)


def _distinct(values: list[Any] | None) -> list[Any] | None:
    """Refuses what a list names twice: it would be taken once, and the user meant something else."""
    for i, value in enumerate(values or ()):
        if values is not None and value in values[:i]:
            raise ValueError(f"{value!r} is there twice\nname each once")
    return values


Length = Annotated[int | None, at_most(100_000, "no encoder reads so many tokens at once")]
"""Tokens of a row."""
Amount = Annotated[int | None, at_most(10**12, "no run of that length ends")]
"""Of examples, tokens or steps."""


def _rows(value: object) -> object:
    return str(value) if isinstance(value, int) else value


def listed(value: object) -> object:
    """One entry as a list of it."""
    return [value] if isinstance(value, str | Mapping) else value


def _path_listed(value: object) -> object:
    return [value] if isinstance(value, str | Path) else value


def _one_number(value: object) -> object:
    return [value] if isinstance(value, int | float) else value


def _named(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


class TranslateSpec(StrictModel):
    """How data are translated: by a seq2seq checkpoint (`model`), or word by word (`lexicon: true`).

    `source` is the language that is translated from (default: the task's source language). `codes` are the model's own
    codes of languages where ours do not say them plainly, `beams` those of its search (1: greedy), `max_length` the
    tokens of a sentence. `carry` are the ways of carrying answers over, the first that works.
    """

    model: str | None = None
    revision: str | None = None
    lexicon: bool = Field(False, strict=True)
    source: str | None = None
    codes: dict[str, str] = Field(default_factory=dict)
    beams: Annotated[int, at_most(64, "more beams make no better translations")] = Field(4, ge=1)
    max_length: Length = Field(None, ge=16)
    carry: Annotated[list[Literal["markers", "align"]], BeforeValidator(listed)] = ["markers", "align"]

    @model_validator(mode="after")
    def one_way(self) -> TranslateSpec:
        if (self.model is not None) == self.lexicon:
            raise ValueError("translate by a model (model: NAME) or by a lexicon (lexicon: true), one of them")
        return self


Translated = Annotated[TranslateSpec, BeforeValidator(lambda v: {"model": v} if isinstance(v, str) else v)]


Languages = Annotated[list[str], BeforeValidator(listed), AfterValidator(_distinct)] | None


class TaskUse(StrictModel):
    """A task as data: `mnli`, or `{name: mnli, languages: [en, de], split: dev, rows: 0-9999}`.

    `languages` defaults to the task's source language; `rows` counts within the split of each
    language; `limit` takes at most so many of these, in whole clusters. With `translate` the languages but the source
    are translations of it.
    """

    name: str
    languages: Languages = None
    split: str | None = None
    rows: Annotated[str | None, BeforeValidator(_rows)] = None
    limit: int | None = Field(None, ge=1)
    translate: Translated | None = None


Use = Annotated[TaskUse, BeforeValidator(_named)]


class Mlm(StrictModel):
    """Masked LM (and translation LM) beside a phase's tasks: `share` is its share of all steps.

    The phase's budget counts labelled examples; these steps come on top. `tlm` is the share of the
    masked-LM lines that are pairs of translations, where the corpus is parallel.
    """

    languages: Annotated[list[str], BeforeValidator(listed)] | Literal["all"] = "all"
    share: float = Field(0.5, gt=0, le=1)
    corpora: Annotated[list[Use], BeforeValidator(listed)] = Field(default_factory=lambda: [TaskUse(name="ntrex")])
    tlm: float = Field(0.5, ge=0, le=1)


class BudgetSpec(StrictModel):
    """How much a phase sees: exactly one of examples, tokens, steps, epochs; `items` limits the
    unique item ids (translations of one item count once).
    """

    examples: Amount = Field(None, ge=1)
    tokens: Amount = Field(None, ge=1)
    steps: Amount = Field(None, ge=1)
    epochs: Annotated[float | None, at_most(100_000, "no run of that length ends")] = Field(None, gt=0)
    items: Amount = Field(None, ge=1)

    @model_validator(mode="after")
    def one_measure(self) -> BudgetSpec:
        given = [n for n in ("examples", "tokens", "steps", "epochs") if getattr(self, n) is not None]
        if len(given) > 1:
            raise ValueError(f"a budget has one measure, this one has {' and '.join(given)}")
        return self


class Sampling(StrictModel):
    """How often each task is drawn: its size up to `cap`, to the power of 1 / `temperature` (`train/mixing.py`)."""

    cap: int | None = Field(None, ge=1)
    temperature: float = Field(1.0, gt=0)


class TrainingSpec(StrictModel):
    """Overrides of the training settings (see `train/settings.py`); what is unset is inherited."""

    batch_size: Annotated[int | None, at_most(1_000_000, "no memory holds so many examples")] = Field(None, ge=1)
    batch_by: Literal["examples", "clusters"] | None = None
    learning_rate: float | None = Field(None, gt=0)
    warmup: float | None = Field(None, ge=0)
    decay: Literal["linear", "constant"] | None = None
    weight_decay: float | None = Field(None, ge=0)
    epsilon: float | None = Field(None, gt=0)
    clip: float | None = Field(None, ge=0)
    max_length: Length = Field(None, ge=8)
    query_length: Length = Field(None, ge=8)
    stride: Length = Field(None, ge=0)
    precision: Literal["fp32", "bf16"] | None = None
    freeze: Literal["nothing", "embeddings"] | None = None
    dropout: float | None = Field(None, ge=0, lt=1)
    classifier_pooling: Literal["cls", "mean", "max"] | None = None
    micro_tokens: int | None = Field(None, ge=16)
    evaluate_every: int | None = Field(None, ge=1)
    patience: int | None = Field(None, ge=1)


class PoolingSpec(StrictModel):
    """How a text's vector is made: see `model/pooling.py`; what is unset is the checkpoint's own."""

    mode: Literal["mean", "cls", "pooler"] | None = None
    layer: int | float | None = Field(None, ge=0)
    prefix: str | None = Field(None, pattern=r"^[^|=]*$")  # it stands in signatures, which these two divide


class LayerChoice(StrictModel):
    """A choice of a layer beside the one that `pooling` names, on development data alone.

    `layers` are hidden states (0 the embeddings), below 1 shares of the depth. `on` names the development data, of any
    retrieval task (default: the target's own dev split in the languages of the target); the mean over its languages
    decides, one layer for all.
    """

    layers: Annotated[list[Annotated[int | float, Field(ge=0)]], BeforeValidator(_one_number)] = Field(min_length=2)
    on: Use | None = None


class Phase(StrictModel):
    """One phase: tasks that share the encoder, masked LM beside them, a budget, settings.

    `select` names what checkpoints are judged on (without it the last one is kept).
    """

    tasks: Annotated[list[Use], BeforeValidator(listed)] = Field(default_factory=list)
    mlm: Mlm | None = None
    budget: BudgetSpec = Field(default_factory=lambda: BudgetSpec(epochs=1))
    sampling: Sampling = Sampling()
    training: TrainingSpec = TrainingSpec()
    select: Use | None = None

    @model_validator(mode="after")
    def something(self) -> Phase:
        if not self.tasks and self.mlm is None:
            raise ValueError("a phase needs tasks, or mlm")
        if self.tasks and self.mlm is not None and self.mlm.share >= 1:
            raise ValueError("mlm.share must be below 1 beside tasks")
        measures = (self.budget.examples, self.budget.tokens, self.budget.steps, self.budget.epochs)
        if not self.tasks and all(measure is None for measure in measures):
            raise ValueError("a phase of masked LM alone needs a budget of examples, tokens, steps or epochs")
        return self


def _class_name(value: object) -> object:
    """YAML reads `labels: [no, yes]` and `[0, 1]` as what they are not."""
    if isinstance(value, bool):
        raise ValueError("a class's name is a text: put it in quotes")
    return str(value) if isinstance(value, int) else value


ClassName = Annotated[str, BeforeValidator(_class_name)]


class Target(StrictModel):
    """A target task: where it is tested, and what its English phase is trained on.

    `train: []` evaluates the route's encoder untuned (Tatoeba); without `train` it is one epoch on the task's English
    training data. `metrics` judge it instead of the task's own, the first in summaries. `oracle` names target-language
    development data to select on as well, reported apart; `choose_layer` names development data to choose a retrieval
    task's layer on, reported apart likewise. `average` also evaluates the mean of the weights of the last so many
    checkpoints (`training.evaluate_every`) of the last phase, reported apart. `contexts` are languages that the
    passages of a question may be in (MLQA; default: its own, for mlqa-gxlt all others). `labels` name the classes of a
    fine-tuned checkpoint in the order of its outputs, where its own configuration does not. `exclude` names a file of
    ids that do not count: the scores without them stand beside those of all items.
    """

    languages: Languages = None
    split: str | None = None
    rows: Annotated[str | None, BeforeValidator(_rows)] = None
    limit: int | None = Field(None, ge=1)
    train: Annotated[list[Phase] | None, BeforeValidator(listed)] = None
    oracle: Use | None = None
    average: int | None = Field(None, ge=2)
    metrics: Annotated[list[str], BeforeValidator(listed)] | None = Field(None, min_length=1)
    training: TrainingSpec = TrainingSpec()
    pooling: PoolingSpec | None = None
    choose_layer: LayerChoice | None = None
    contexts: Annotated[list[str], BeforeValidator(listed)] | None = Field(None, min_length=1)
    labels: Annotated[list[ClassName] | None, BeforeValidator(listed)] = Field(None, min_length=1)
    exclude: Path | None = None


class Targets(StrictModel):
    """What is evaluated: a preset, languages and tasks, each overriding what stands before it."""

    preset: str | None = None
    languages: Languages = None
    limit: int | None = Field(None, ge=1)
    tasks: dict[str, Target | None] | None = None


class PerturbSpec(StrictModel):
    """`"keyboard:0.1,0.2"`, or with the languages and targets that it is applied in.

    `fields` are the texts that may change (premise, hypothesis, question, context, choices, query, pool, text), by
    default those of the task; `constraints` are named and hold over every example. `suite` stands for all conditions
    of a frozen suite (`crosswind-c-1`), as they are. `severity` is the damage that finds it, on one axis: `{chrf: 90}`,
    `{edits: 2}` or `{words: 0.1}`; `spec: keyboard@chrf=90` is the same.
    """

    spec: str = ""
    suite: str = ""
    severity: dict[str, float] | None = Field(None, min_length=1, max_length=1)
    languages: Languages = None
    targets: Annotated[list[str], BeforeValidator(listed)] | None = None
    protect: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=lambda: ["none"])
    fields: Annotated[list[str], BeforeValidator(listed)] | None = Field(None, min_length=1)
    constraints: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def damage_in_its_name(cls, value: Any) -> Any:
        """`keyboard@chrf=90`, as results name it."""
        from crosswind.perturb.tuning import damage_named

        if not isinstance(value, dict) or not isinstance(value.get("spec"), str) or value.get("severity") is not None:
            return value
        named = damage_named(value["spec"])
        return value if named is None else {**value, "spec": named[0], "severity": {named[1]: named[2]}}

    @model_validator(mode="after")
    def one_thing(self) -> PerturbSpec:
        """A perturbation or a suite, and nothing changes a suite."""
        if bool(self.spec) == bool(self.suite):
            raise ValueError("name a perturbation (spec) or a frozen suite (suite)")
        if self.suite and (self.fields or self.constraints or self.severity or self.protect != ["none"]):
            raise ValueError("a frozen suite is taken as it is, without fields, constraints, severity and protect")
        return self


class MixtureSpec(StrictModel):
    """Tasks under one head, as a mixture of the study's own: `{members: [snli, mnli], caps: {mnli: 10000}}`."""

    members: Annotated[list[str], BeforeValidator(listed)] = Field(min_length=1)
    caps: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)


class Data(StrictModel):
    """Where tasks and text come from; `seed` and `lines` (of each language) are the microworld's.

    `tasks` names another source for some of them.
    """

    source: str = "hub"
    root: Path | None = None
    seed: int | None = Field(None, ge=0, strict=True)
    lines: Annotated[int | None, at_most(10_000_000, "they are held in memory")] = Field(None, ge=1, strict=True)
    tasks: dict[str, Data] = Field(default_factory=dict)

    @field_validator("source")
    @classmethod
    def known_source(cls, source: str) -> str:
        from crosswind.data.source import SOURCES

        if source not in SOURCES:
            raise ValueError(f"unknown source: it is one of {', '.join(SOURCES.names())}")
        return source

    @model_validator(mode="after")
    def own_settings(self) -> Data:
        if self.source == "microworld":
            if self.root is not None:
                raise ValueError("the microworld has no root: it is generated")
        elif self.seed is not None or self.lines is not None:
            raise ValueError("seed and lines are for source: microworld")
        return self

    def settings(self) -> dict[str, Any]:
        """The mapping that `open_source` takes, and the context carries (folders absolute)."""
        root = str(expanded(self.root, "data.root").absolute()) if self.root else None
        generated = {"seed": self.seed, "lines": self.lines} if self.source == "microworld" else {}
        value: dict[str, Any] = {"source": self.source, "root": root}
        value |= {k: v for k, v in generated.items() if v is not None}
        return value | ({"tasks": {n: d.settings() for n, d in self.tasks.items()}} if self.tasks else {})


Seed = Annotated[int, Field(ge=0), at_most(2**32 - 1, "random generators take 32 bits")]
_ROUTE = re.compile(r"\w[\w.+-]{0,99}")


class PretrainedEncoder(StrictModel):
    """An encoder that the study pretrains: a configuration's file, or the configuration itself."""

    pretrain: Path | dict[str, Any]


class AugmentSpec(StrictModel):
    """Noise on a `share` of the training examples, drawn anew in every epoch: `keyboard:0.1`, or with its settings.

    `pick`: of the languages that code-mixing embeds, so many an example (None: all).
    """

    spec: str
    share: float = Field(0.5, gt=0, le=1)
    pick: int | None = Field(None, ge=1)


class Baseline(StrictModel):
    """A baseline of the field, as a route of its own: `{mode: translate-train, translate: MODEL}`.

    `translate-train` trains every target on its training data and their translations into the target's languages;
    `translate-test` translates the test sets into the source language, which the target's own model then reads.
    `after` names the route whose encoder it begins with (without it: no intermediate phase).
    """

    mode: Literal["translate-train", "translate-test"]
    translate: Translated
    after: str | None = None


class MinedSpec(StrictModel):
    """An attack on at most `examples` of each training set, in whole clusters, with a `budget` of queries for each.

    `share`: how often a visit to an example that it made worse sees what it made.
    """

    recipe: str
    budget: int = Field(100, ge=1)
    examples: Annotated[int, Field(ge=1)] = 1000
    share: float = Field(0.5, gt=0, le=1)
    restarts: int = Field(0, ge=0, le=1000)
    seed: int = Field(1, ge=0)


_Method = Annotated[dict[str, dict[str, float]] | None, BeforeValidator(lambda v: {v: {}} if isinstance(v, str) else v)]
"""A method by name, or with its settings: `freelb`, `{freelb: {steps: 2}}`."""


class Defence(StrictModel):
    """What every target's training and reading is changed by; `{}` changes nothing.

    `training` are settings, `robust` a method of `train/robust/` with its settings (`freelb`, or
    `{freelb: {steps: 2}}`), `augment` noise on the training examples, `subwords` a method of `train/subwords/` that
    cuts their words into other pieces, `mined` attacks on the training data that are learnt from, `purify` the input
    defences that a test text goes through before the model reads it.
    """

    training: TrainingSpec = TrainingSpec()
    robust: _Method = Field(None, min_length=1, max_length=1)
    subwords: _Method = Field(None, min_length=1, max_length=1)
    augment: Annotated[
        list[Annotated[AugmentSpec, BeforeValidator(lambda v: {"spec": v} if isinstance(v, str) else v)]],
        BeforeValidator(listed),
    ] = Field(default_factory=list)
    mined: Annotated[
        list[Annotated[MinedSpec, BeforeValidator(lambda v: {"recipe": v} if isinstance(v, str) else v)]],
        BeforeValidator(listed),
    ] = Field(default_factory=list)
    purify: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)

    @model_validator(mode="after")
    def shares_are_of_one_epoch(self) -> Defence:
        total = sum(augment.share for augment in self.augment)
        if total > 1 + 1e-9:
            raise ValueError(f"the shares of augment sum to {total:g}: an example gets one of them, so at most to 1")
        return self


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
        AfterValidator(_distinct),
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
                raise _fault(error, "study", STAGES[key].section, str(key)) from error
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


def set_key(value: dict[str, Any], override: str) -> None:
    """Apply `a.b.0.c=YAML` to a nested value; a `UserError` where the path does not fit."""
    path, equals, text = override.partition("=")
    if not equals or not path:
        raise UserError(f"{override!r} is not KEY=VALUE", where="--set", hint="for example --set data.root=DIR")
    try:
        new = parse_yaml_value(text, "")
    except UserError as error:
        hint = "quote it for the shell: --set 'seeds=[1, 2]'"
        raise UserError(f"{error.what}: {shown(text)}", where=f"--set {path}", hint=hint) from error
    node: Any = value
    parts = path.split(".")
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if isinstance(node, list):
            if not (part.isascii() and part.isdigit() and len(part) < 10) or int(part) >= len(node):
                raise UserError(f"{'.'.join(parts[:i])} is a list of {len(node)}", where=f"--set {path}")
            key: Any = int(part)
        elif isinstance(node, dict):
            key = part
        else:
            raise UserError(f"{'.'.join(parts[:i])} holds no keys", where=f"--set {path}", hint="set the whole value")
        if last:
            node[key] = new
        else:
            if isinstance(node, dict) and node.get(key) is None:
                node[key] = {}
            node = node[key]


def validate_mapping(model: type[Any], value: Mapping[str, Any], name: str) -> Any:
    """A pydantic model from a value; the first fault as a `UserError` that names the key."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _fault(error, name, model) from error


def _fault(error: ValidationError, name: str, model: Any, prefix: str = "") -> UserError:
    """The first fault; a misspelt key is also missing under its right name, and the first is what the user did."""
    fault = min(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
    key = _key((prefix, *fault["loc"]) if prefix else fault["loc"])
    where = f"{name}: {key}" if key else name
    if fault["type"] == "extra_forbidden":
        return unknown("key", str(fault["loc"][-1]), _known(model, fault["loc"][:-1]), where=where)
    given = "" if isinstance(fault.get("input"), Mapping | list) else f" (it is {fault.get('input')!r})"
    text, _, advice = fault["msg"].removeprefix("Value error, ").partition("\n")
    hint = advice or ("studies/ has commented examples" if model is Study or prefix else None)
    return UserError(f"{text}{given}", where=where, hint=hint)


def _key(loc: tuple[str | int, ...]) -> str:
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        elif not part.startswith(("function-", "list[", "union", "literal")):
            text += f".{part}" if text else part
    return text


def _known(model: Any, loc: tuple[str | int, ...]) -> list[str]:
    """The keys of the model that an unknown key was written into; `model` may be a list of models."""
    nested: Any = next(iter(_models(model)), None)
    fields = set(nested.model_fields) if nested is not None else set()
    for part in loc:
        field = nested.model_fields.get(part) if isinstance(part, str) and hasattr(nested, "model_fields") else None
        if field is not None:
            inner = _models(field.annotation)
            nested = inner[0] if inner else nested
            fields = set(nested.model_fields)
    return sorted(fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for a in getattr(annotation, "__args__", ()) for m in _models(a)]
