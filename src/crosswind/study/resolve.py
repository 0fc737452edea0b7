"""From a study as written to phases and targets with nothing left open.

Training settings are inherited: the defaults (XTREME's), the preset's for all and for the target,
the study's, the target's, the phase's; the last one that sets a key wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from crosswind.data.languages import unknown_language
from crosswind.data.sources.files import data_root
from crosswind.errors import UserError
from crosswind.evaluate.judge import metrics_of
from crosswind.steps.parameters import PoolingParams
from crosswind.study.excluded import read_exclusion
from crosswind.study.phases import (
    check_chain,
    check_select,
    check_stride,
    checked_split,
    merged_settings,
    phase_plan,
    preset_training,
    use_refs,
)
from crosswind.study.preset import preset_named
from crosswind.study.protocol import protocol_name
from crosswind.study.spec import (
    Phase,
    Study,
    Target,
    Targets,
    TaskUse,
    validate_mapping,
)
from crosswind.study.target_plans import LayerPlan, PhasePlan, TargetPlan
from crosswind.tasks.base import TASKS, Task, classes
from crosswind.tasks.mixture import MIXTURES, members_of
from crosswind.tasks.refs import DataRef
from crosswind.train.budget import steps_of
from crosswind.train.settings import Training


def routes(study: Study) -> dict[str, tuple[PhasePlan, ...]]:
    """Every route's phases; `UserError`s name the study key."""
    preset = preset_named(study.targets.preset) if study.targets.preset else {}
    base = merged_settings(Training(), preset_training(preset.get("training")), study.training)
    return {
        name: tuple(phase_plan(p, base, f"routes.{name}[{i}]") for i, p in enumerate(phases))
        for name, phases in study.routes.items()
    }


def targets(study: Study) -> list[TargetPlan]:
    """Every target, with the preset's settings under the study's own.

    `targets.languages` narrows what the preset or the task has; a preset's target without any of
    them is left out, one that the study names is an error.
    """
    spec = study.targets
    preset = preset_named(spec.preset) if spec.preset else {}
    declared: dict[str, Any] = dict(preset.get("targets", {}))
    if spec.tasks is None and not declared:
        raise UserError("no target is named", where="targets", hint="name a preset, or tasks: {xnli: {}}")
    absent = only_in_files(study)
    names = [pair for pair in _members_with_mixture(spec, declared) if pair[0] not in absent]
    known = {c for task in TASKS for c in task.languages}
    for code in spec.languages or ():
        if code not in known:
            raise unknown_language(code, known, where="targets.languages")
    plans = []
    for name, mixture in names:
        where = f"targets.tasks.{mixture or name}"
        TASKS.get(name, where=where)
        ours = (spec.tasks or {}).get(mixture or name) or Target()
        if mixture is not None and ours.train is None:
            ours = ours.model_copy(update={"train": [Phase(tasks=[TaskUse(name=mixture)])]})
        under = validate_mapping(Target, declared.get(name) or {}, f"preset {spec.preset}: {name}")
        base = merged_settings(Training(), preset_training(preset.get("training")), under.training, study.training)
        target = _over(under, ours)
        if study.fine_tuned:
            target = target.model_copy(update={"train": []})
        if ours.languages is None:
            have = under.languages or TASKS[name].languages
            asked = [c for c in have if spec.languages is None or c in spec.languages]
            if not asked and spec.tasks is None:
                continue
            target = target.model_copy(update={"languages": asked})
        plan = _target(name, target, spec, base, where, study.fine_tuned)
        if name in declared and spec.preset and not study.fine_tuned:
            settings = merged_settings(Training(), preset_training(preset.get("training")), under.training)
            languages = under.languages or TASKS[name].languages
            asked_for = under.model_copy(update={"languages": list(languages)})
            official = _target(name, asked_for, Targets(), settings, f"preset {spec.preset}: {name}", False)
            plan = replace(plan, protocol=protocol_name(spec.preset, official, plan))
        plans.append(plan)
    return plans


def only_in_files(study: Study) -> dict[str, tuple[str, ...]]:
    """The preset's targets that the hub, where the study reads it alone, cannot serve: target -> the tasks it lacks.

    They are left out of `targets`. One that the study names itself is none of them: it is an error as any other.
    """
    spec = study.targets
    if spec.tasks is not None or spec.preset is None:
        return {}
    lacks = {}
    for name, value in preset_named(spec.preset).get("targets", {}).items():
        under = validate_mapping(Target, value or {}, f"preset {spec.preset}: {name}")
        trained = [use.name for phase in under.train or () for use in phase.tasks] if not study.fine_tuned else []
        used = dict.fromkeys(task for use in (name, *trained) for task in members_of(use))
        if absent := tuple(task for task in used if TASKS[task].hub is None and _is_hub_alone(study, task)):
            lacks[name] = absent
    return lacks


def _is_hub_alone(study: Study, task: str) -> bool:
    """Whether a task is read from the hub, without a folder of official files beside it."""
    data = study.data.tasks.get(task, study.data)
    return data.source == "hub" and data_root({"root": data.root}) is None


def lacking_languages(study: Study, task: Task) -> tuple[str, ...]:
    """The languages that the task's repository on the hub lacks, where the study reads it there and names none."""
    source = study.data.tasks.get(task.name, study.data).source
    named = (study.targets.tasks or {}).get(task.name)
    if source != "hub" or task.hub is None or task.hub.languages is None or (named and named.languages):
        return ()
    return tuple(c for c in task.languages if c not in task.hub.languages)


def lacking(study: Study) -> Iterator[tuple[str, str, str]]:
    """(target, split, language) for each language of `targets.languages` that a target has no data in."""
    spec = study.targets
    preset = preset_named(spec.preset) if spec.preset else {}
    declared: dict[str, Any] = dict(preset.get("targets", {}))
    for name, mixture in _members_with_mixture(spec, declared):
        ours = (spec.tasks or {}).get(mixture or name) or Target()
        if ours.languages is not None:
            continue
        under = validate_mapping(Target, declared.get(name) or {}, f"preset {spec.preset}: {name}")
        split = ours.split or under.split or _usual_split(TASKS[name])
        have = under.languages or TASKS[name].languages
        yield from ((name, split, code) for code in spec.languages or () if code not in have)


def _members_with_mixture(spec: Targets, declared: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """The tasks that are tested, each with the mixture that names it; a `UserError` for one that is named twice."""
    named = list(spec.tasks) if spec.tasks is not None else list(declared)
    pairs = [(task, name if name in MIXTURES else None) for name in named for task in members_of(name)]
    for i, (task, mixture) in enumerate(pairs):
        if task in [earlier for earlier, _ in pairs[:i]]:
            hint = "name the task or the mixture that holds it"
            raise UserError(f"{task} is tested twice", where=f"targets.tasks.{mixture or task}", hint=hint)
    return pairs


def _usual_split(task: Task) -> str:
    # TyDiQA's public test set is its dev set; what has neither must be told.
    return "dev" if "test" not in task.splits and "dev" in task.splits else "test"


def _target(name: str, target: Target, spec: Targets, base: Training, where: str, fine_tuned: bool) -> TargetPlan:
    task = TASKS[name]
    languages = target.languages or []
    for code in languages:
        if code not in task.languages:
            raise unknown_language(code, task.languages, where=f"{where}.languages")
    if not languages:
        raise UserError(
            f"{name} has none of the languages {', '.join(spec.languages or [])}",
            where=f"{where}.languages",
            hint=f"it has {', '.join(task.languages)}",
        )
    split = checked_split(task, target.split or _usual_split(task), where)
    training = merged_settings(base, target.training)
    pool = tuple(languages) if task.across is not None else None
    limit = target.limit or spec.limit
    data = tuple(DataRef(name, code, split, target.rows, limit, pool) for code in languages)
    contexts = _contexts(task, target, where)
    if contexts is not None:
        data = tuple(
            replace(ref, context_language=None if code == ref.language else code)
            for ref in data
            for code in contexts
            if not task.cross_only or code != ref.language
        )
    phases = target.train
    if phases is None and task.trains_on is not None:
        phases = [Phase(tasks=[TaskUse(name=task.trains_on)])]
    chain = tuple(phase_plan(p, training, f"{where}.train[{i}]") for i, p in enumerate(phases or []))
    check_chain(task, chain, where)
    if task.kind != "query" and not chain and not fine_tuned:
        raise UserError(
            f"{name} needs a head, and nothing trains it",
            where=f"{where}.train",
            hint=f"for example train: {{tasks: [{task.trains_on or name}]}}",
        )
    oracle: tuple[DataRef, ...] = ()
    if target.oracle is not None:
        use = target.oracle.model_copy(update={"languages": target.oracle.languages or list(languages)})
        if use.translate is not None:
            hint = "leave `translate` out: an oracle selects on data of the language itself"
            raise UserError("oracle data are not translated", where=f"{where}.oracle.translate", hint=hint)
        oracle = use_refs(use, f"{where}.oracle")[0]
        if chain:
            check_select(oracle, chain[-1].heads, f"{where}.oracle")
    final = chain[-1].training if chain else training
    if target.average is not None:
        chain = _averaged(chain, target.average, where)
    pooling = PoolingParams(**target.pooling.model_dump()) if target.pooling and task.kind == "query" else None
    if target.metrics is not None:
        task = replace(task, metrics=tuple(dict.fromkeys(target.metrics)))
        metrics_of(task, where=f"{where}.metrics")
    if task.kind == "span":
        check_stride(final, final.length([task.kind]), f"{where}.training.stride")
    _check_labels(target, task, bool(chain), where)
    exclusion = read_exclusion(target.exclude, task.languages, f"{where}.exclude") if target.exclude else None
    labels = tuple(target.labels or ())
    choice = _layer_plan(task, target, languages, split, where)
    return TargetPlan(task, data, chain, oracle, final, pooling, where, labels, exclusion=exclusion, choice=choice)


def _averaged(chain: tuple[PhasePlan, ...], last: int, where: str) -> tuple[PhasePlan, ...]:
    """The chain whose last phase keeps the mean of its last checkpoints; a `UserError` where it has too few."""
    if not chain:
        raise UserError("nothing is trained whose checkpoints could be averaged", where=f"{where}.average")
    every = chain[-1].training.evaluate_every
    if every is None:
        raise UserError(
            f"the last {last} checkpoints are averaged, and the phase has one, its end",
            where=f"{where}.average",
            hint="training.evaluate_every says every how many steps there is one",
        )
    phase = chain[-1]
    if phase.mlm is None and (phase.budget.steps or phase.budget.examples):
        steps = steps_of(phase.budget, [], 1.0, phase.training.batch_size)
        kept = -(-steps // every)
        if kept < last:
            raise UserError(
                f"the last {last} checkpoints are averaged, and the phase has {kept} in {steps} steps",
                where=f"{where}.average",
                hint="lower training.evaluate_every, or ask for fewer",
            )
    return (*chain[:-1], replace(phase, average=last))


def _contexts(task: Task, target: Target, where: str) -> tuple[str, ...] | None:
    """The languages of passages that each question is asked with; `None`: its own alone."""
    asked = target.contexts
    if asked is None:
        return task.context_languages if task.cross_only else None
    if not task.context_languages:
        raise UserError(
            f"the passages of {task.name!r} are in the language of their questions",
            where=f"{where}.contexts",
            hint="leave it out",
        )
    for code in asked:
        if code not in task.context_languages:
            raise unknown_language(code, task.context_languages, where=f"{where}.contexts")
    return tuple(dict.fromkeys(asked))


def _layer_plan(task: Task, target: Target, languages: Sequence[str], split: str, where: str) -> LayerPlan | None:
    """What a layer is chosen from and on; a `UserError` where that would be no choice, or one on the test set."""
    if target.choose_layer is None:
        return None
    where = f"{where}.choose_layer"
    if task.kind != "query":
        raise UserError(f"{task.name} is a {task.kind} task: its head reads the last layer", where=where)
    on = target.choose_layer.on
    if on is None and "dev" not in task.splits:
        raise UserError(
            f"{task.name} has no development split to choose a layer on",
            where=where,
            hint="name one of another retrieval task: on: {name: bucc2018, languages: [de]}",
        )
    use = on or TaskUse(name=task.name)
    use = use.model_copy(update={"split": use.split or "dev"})
    judged = TASKS.get(use.name, where=f"{where}.on")
    if judged.kind != "query":
        raise UserError(
            f"{use.name} is a {judged.kind} task, and a layer is chosen by retrieval",
            where=f"{where}.on",
            hint="name a retrieval task (`crosswind list tasks`: kind query)",
        )
    if use.split == "test" or (use.name == task.name and use.split == split):
        raise UserError(
            f"a layer cannot be chosen on {use.name}'s {use.split}: development data choose, test data measure",
            where=f"{where}.on",
            hint="name a development split",
        )
    known = [code for code in languages if code in judged.languages]
    use = use.model_copy(update={"languages": use.languages or (list(languages) if on is None else known)})
    refs, translations = use_refs(use, f"{where}.on")
    if translations:
        raise UserError("a layer is chosen on data that people wrote", where=f"{where}.on", hint="leave out translate")
    pool = tuple(ref.language for ref in refs) if judged.across is not None else None
    return LayerPlan(tuple(target.choose_layer.layers), tuple(replace(ref, pool_languages=pool) for ref in refs))


def _check_labels(target: Target, task: Task, trained: bool, where: str) -> None:
    if target.labels is None:
        return
    if not classes(task):
        raise UserError(
            f"{task.name} is a {task.kind} task, whose head has no classes to name",
            where=f"{where}.labels",
            hint="name classes for tasks of pairs and tagging only",
        )
    if trained:
        raise UserError(
            "labels name the classes of a checkpoint, and this target trains its own head",
            where=f"{where}.labels",
            hint="leave them out, or evaluate a fine-tuned checkpoint (fine_tuned: true)",
        )
    for name in target.labels:
        if "|" in name or "=" in name or "," in name:
            raise UserError(f"a class cannot be called {name!r}", where=f"{where}.labels", hint="without | = and ,")


def _over(under: Target, ours: Target) -> Target:
    """The study's settings of a target over the preset's, but for training settings: they are merged key by key."""
    given = {k: getattr(ours, k) for k in ours.model_fields_set}
    return under.model_copy(update={**given, "training": ours.training})
