"""From a study as written to phases and targets with nothing left open.

Training settings are inherited: the defaults (XTREME's), the preset's for all and for the target,
the study's, the target's, the phase's; the last one that sets a key wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from crosswind.attack.recipe import Call
from crosswind.data.languages import unknown_language
from crosswind.data.sources.files import data_root
from crosswind.errors import UserError, unknown
from crosswind.evaluate.judge import metrics_of
from crosswind.model.lengths import QUESTION_TOKENS, most_overlap, overlap
from crosswind.perturb.retag import of_entities
from crosswind.perturb.spec import Spec
from crosswind.run.machine import Hardware
from crosswind.steps.parameters import PoolingParams, SamplingParams
from crosswind.steps.train import AugmentParams, HeadParams, MlmParams, RobustParams, SubwordParams, TrainParams
from crosswind.study.excluded import Exclusion, read_exclusion
from crosswind.study.preset import preset_named
from crosswind.study.protocol import protocol_name
from crosswind.study.spec import (
    MinedSpec,
    Mlm,
    Phase,
    Study,
    Target,
    Targets,
    TaskUse,
    TrainingSpec,
    TranslateSpec,
    validate_mapping,
)
from crosswind.study.translation import Translation, source_language, translation_of
from crosswind.tasks.base import CORPORA, TASKS, Task, classes
from crosswind.tasks.mixture import MIXTURES, members_of
from crosswind.tasks.refs import DataRef
from crosswind.train.budget import Budget
from crosswind.train.settings import Training

_FP32 = Hardware("cpu")


@dataclass(frozen=True)
class MinedPlan:
    """An attack on the training data of a phase."""

    spec: MinedSpec
    call: Call
    where: str


@dataclass(frozen=True)
class PhasePlan:
    """A phase ready to be keyed: its heads, data, budget and settings."""

    heads: tuple[HeadParams, ...]
    mlm: MlmParams | None
    budget: Budget
    sampling: SamplingParams
    training: Training
    select: tuple[DataRef, ...]
    where: str
    robust: RobustParams | None = None
    augment: tuple[AugmentParams, ...] = ()
    subwords: SubwordParams | None = None
    mined: tuple[MinedPlan, ...] = ()
    augment_specs: tuple[Spec, ...] = ()  # as written: with where lexicons lie
    translations: tuple[Translation, ...] = ()  # what makes those of its data that are translated

    def effective(self) -> Training:
        """The settings; those that no head of the phase reads are the defaults, so that one training has one key."""
        kinds = {head.kind for head in self.heads}
        unread: dict[str, Any] = {}
        if not kinds & {"pair", "choice"}:
            unread["classifier_pooling"] = Training.classifier_pooling
        if not kinds - {"query"}:
            unread["batch_by"] = Training.batch_by
        if "query" not in kinds:
            unread["query_length"] = Training.query_length
        unread["max_length"] = length = self.training.length(kinds)
        unread["stride"] = overlap(self.training.stride, length) if "span" in kinds else Training.stride
        return replace(self.training, **unread)

    def params(
        self,
        *,
        seed: int,
        head: bool = False,
        carry_head: bool = False,
        pooling: PoolingParams | None = None,
        hardware: Hardware = _FP32,
    ) -> TrainParams:
        """The parameters of the step that runs the phase."""
        return TrainParams(
            seed=seed,
            training=replace(self.effective(), precision=hardware.precision),
            heads=self.heads,
            mlm=self.mlm,
            budget=self.budget,
            sampling=self.sampling,
            select=self.select,
            output="head" if head else "encoder",
            carry_head=carry_head,
            pooling=pooling if any(h.kind == "query" for h in self.heads) else None,
            device=hardware.device,
            robust=self.robust,
            augment=self.augment,
            subwords=self.subwords,
        )


@dataclass(frozen=True)
class LayerPlan:
    """Layers to choose from, and the development data that decide."""

    layers: tuple[int | float, ...]
    data: tuple[DataRef, ...]


@dataclass(frozen=True)
class TargetPlan:
    """A target ready to be planned: cells by language, and the chain of English phases (or none)."""

    task: Task
    data: tuple[DataRef, ...]
    chain: tuple[PhasePlan, ...]
    oracle: tuple[DataRef, ...]
    training: Training
    pooling: PoolingParams | None
    where: str
    labels: tuple[str, ...] = ()
    purify: tuple[str, ...] = ()
    family: frozenset[str] | None = None  # the perturbations that its defence is for; None without a defence
    exclusion: Exclusion | None = None
    protocol: str = ""  # the preset that it follows, and what differs from it
    choice: LayerPlan | None = None

    @property
    def max_length(self) -> int:
        """The tokens of a row that predicting reads."""
        return self.training.max_length or self.task.max_length or self.training.length([self.task.kind])

    @property
    def stride(self) -> int | None:
        """The tokens that two windows of a context share; None for kinds that have no context."""
        return overlap(self.training.stride, self.max_length) if self.task.kind == "span" else None


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


def routes(study: Study) -> dict[str, tuple[PhasePlan, ...]]:
    """Every route's phases; `UserError`s name the study key."""
    preset = preset_named(study.targets.preset) if study.targets.preset else {}
    base = merged_settings(Training(), _settings(preset.get("training")), study.training)
    return {
        name: tuple(_phase(p, base, f"routes.{name}[{i}]") for i, p in enumerate(phases))
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
        base = merged_settings(Training(), _settings(preset.get("training")), under.training, study.training)
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
            settings = merged_settings(Training(), _settings(preset.get("training")), under.training)
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
    chain = tuple(_phase(p, training, f"{where}.train[{i}]") for i, p in enumerate(phases or []))
    _check_chain(task, chain, where)
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
        oracle = _refs(use, f"{where}.oracle")[0]
        if chain:
            _check_select(oracle, chain[-1].heads, f"{where}.oracle")
    final = chain[-1].training if chain else training
    pooling = PoolingParams(**target.pooling.model_dump()) if target.pooling and task.kind == "query" else None
    if target.metrics is not None:
        task = replace(task, metrics=tuple(dict.fromkeys(target.metrics)))
        metrics_of(task, where=f"{where}.metrics")
    if task.kind == "span":
        _check_stride(final, final.length([task.kind]), f"{where}.training.stride")
    _check_labels(target, task, bool(chain), where)
    exclusion = read_exclusion(target.exclude, task.languages, f"{where}.exclude") if target.exclude else None
    labels = tuple(target.labels or ())
    choice = _layer_plan(task, target, languages, split, where)
    return TargetPlan(task, data, chain, oracle, final, pooling, where, labels, exclusion=exclusion, choice=choice)


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
    refs, translations = _refs(use, f"{where}.on")
    if translations:
        raise UserError("a layer is chosen on data that people wrote", where=f"{where}.on", hint="leave out translate")
    pool = tuple(ref.language for ref in refs) if judged.across is not None else None
    return LayerPlan(tuple(target.choose_layer.layers), tuple(replace(ref, pool_languages=pool) for ref in refs))


def _check_stride(training: Training, max_length: int, where: str) -> None:
    """Windows of which neighbours share too much would not get on behind a long question."""
    most = most_overlap(max_length)
    if training.stride is not None and training.stride > most:
        raise UserError(
            f"windows of {max_length} tokens, a question of up to {QUESTION_TOKENS} among them, cannot share "
            f"{training.stride}",
            where=where,
            hint=f"share at most {most}, or raise max_length; unset, windows of 384 share 128",
        )


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


def carries_head(before: PhasePlan, phase: PhasePlan) -> bool:
    """Whether a phase of a target goes on with the head of the phase before."""
    return before.heads[0].fits(TASKS[phase.heads[0].data[0].task])


def _check_chain(task: Task, chain: tuple[PhasePlan, ...], where: str) -> None:
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


def _phase(phase: Phase, base: Training, where: str) -> PhasePlan:
    training = merged_settings(base, phase.training)
    grouped: dict[str, list[DataRef]] = {}
    translations: list[Translation] = []
    for i, use in enumerate(phase.tasks):
        refs, made = _refs(use, f"{where}.tasks[{i}]")
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
        _check_stride(training, training.length(h.kind for h in heads), f"{where}.training.stride")
    select, made = _refs(phase.select, f"{where}.select") if phase.select else ((), ())
    translations += made
    _check_select(select, heads, f"{where}.select")
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


def _check_select(select: Sequence[DataRef], heads: Sequence[HeadParams], where: str) -> None:
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


def _refs(use: TaskUse, where: str) -> tuple[tuple[DataRef, ...], tuple[Translation, ...]]:
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


def _settings(value: Mapping[str, Any] | None) -> TrainingSpec:
    spec: TrainingSpec = validate_mapping(TrainingSpec, value or {}, "preset training")
    return spec


def _over(under: Target, ours: Target) -> Target:
    """The study's settings of a target over the preset's, but for training settings: they are merged key by key."""
    given = {k: getattr(ours, k) for k in ours.model_fields_set}
    return under.model_copy(update={**given, "training": ours.training})
