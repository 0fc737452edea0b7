"""A phase of training as written, its data and settings, to one with nothing left open; and what no chain can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from crosswind.data.languages import unknown_language
from crosswind.errors import UserError, unknown
from crosswind.model.lengths import QUESTION_TOKENS, most_overlap
from crosswind.steps.parameters import SamplingParams
from crosswind.steps.train import HeadParams, MlmParams
from crosswind.study.spec import (
    Mlm,
    Phase,
    TaskUse,
    TrainingSpec,
    validate_mapping,
)
from crosswind.study.target_plans import PhasePlan, carries_head
from crosswind.study.translation import Translation, source_language, translation_of
from crosswind.tasks.base import CORPORA, TASKS, Task, classes
from crosswind.tasks.mixture import MIXTURES, members_of
from crosswind.tasks.refs import DataRef
from crosswind.train.budget import Budget
from crosswind.train.settings import Training


def phase_plan(phase: Phase, base: Training, where: str) -> PhasePlan:
    """A phase with nothing left open; `base` are the settings that it does not write."""
    training = merged_settings(base, phase.training)
    grouped: dict[str, list[DataRef]] = {}
    translations: list[Translation] = []
    for i, use in enumerate(phase.tasks):
        refs, made = use_refs(use, f"{where}.tasks[{i}]")
        grouped.setdefault(use.name, []).extend(refs)
        translations += made
    heads = []
    for name, data in grouped.items():
        first = TASKS[data[0].task]
        heads.append(HeadParams(name, first.kind, classes(first), tuple(data)))
        if training.query_length is None and first.query_length is not None:
            training = replace(training, query_length=first.query_length)
        if training.max_length is None and first.max_length is not None:
            training = replace(training, max_length=first.max_length)
    if any(head.kind == "span" for head in heads):
        check_stride(training, training.length(h.kind for h in heads), f"{where}.training.stride")
    select, made = use_refs(phase.select, f"{where}.select") if phase.select else ((), ())
    translations += made
    check_select(select, heads, f"{where}.select")
    return PhasePlan(
        tuple(heads),
        _mlm(phase.mlm, where),
        Budget(**phase.budget.model_dump()),
        SamplingParams(**phase.sampling.model_dump()),
        training,
        select,
        where,
        translations=tuple(translations),
    )


def check_select(select: Sequence[DataRef], heads: Sequence[HeadParams], where: str) -> None:
    """Selection data are judged by the first head of their kind, which must know their labels."""
    if not select:
        return
    task = select[0].declaration
    head = next((h for h in heads if h.kind == task.kind), None)
    if head is None or not head.fits(task):
        raise UserError(
            f"{task.name} cannot judge a phase that trains {', '.join(h.name for h in heads) or 'masked LM'}",
            where=where,
            hint="select on a task of the same kind with the same labels",
        )


def _mlm(mlm: Mlm | None, where: str) -> MlmParams | None:
    if mlm is None:
        return None
    corpora = []
    for i, use in enumerate(mlm.corpora):
        key = f"{where}.mlm.corpora[{i}]"
        corpus = CORPORA.get(use.name, where=key)
        languages = use.languages or (list(corpus.languages) if mlm.languages == "all" else list(mlm.languages))
        for code in languages:
            if code not in corpus.languages:
                raise unknown_language(code, corpus.languages, where=f"{where}.mlm.languages")
        corpora.append((use.name, tuple(languages), use.rows))
    return MlmParams(tuple(corpora), mlm.share, mlm.tlm)


def use_refs(use: TaskUse, where: str) -> tuple[tuple[DataRef, ...], tuple[Translation, ...]]:
    """The data that a use names, and the translations that make some of them."""
    refs = []
    translations = []
    mixture = MIXTURES[use.name] if use.name in MIXTURES else None  # noqa: SIM401 (a registry has no default)
    if mixture is not None:
        mixture.tasks()  # which checks that they share a head
    for name in members_of(use.name):
        if mixture is None and name not in TASKS:
            raise unknown("task", name, [*TASKS.names(), *MIXTURES.names()], where=where)
        task = TASKS.get(name, where=where)
        split = checked_split(task, use.split or "train", where)
        caps = [n for n in (use.limit, mixture.cap(name, split) if mixture else None) if n is not None]
        limit = min(caps) if caps else None
        if use.translate is not None and use.languages is None:
            hint = "name them: languages: [de, sw]"
            raise UserError("no language to translate into", where=f"{where}.languages", hint=hint)
        origin = source_language(use.translate, name, where) if use.translate is not None else None
        for code in use.languages or [task.source_language]:
            if use.translate is not None and origin is not None and code != origin:
                ref = DataRef(name, origin, split, use.rows, limit)
                translation = translation_of(use.translate, ref, code, f"{where}.languages")
                translations.append(translation)
                refs.append(translation.made)
                continue
            if code not in task.languages:
                raise unknown_language(code, task.languages, where=f"{where}.languages")
            refs.append(DataRef(name, code, split, use.rows, limit))
    return tuple(refs), tuple(translations)


def checked_split(task: Task, split: str, where: str) -> str:
    """The split, if the task has it; a `UserError` otherwise."""
    if split not in task.splits:
        raise unknown(f"split of {task.name}", split, task.splits, where=f"{where}.split")
    return split


def merged_settings(base: Training, *over: TrainingSpec) -> Training:
    """Training settings with overrides, of which the last that sets a key wins."""
    for spec in over:
        base = replace(base, **spec.model_dump(exclude_none=True))
    return base


def preset_training(value: Mapping[str, Any] | None) -> TrainingSpec:
    """Settings of training as a preset writes them."""
    spec: TrainingSpec = validate_mapping(TrainingSpec, value or {}, "preset training")
    return spec


def check_chain(task: Task, chain: tuple[PhasePlan, ...], where: str) -> None:
    """Raise a `UserError` for phases that cannot follow each other."""
    for i, phase in enumerate(chain):
        if len(phase.heads) != 1 or phase.mlm is not None:
            raise UserError(
                "a target phase trains one task, without masked LM",
                where=f"{where}.train[{i}]",
                hint="put further tasks into a route",
            )
    for i, (before, phase) in enumerate(pairwise(chain), start=1):
        old, new = (p.effective().classifier_pooling for p in (before, phase))
        if old != new and carries_head(before, phase):
            raise UserError(
                f"the phases of {task.name} share a head, and this one pools by {new}, the one before by {old}",
                where=f"{where}.train[{i}].training.classifier_pooling",
                hint="set it once, for the target or for the study",
            )
    if chain:
        head = chain[-1].heads[0]
        # Retrieval compares embeddings, so any task may train its encoder (XTREME-R's Tatoeba: SQuAD).
        if task.kind != "query" and not head.fits(task):
            raise UserError(
                f"{head.name} ({head.kind}{_labels(head.labels)}) cannot train {task.name} "
                f"({task.kind}{_labels(classes(task))})",
                where=f"{where}.train[{len(chain) - 1}].tasks",
                hint="train on a task of the same kind with the same labels",
            )


def _labels(labels: tuple[str, ...]) -> str:
    return f" with {len(labels)} labels" if labels else ""


def check_stride(training: Training, max_length: int, where: str) -> None:
    """Windows of which neighbours share too much would not get on behind a long question."""
    most = most_overlap(max_length)
    if training.stride is not None and training.stride > most:
        raise UserError(
            f"windows of {max_length} tokens, a question of up to {QUESTION_TOKENS} among them, cannot share "
            f"{training.stride}",
            where=where,
            hint=f"share at most {most}, or raise max_length; unset, windows of 384 share 128",
        )
