"""Translate-train and translate-test: what a target trains on and is tested on where a machine translates it."""

from __future__ import annotations

from dataclasses import replace

from crosswind.errors import UserError
from crosswind.perturb.retag import of_entities
from crosswind.study.spec import (
    TranslateSpec,
)
from crosswind.study.target_plans import PhasePlan, TargetPlan
from crosswind.study.translation import Translation, source_language, translation_of
from crosswind.tasks.refs import DataRef


def translate_trained(target: TargetPlan, spec: TranslateSpec, where: str) -> TargetPlan:
    """The target with each of its phases trained on the source data and their translations into its languages.

    One model reads all languages, as XTREME's translate-train over all of them (Hu et al. 2020, section 4.1).
    """
    return replace(target, chain=tuple(_in_all_languages(phase, target, spec, where) for phase in target.chain))


def _in_all_languages(phase: PhasePlan, target: TargetPlan, spec: TranslateSpec, where: str) -> PhasePlan:
    heads = []
    translations = list(phase.translations)
    for head in phase.heads:
        data = list(head.data)
        for ref in head.data:
            if ref.made is not None or ref.language != source_language(spec, ref.task, where):
                continue
            there = {d.language for d in head.data if d.task == ref.task}
            for language in dict.fromkeys(d.language for d in target.data):
                if language not in there:
                    translation = translation_of(spec, ref, language, where)
                    translations.append(translation)
                    data.append(translation.made)
        heads.append(replace(head, data=tuple(data)))
    return replace(phase, heads=tuple(heads), translations=tuple(translations))


def translate_tested(target: TargetPlan, ref: DataRef, spec: TranslateSpec, where: str) -> Translation | None:
    """The translation of a test set into its task's source language; `None` for one that is in it.

    Raises `UserError` for a task whose predictions cannot be carried back to the text as it was, or that has a pool.
    """
    task = target.task
    problem = None
    if task.kind == "query":
        problem = "the pool would have to be translated, which is not done"
    elif task.kind == "tagging" and spec.model is not None and not (task.labels and of_entities(task.labels)):
        problem = "a tag for every word cannot be carried back: words without a counterpart would have none"
    if problem is not None:
        raise UserError(
            f"translate-test of {task.name} ({task.kind}): {problem}",
            where=where,
            hint="name other targets for it, or use translate-train, which has every kind"
            if task.kind == "query"
            else "translate word by word, which keeps every tag: translate: {lexicon: true}",
        )
    language = spec.source or task.source_language
    if ref.language == language:
        return None
    return translation_of(spec, ref, language, where, gold=False)
