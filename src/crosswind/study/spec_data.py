"""The study file's data: where they come from, which parts of tasks, how they are translated and perturbed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from crosswind.reading import expanded
from crosswind.study.strict import Length, StrictModel, as_named, at_most, distinct, listed, row_range


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
    carry: Annotated[list[Literal["markers", "align"]], BeforeValidator(listed)] = Field(["markers", "align"])

    @model_validator(mode="after")
    def one_way(self) -> TranslateSpec:
        if (self.model is not None) == self.lexicon:
            raise ValueError("translate by a model (model: NAME) or by a lexicon (lexicon: true), one of them")
        return self


Translated = Annotated[TranslateSpec, BeforeValidator(lambda v: {"model": v} if isinstance(v, str) else v)]


Languages = Annotated[list[str], BeforeValidator(listed), AfterValidator(distinct)] | None


class TaskUse(StrictModel):
    """A task as data: `mnli`, or `{name: mnli, languages: [en, de], split: dev, rows: 0-9999}`.

    `languages` defaults to the task's source language; `rows` counts within the split of each
    language; `limit` takes at most so many of these, in whole clusters. With `translate` the languages but the source
    are translations of it.
    """

    name: str
    languages: Languages = None
    split: str | None = None
    rows: Annotated[str | None, BeforeValidator(row_range)] = None
    limit: int | None = Field(None, ge=1)
    translate: Translated | None = None


Use = Annotated[TaskUse, BeforeValidator(as_named)]


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
