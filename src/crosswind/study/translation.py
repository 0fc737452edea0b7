"""Data that a study has translated: from its keys to the step that translates and the reference to what it makes."""

from __future__ import annotations

from dataclasses import dataclass, replace

from crosswind.data.examples import Rows
from crosswind.data.languages import registered, unknown_language
from crosswind.errors import UserError
from crosswind.perturb.retag import of_entities
from crosswind.run.step import digest
from crosswind.steps.translate import MADE, TRANSLATE, TranslateParams
from crosswind.study.spec import TranslateSpec
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef


@dataclass(frozen=True)
class Translation:
    """What one translation asks for: the step's parameters, and where its model lies."""

    params: TranslateParams
    model: str | None = None
    revision: str | None = None

    @property
    def role(self) -> str:
        """What a step calls the translated data among its inputs: two translations have two names."""
        identity = [TRANSLATE.dump(self.params), self.model, self.revision]
        return f"{MADE}-{digest(identity)[:8]}"

    @property
    def made(self) -> DataRef:
        """The reference to the translated data; the selection of rows was taken before."""
        ref = self.params.ref
        limits = [ref.limit, sum(b - a + 1 for a, b in Rows.parse(ref.rows).ranges) if ref.rows else None]
        limit = min((n for n in limits if n is not None), default=None)
        return replace(ref, language=self.params.language, rows=None, limit=limit, made=self.role)


def translation_of(spec: TranslateSpec, ref: DataRef, language: str, where: str, *, gold: bool = True) -> Translation:
    """The translation of data into a language; a `UserError` where the language is none, or the data's own."""
    try:
        registered(language)
    except UserError as error:
        raise UserError(error.what, where=where, hint=error.hint) from None
    if ref.context_language not in (None, ref.language):
        hint = "translate data whose questions and passages are in one language"
        raise UserError("questions and passages are in two languages", where=where, hint=hint)
    labels = TASKS[ref.task].labels
    if gold and spec.model and TASKS[ref.task].kind == "tagging" and not (labels and of_entities(labels)):
        raise UserError(
            f"{ref.task}: a tag for every word is lost when a model translates sentences",
            where=where,
            hint="translate word by word, which keeps every tag: translate: {lexicon: true} (--lexicons DIR)",
        )
    codes = tuple(sorted((name, code) for name, code in spec.codes.items() if name in (ref.language, language)))
    model = spec.model is not None
    params = TranslateParams(
        ref=ref,
        source=ref.language,
        language=language,
        by="model" if model else "lexicon",
        codes=codes if model else (),
        beams=spec.beams if model else 4,
        longest=spec.max_length if model else None,
        carry=tuple(spec.carry) if model else TranslateParams.carry,
        gold=gold,
    )
    return Translation(params, spec.model, spec.revision)


def source_language(spec: TranslateSpec, task: str, where: str) -> str:
    """The language that is translated from: the one that is named, or the task's source language."""
    declared = TASKS[task]
    code = spec.source or declared.source_language
    if code not in declared.languages:
        raise unknown_language(code, declared.languages, where=f"{where}.translate.source")
    return code
