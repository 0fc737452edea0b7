"""From a study to a graph of keyed steps.

A clean cell is a model on a test set: `predict`, and `judge` for each metric of the task. Stages (`study/stages/`) add
conditions to it. A key names everything that a step depends on, so what two routes, seeds or studies share is computed
once. Steps of one model have one affinity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, assert_never

from crosswind.analysis.condition import DEV_LAYER
from crosswind.analysis.left_out import LeftOut, merged
from crosswind.data.source import Source
from crosswind.errors import UserError
from crosswind.evaluate.judge import metrics_of
from crosswind.evaluate.metrics.base import METRICS, Metric
from crosswind.evaluate.purify import PURIFIERS
from crosswind.perturb.constraint import CONSTRAINTS, constraint_resources
from crosswind.perturb.extent import EVERYTHING, Extent
from crosswind.perturb.lexicons import MICROWORLD_LEXICONS, environment_of, oracle_sources
from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.spec import Spec, TextScope
from crosswind.reading import expanded
from crosswind.registry import Registry, included
from crosswind.run.executors import EXECUTORS, Executor
from crosswind.run.folders import file_hash
from crosswind.run.kinds import STEPS, StepKind
from crosswind.run.machine import Hardware
from crosswind.run.step import Frozen, Graph, Step, digest
from crosswind.steps.cells import CellParams
from crosswind.steps.embed import EMBED
from crosswind.steps.given import TAKEN, GivenParams
from crosswind.steps.judge import JUDGE, JudgeParams
from crosswind.steps.layer import CHOOSE_LAYER, LayerParams, development_input
from crosswind.steps.mine import MINE, MineParams
from crosswind.steps.parameters import PoolingParams
from crosswind.steps.predict import PREDICT
from crosswind.steps.rewrite import REWRITE, SEVERITY, RewriteParams
from crosswind.steps.train import TRAIN, TrainParams
from crosswind.steps.translate import MADE, TRANSLATE
from crosswind.steps.tune import TUNE, TuneParams
from crosswind.study.base import BaseEncoder, base_encoder
from crosswind.study.defences import augment_prints, check_tokenizer, defended, familiarity, purify_prints
from crosswind.study.encoders import encoder_fingerprint, place_of
from crosswind.study.exposure import Seen, exposure_of
from crosswind.study.heads import check_classes
from crosswind.study.mining import with_mined_inputs
from crosswind.study.own import declare_tasks, own_settings
from crosswind.study.planned import Cell, CellCondition, Evaluated, EvaluatedModel, Plan
from crosswind.study.resolve import (
    LayerPlan,
    PhasePlan,
    TargetPlan,
    carries_head,
    lacking,
    lacking_languages,
    only_in_files,
    routes,
    targets,
    translate_tested,
    translate_trained,
)
from crosswind.study.spec import Study, TranslateSpec
from crosswind.study.stages import STAGES
from crosswind.study.translated_budget import translated_budgets
from crosswind.study.translation import Translation
from crosswind.tasks.base import CORPORA, TASKS, Task
from crosswind.tasks.load import open_data, text_fingerprint
from crosswind.tasks.refs import DataRef
from crosswind.train.robust import ROBUST
from crosswind.train.subwords import SUBWORDS

_CLEAN = CellCondition()


def make_plan(study: Study, *, dry: bool = False, executor: Executor | None = None) -> Plan:
    """The study's plan; a `UserError` for anything that could not run.

    A `dry` plan is for looking at: hub data whose commit cannot be resolved from here stand in it
    as unresolved, and a note says so. `executor` says which device and precision there are (default: this machine).
    """
    return Planner(study, dry, executor or EXECUTORS["local"]).plan()


def lexicons_of(study: Study) -> str | None:
    """The folder of bilingual lexicons; a relative one lies below `data.root` if it is there.

    The microworld brings its own.
    """
    if study.lexicons is None:
        return MICROWORLD_LEXICONS if study.data.source == "microworld" else None
    folder = expanded(study.lexicons, "lexicons")
    below = (expanded(study.data.root, "data.root") / folder) if study.data.root else folder
    return str((below if below.is_dir() else folder).absolute())


class Planner:
    """Plans one study; stages add to it through `rewrite`, `condition` and `note`."""

    def __init__(self, study: Study, dry: bool, executor: Executor) -> None:
        self.study, self.dry, self.executor = study, dry, executor
        self.declared = declare_tasks(study)
        self.settings = own_settings(study, study.data.settings(), self.declared)
        self.source: Source = open_data(self.settings)
        self.lexicons = lexicons_of(study)
        self.environment: Environment = environment_of(self.lexicons)
        self.words = None if study.words is None else str(expanded(study.words, "words").absolute())
        self.diagnostic: set[str] = set()
        folder = None if self.lexicons in (None, MICROWORLD_LEXICONS) else Path(str(self.lexicons))
        self.without_lexicons = folder is not None and not folder.is_dir()
        if self.without_lexicons and not dry:
            hint = "name the folder that holds en-de.txt, …; a relative one lies below data.root"
            raise UserError(f"no folder of lexicons {self.lexicons!r}", where="lexicons", hint=hint)
        self.base: BaseEncoder = base_encoder(study, executor)
        self._steps: dict[str, Step] = {}
        self._cells: dict[Cell, None] = {}
        self._notes: dict[str, None] = dict.fromkeys(self.declared.notes)
        if folder is not None and (tests := oracle_sources(folder)):
            self.note(
                f"Lexicons in {folder.name} were derived from the test text of {', '.join(tests)} (oracle access)."
            )
        if study.trust_remote_code:
            self.note(f"Python code that the encoder {self.base.name} brings was run (trust_remote_code).")
        self._asked: dict[str, None] = {}
        self._left_out: list[LeftOut] = []
        self._excluded: dict[str, dict[str, list[str]]] = {}  # ids of exclusion lists by language, by their keys
        self._specs: dict[str, str] = {}  # of rewrites, by key: perturbations that say where data lie, as written
        self._fingerprints: dict[DataRef, str] = {}
        self._exposure = lru_cache(maxsize=None)(self._exposed)
        self._translators: dict[str, dict[str, str | None]] = {}  # of translations, by key: where their models lie
        self._models: dict[str, str] = {}  # models that perturbations need: as they name them, and where they lie
        self._roles: dict[str, str] = {}  # the part of such a model, by the name of what it is to do and its print
        self._resources = lru_cache(maxsize=None)(lambda spec, scope: spec.resources(scope))
        self._refusal = lru_cache(maxsize=None)(lambda spec, scope, extent, kind: extent.refusal(spec, scope, kind))
        self._declared = lru_cache(maxsize=None)(_declared)
        self._rewrite = lru_cache(maxsize=None)(self._rewritten)
        self._metrics: dict[str, tuple[Metric, ...]] = {}  # of each target, by its place in the study
        self._read = lru_cache(maxsize=None)(self._printed)
        self._origin = lru_cache(maxsize=None)(STEPS.origin)

    def plan(self) -> Plan:
        """Every step of the study, with the cells that they serve."""
        self._say_what_only_files_have()
        all_targets = [self._available(target) for target in targets(self.study)]
        if self.study.fine_tuned and self.base.key is None and self.study.predictions is None:
            check_classes(self.base.place, self.study.revision, all_targets)
        for defence, settings in self.study.defences.items():
            if self.base.key is None and self.study.predictions is None:
                check_tokenizer(settings, defence, self.base.place)
        conditions = [
            stage.begin(self.study.section(stage.name), self, all_targets)
            for stage in STAGES
            if self.study.section(stage.name) is not None
        ]
        if self.base.step is not None:
            self.add(self.base.step)
        training: dict[str, list[tuple[str, TrainParams]]] = {}
        for seed in self.study.seeds:
            encoders: dict[str | None, tuple[str | None, tuple[PhasePlan, ...]]] = {None: (self.base.key, ())}
            for name, phases in routes(self.study).items():
                encoder: str | None = self.base.key
                for i, phase in enumerate(phases):
                    params = self._params(phase, seed)
                    label = f"{self._named(name, seed)}, phase {i + 1}"
                    encoder = self.train(params, encoder, label, phase)
                    if seed == self.study.seeds[0]:
                        training.setdefault(name, []).append((encoder, params))
                encoders[name] = encoder, phases
                for defence, settings in self.study.defences.items():
                    for target in all_targets:
                        shielded = defended(target, defence, settings, self.environment)
                        self._target(shielded, name, defence, phases, encoder, seed, conditions)
            for name, baseline in self.study.baselines.items():
                encoder, phases = encoders[baseline.after]
                tested = baseline.translate if baseline.mode == "translate-test" else None
                for defence, settings in self.study.defences.items():
                    for target in all_targets:
                        shielded = defended(target, defence, settings, self.environment)
                        if tested is None:
                            where = f"baselines.{name}.translate"
                            before, shielded = shielded, translate_trained(shielded, baseline.translate, where)
                            for text in translated_budgets(name, before, shielded):
                                self.note(text)
                        self._target(shielded, name, defence, phases, encoder, seed, conditions, tested)
        _check_names(self._cells)
        return Plan(
            self.graph(),
            [*self._cells],
            [*self._notes],
            training,
            frozenset(self.diagnostic),
            tuple(self._asked),
            self.base.name,
            merged((*self._lacking(), *self._left_out)),
        )

    def graph(self) -> Graph:
        """Every step that was added, with where things lie."""
        context = {
            "data": self.settings,
            "encoder": self.base.place,
            "revision": self.study.revision,
            "include": [str(folder) for folder in included()],
            "declared": {"task": dict(self.declared.tasks)},
            "lexicons": self.lexicons,
            "words": self.words,
            "specs": self._specs,
            "models": self._models,
            "roles": self._roles,
            "excluded": self._excluded,
            "translators": self._translators,
            **self.base.context,
        }
        return Graph(self._steps.values(), context)

    def _say_what_only_files_have(self) -> None:
        """Note the preset's targets that are left out because the hub has no repository of them."""
        for name, absent in only_in_files(self.study).items():
            if not self._asked_of(name):
                continue
            lacks = ", ".join(absent)
            self.note(
                f"{name} is left out: the hub has no repository of {lacks} that is read. With the official files it is "
                "evaluated: set data.root (or CROSSWIND_DATA) beside the hub, or name it under targets.tasks to see "
                "which files it needs and where they are to be had."
            )
            split = "test" if "test" in TASKS[name].splits else TASKS[name].splits[-1]
            reason = f"the hub has no repository of {lacks}; the official files are not there"
            self._left_out += [self._no_data(name, split, language, reason) for language in self._asked_of(name)]

    def _asked_of(self, task: str) -> list[str]:
        asked = self.study.targets.languages
        return [code for code in TASKS[task].languages if asked is None or code in asked]

    def _available(self, target: TargetPlan) -> TargetPlan:
        """The target without the languages that its repository on the hub does not have, which is noted."""
        missing = lacking_languages(self.study, target.task)
        left_out = [d for d in target.data if d.language in missing]
        if left_out and target.task.hub is not None:
            reason = f"{target.task.hub.repo} does not have them; the official files do"
            what = f"{target.task.name}: {', '.join(d.language for d in left_out)} left out"
            self.note(f"{what}, which {target.task.hub.repo} does not have; the official files do.")
            self._left_out += [self._no_data(target.task.name, d.split, d.language, reason) for d in left_out]
        return replace(target, data=tuple(d for d in target.data if d.language not in missing))

    # What stages use

    def note(self, text: str) -> None:
        """Tell the reader of the results."""
        self._notes[text] = None

    def leave_out(self, evaluated: Evaluated, condition: CellCondition, reason: str, *, draws: int = 1) -> None:
        """Say that a clean cell has no cells under a condition (so many draws), and why."""
        data = evaluated.clean.data
        self._left_out.append(
            LeftOut(
                cause="not applicable",
                target=evaluated.clean.target,
                language=data.language,
                split=data.split,
                perturbation=condition.perturbation,
                severity=condition.severity,
                protection=condition.protection,
                cells=draws,
                reason=reason,
            )
        )

    def want(self, step: Step) -> str:
        """Add a step of any kind that the run shall compute, though no cell needs it; its key."""
        key = self.add(step)
        self._asked[key] = None
        return key

    def add(self, step: Step) -> str:
        """Add a step that others may take as input; its key, which covers where its kind was declared."""
        origin = self._origin(step.kind)
        if origin is not None:
            step = replace(step, data={**step.data, f"declared {step.kind}": origin})
        self._steps.setdefault(step.key, step)
        return step.key

    def not_applicable(self, spec: Spec, evaluated: Evaluated, extent: Extent = EVERYTHING) -> str | None:
        """Why a perturbation has no cell here; `None` if it has."""
        if self.without_lexicons and any(a.name.startswith("codemix") for a in spec.atoms):
            return f"there is no folder {self.lexicons!r}"
        data = evaluated.clean.data
        reason: str | None = self._refusal(spec, self._scope(data), extent, TASKS[data.task].kind)
        return reason

    def rewrite(self, evaluated: Evaluated, spec: Spec, draw: int, protection: str, extent: Extent = EVERYTHING) -> str:
        """The step that draws a perturbation on a cell's data; its key, the same for every model."""
        key: str = self._rewrite(evaluated.clean.data, spec, draw, protection, extent)
        return key

    def _rewritten(self, data: DataRef, spec: Spec, draw: int, protection: str, extent: Extent) -> str:
        task = TASKS[data.task]
        scope = extent.scope(self._scope(data), task.kind)
        prints = {data.name: self.fingerprint(data)}
        inputs: dict[str, str] = {}
        needs: list[tuple[str, DataRef]] = []
        roles: dict[str, Need] = {}
        for need in (*spec.needs(scope), *(n for c in extent.constraints for n in c.needs())):
            if roles.setdefault(need.role, need) != need:
                raise UserError(
                    f"{spec.name} needs two things as its {need.role}",
                    where="perturb",
                    hint="joined perturbations cannot do that; perturb by each of them apart",
                )
            self._resolve(need, data, prints, inputs, needs)
            if isinstance(need, DataNeed) and need.language not in (None, data.language):
                self.note(f"{spec.name} reads the test set's own translations of each item (oracle access).")
        noise: dict[str, Any] = {
            "ref": data,
            "perturbation": tuple((atom.identity, atom.severity) for atom in spec.atoms),
            "draw": draw,
            "fields": scope.fields,
            "protection": protection,
            "needs": tuple(needs),
            "constraints": tuple(map(str, extent.constraints)),
        }
        prints |= {f"resource {name}": value for name, value in self._resources(spec, scope).items()}
        prints |= constraint_resources(extent.constraints)
        prints |= self._declared(TASKS, data.task)
        for constraint in extent.constraints:
            prints |= self._declared(CONSTRAINTS, constraint.name)
        for atom in spec.atoms:
            prints |= self._declared(PERTURBATIONS, atom.name)
        label = f"{extent.label(spec)} on {data.name}"
        affinity = f"rewrites {task.name}"
        located = any(atom.condition != str(atom) for atom in spec.atoms)
        if extent.damage is not None:
            tuned = TuneParams(**noise, axis=extent.damage.axis, value=extent.damage.value)
            step = TUNE.step(tuned, data=prints, inputs=dict(inputs), label=f"severity of {label}", affinity=affinity)
            inputs[SEVERITY] = self.add(step)
            if located:
                self._specs[inputs[SEVERITY]] = str(spec)
        params = RewriteParams(**noise, suite=extent.suite or None)
        key = self.add(REWRITE.step(params, data=prints, inputs=inputs, label=label, affinity=affinity))
        if located:
            self._specs[key] = str(spec)
        return key

    def needed(
        self, needs: Iterable[Need], data: DataRef, prints: dict[str, str], inputs: dict[str, str]
    ) -> tuple[tuple[str, DataRef], ...]:
        """The data sets among the needs of a step, by role; models and steps go into its `prints` and `inputs`."""
        refs: list[tuple[str, DataRef]] = []
        roles: dict[str, Need] = {}
        for need in needs:
            if roles.setdefault(need.role, need) != need:
                raise UserError(f"one step needs two things as its {need.role}", where=data.name)
            self._resolve(need, data, prints, inputs, refs)
        return tuple(dict.fromkeys(refs))

    def prints(self, model: EvaluatedModel, reading: CellParams) -> Mapping[str, str]:
        """The fingerprints of what a step of a model reads, those of its input defences among them."""
        return self._purified(self._prints(model, reading.ref), reading)

    def declared_by(self, registry: Registry[Any], name: str) -> Mapping[str, str]:
        """The hash of a declaration of the user's, for the keys of what depends on it."""
        declared: Mapping[str, str] = self._declared(registry, name)
        return declared

    def write_as(self, key: str, text: str) -> None:
        """Remember how a step's perturbation or recipe was written where that says where data lie."""
        self._specs[key] = text

    def condition(
        self, evaluated: Evaluated, condition: CellCondition, rewrite: str, *, label: str, moves_pool: bool = False
    ) -> None:
        """A cell of the same model and data under a rewrite, which may change or extend the pool (`moves_pool`)."""
        embed = evaluated.embed
        if embed is not None and moves_pool:
            task = evaluated.target.task
            embed = self._embed(task, evaluated.model, evaluated.reading, rewrite, embed, layer=evaluated.layer)
        inputs = {"rewrite": rewrite, "clean": evaluated.clean.key}
        if evaluated.translation is not None:
            # The perturbed text is what a machine translates; the clean translation says what changed by it.
            inputs[MADE] = self.translate(evaluated.translation, rewrite)
            inputs[f"clean {MADE}"] = self.translate(evaluated.translation)
        self._cell(evaluated, condition, rewrite, inputs, embed, label)

    def translate(self, translation: Translation, rewrite: str | None = None) -> str:
        """The step that translates data, as a rewrite left them if one is named; its key."""
        params = translation.params
        data = {params.ref.name: self.fingerprint(params.ref), **self._declared(TASKS, params.ref.task)}
        if translation.model is not None:
            params = replace(params, device=self._hardware("fp32").device)
            data["model"] = encoder_fingerprint(translation.model, translation.revision)
        else:
            lexicons = self.environment.lexicons
            if lexicons is None:
                hint = "name the folder of bilingual lexicons: lexicons: DIR"
                raise UserError("translation word by word needs lexicons", where="lexicons", hint=hint)
            files = lexicons.fingerprints(params.source, params.language)
            data |= {f"lexicon {name}": value for name, value in files.items()}
        label = f"{params.ref.name} into {params.language}"
        inputs = {"rewrite": rewrite} if rewrite else {}
        key = self.add(TRANSLATE.step(params, data=data, inputs=inputs, label=label, affinity=f"translates {label}"))
        if translation.model is not None:
            self._translators[key] = {"model": place_of(translation.model), "revision": translation.revision}
        return key

    def fingerprint(self, ref: DataRef) -> str:
        """The fingerprint of data; in a dry plan `unresolved` where the hub does not answer."""
        if ref not in self._fingerprints:
            self._fingerprints[ref] = self._resolved(lambda: ref.fingerprint(self.source), ref.task)
        return self._fingerprints[ref]

    # Inside

    def _named(self, route: str, seed: int) -> str:
        """A route in a step's label, with the seed where there are several."""
        return f"route {route}" + (f", seed {seed}" if len(self.study.seeds) > 1 else "")

    def _lacking(self) -> Iterator[LeftOut]:
        """The languages that the study asks of all its targets and some target lacks."""
        for name, split, language in lacking(self.study):
            yield self._no_data(name, split, language, "the target has no data in them")

    def _no_data(self, target: str, split: str, language: str, reason: str) -> LeftOut:
        models = len(self.study.route_names) * len(self.study.seeds) * len(self.study.defences)
        return LeftOut(cause="no data", target=target, language=language, split=split, cells=models, reason=reason)

    def _scope(self, data: DataRef) -> TextScope:
        return TextScope.of(TASKS[data.task], data.language, self.environment)

    def _resolve(
        self,
        need: Need,
        data: DataRef,
        prints: dict[str, str],
        inputs: dict[str, str],
        needs: list[tuple[str, DataRef]],
    ) -> None:
        """Make what a perturbation needs part of its step: data, an input, a model."""
        match need:
            case DataNeed():
                ref = DataRef(need.task or data.task, need.language or data.language, need.split or data.split)
                needs.append((need.role, ref))
                prints[f"{need.role} {ref.name}"] = self.fingerprint(ref)
                prints.update(self._declared(TASKS, ref.task))
            case StepNeed():
                kind = STEPS.get(need.kind, where="perturb")
                inputs[need.role] = self.add(kind.step(kind.load(dict(need.params)), label=need.role))
            case ModelNeed():
                print_of_model = encoder_fingerprint(need.source)
                if need.role == "masked-lm" and print_of_model in self.base.data.values():
                    raise UserError(
                        f"the masked language model {need.source!r} is the encoder that is evaluated",
                        where="perturb",
                        hint="name another model, or say that they are one: mlm(model=…,victim=same)",
                    )
                prints[f"{need.role} model"] = print_of_model
                self._roles[f"{need.role} model {print_of_model}"] = need.source
                self._models[need.source] = place_of(need.source)
            case _:
                assert_never(need)

    def _target(
        self,
        target: TargetPlan,
        route: str,
        defence: str,
        phases: tuple[PhasePlan, ...],
        encoder: str | None,
        seed: int,
        conditions: Sequence[Callable[[Evaluated], None]],
        translate_test: TranslateSpec | None = None,
    ) -> None:
        for selection, chain in _selections(target):
            key = encoder
            for i, phase in enumerate(chain):
                label = f"{target.task.name} for {self._named(route, seed)}" + (
                    f", phase {i + 1}" if len(chain) > 1 else ""
                )
                carry = i > 0 and carries_head(chain[i - 1], phase)
                params = self._params(phase, seed, target, carry)
                params, mined = with_mined_inputs(self, target, phase, params, key, label)
                key = self.train(params, key, label, phase, mined)
            model = EvaluatedModel(key, f"model {(key or digest(dict(self.base.data)))[:16]}")
            layers: list[tuple[str, str | None]] = [(selection, None)]
            if target.choice is not None and selection != "oracle" and self.study.predictions is None:
                layers.append((DEV_LAYER, self._layer(target, target.choice, model, self._named(route, seed))))
            for named, layer in layers:
                for data in target.data:
                    reading = self.reading(target, data)
                    exposure = self._exposure(target.task.name, data.language, phases, chain)
                    cell = Cell("", (), route, seed, defence, target.task.name, data, named, exposure)
                    embedded = target.task.kind == "query" and self.study.predictions is None
                    embed = self._embed(target.task, model, reading, layer=layer) if embedded else None
                    inputs: dict[str, str] = {}
                    translation = None
                    if translate_test is not None:
                        translation = translate_tested(target, data, translate_test, f"baselines.{route}")
                    if translation is not None:
                        inputs[MADE] = self.translate(translation)
                        reading = replace(reading, ref=replace(data, made=MADE))
                    evaluated = Evaluated(target, model, cell, reading, embed, translation, layer)
                    evaluated = replace(evaluated, clean=self._cell(evaluated, _CLEAN, None, inputs, embed, ""))
                    for add in conditions:
                        add(evaluated)

    def _layer(self, target: TargetPlan, choice: LayerPlan, model: EvaluatedModel, named: str) -> str:
        """The step that chooses a model's layer on development data, by the headline metric of their task."""
        inputs: dict[str, str] = {}
        task = TASKS[choice.data[0].task]
        metric = metrics_of(task)[0]
        for number, layer in enumerate(choice.layers):
            for i, ref in enumerate(choice.data):
                pooling = replace(target.pooling or PoolingParams(), layer=layer)
                reading = replace(self.reading(target, ref), pooling=pooling)
                label = f"{ref.name}, layer {layer:g}, {named}"
                inputs[development_input(number, i)] = self._predicting(task, model, reading, label)
        params = LayerParams(choice.layers, metric.name, metric.version)
        return self.add(
            CHOOSE_LAYER.step(
                params,
                data=self._declared(METRICS, metric.name),
                inputs=inputs,
                label=f"layer for {target.task.name}, {named}",
                affinity=model.affinity,
            )
        )

    def _predicting(
        self, task: Task, model: EvaluatedModel, reading: CellParams, label: str, layer: str | None = None
    ) -> str:
        """The step that predicts clean data which no cell shows: development data."""
        inputs = {"model": model.key} if model.key else {}
        if layer is not None:
            inputs["layer"] = layer
        if task.kind == "query":
            inputs["pool"] = self._embed(task, model, reading, layer=layer)
        prints = self._purified(self._prints(model, reading.ref), reading)
        kind, params = _predicts(task, reading)
        return self.add(kind.step(params, data=prints, inputs=inputs, label=label, affinity=model.affinity))

    def reading(self, target: TargetPlan, data: DataRef) -> CellParams:
        """How a target's model reads data."""
        hardware = self._hardware(target.training.precision)
        query = target.task.kind == "query"
        return CellParams(
            ref=data,
            max_length=target.max_length,
            stride=target.stride,
            query_length=(target.training.query_length or target.task.query_length) if query else None,
            pooling=target.pooling,
            precision=hardware.precision,
            device=hardware.device,
            labels=target.labels,
            purify=target.purify,
        )

    def _params(
        self, phase: PhasePlan, seed: int, target: TargetPlan | None = None, carry: bool = False
    ) -> TrainParams:
        hardware = self._hardware(phase.training.precision)
        pooling = target.pooling if target else None
        return phase.params(seed=seed, head=target is not None, carry_head=carry, pooling=pooling, hardware=hardware)

    def train(
        self,
        params: TrainParams,
        encoder: str | None,
        label: str,
        phase: PhasePlan,
        mined: Mapping[str, str] | None = None,
    ) -> str:
        """The step that runs a phase on the encoder that a step made (`None`: the base), with the attacks that it
        learns from; its key."""
        data = {} if encoder else dict(self.base.data)
        inputs = {**({"encoder": encoder} if encoder else {}), **(mined or {})}
        inputs |= {translation.role: self.translate(translation) for translation in phase.translations}
        for ref in [*(d for h in params.heads for d in h.data), *params.select]:
            if ref.made is None:
                data[ref.name] = self.fingerprint(ref)
            data |= self._declared(TASKS, ref.task)
        for name, languages, rows in params.mlm.corpora if params.mlm else ():
            corpus = CORPORA[name]
            fingerprint = self._resolved(partial(text_fingerprint, corpus, languages, self.source), name)
            data[f"{name}/{','.join(languages)}/{rows}"] = fingerprint
            data |= self._declared(CORPORA, name)
        if params.select:
            metric = METRICS[TASKS[params.select[0].task].metric]
            data[f"metric {metric.name}"] = str(metric.version)
            data |= self._declared(METRICS, metric.name)
        if params.robust is not None:
            data |= self._declared(ROBUST, params.robust.name)
        if params.subwords is not None:
            data |= self._declared(SUBWORDS, params.subwords.name)
        data |= augment_prints(params, phase.augment_specs, self.environment)
        for spec in phase.augment_specs:
            for atom in spec.atoms:
                data |= self._declared(PERTURBATIONS, atom.name)
        key = self.add(TRAIN.step(params, data=data, inputs=inputs, label=label))
        for i, spec in enumerate(phase.augment_specs):
            if any(atom.condition != str(atom) for atom in spec.atoms):
                self._specs[f"{key}/{i}"] = str(spec)
        return key

    def _cell(
        self,
        evaluated: Evaluated,
        condition: CellCondition,
        rewrite: str | None,
        inputs: dict[str, str],
        embed: str | None,
        name: str,
    ) -> Cell:
        task, model, cell = evaluated.target.task, evaluated.model, evaluated.clean
        if model.key:
            inputs["model"] = model.key
        if embed:
            inputs["pool"] = embed
        if evaluated.layer:
            inputs["layer"] = evaluated.layer
        prints = self._purified(self._prints(model, cell.data), evaluated.reading)
        label = f"{task.name} {cell.data.language}" + (f" {name}" if name else "")
        label += f", {self._named(cell.route, cell.seed)}"
        if self.study.predictions is None:
            kind, reading = _predicts(task, evaluated.reading)
            step = kind.step(reading, data=prints, inputs=inputs, label=label, affinity=model.affinity)
        else:
            params = GivenParams(cell.data, condition.label, condition.draw, condition.protection)
            step = TAKEN.step(params, data=prints, inputs=inputs, label=label, affinity=model.affinity)
        key = self.add(step)
        where = evaluated.target.where
        metrics = self._metrics.setdefault(where, ()) or metrics_of(task, where=where)
        self._metrics[where] = metrics
        judged = tuple((metric.name, self._judge(metric, key, rewrite, label, evaluated)) for metric in metrics)
        made = Cell(
            key,
            judged,
            cell.route,
            cell.seed,
            cell.defence,
            cell.target,
            cell.data,
            cell.selection,
            cell.exposure,
            condition,
            rewrite,
            familiarity=familiarity(evaluated.target.family, condition),
        )
        self._cells[made] = None
        if (exclusion := evaluated.target.exclusion) is not None and exclusion.in_language(cell.data.language):
            self._excluded[exclusion.key] = {name: list(ids) for name, ids in exclusion.ids.items()}
            part = tuple(
                (metric.name, self._judge(metric, key, rewrite, label, evaluated, exclusion.key)) for metric in metrics
            )
            self._cells[replace(made, judged=part, excluded=exclusion.key)] = None
        return made

    def _judge(
        self,
        metric: Metric,
        predictions: str,
        rewrite: str | None,
        label: str,
        evaluated: Evaluated,
        exclude: str = "",
    ) -> str:
        inputs = {"predictions": predictions} | ({"rewrite": rewrite} if rewrite else {})
        if metric.fit is not None:
            inputs["dev"] = self._dev(metric, evaluated)
        return self.add(
            JUDGE.step(
                JudgeParams(metric.name, metric.version, exclude, evaluated.target.protocol or None),
                data=self._declared(METRICS, metric.name),
                inputs=inputs,
                label=f"{label}: {metric.name}" + (", some items excluded" if exclude else ""),
                affinity=evaluated.model.affinity,
            )
        )

    def _dev(self, metric: Metric, evaluated: Evaluated) -> str:
        """The predictions of development data that a metric fits on; a `UserError` where the task has none."""
        target, data = evaluated.target, evaluated.clean.data
        if "dev" not in target.task.splits or data.split == "dev":
            raise UserError(
                f"the metric {metric.name!r} fits on development data, and {target.task.name} has none beside its "
                f"{data.split}",
                where=target.where,
                hint="evaluate another split, or judge by another metric",
            )
        reading = replace(evaluated.reading, ref=replace(data, split="dev", rows=None, limit=None))
        label = f"{target.task.name} {data.language}, dev, {self._named(evaluated.clean.route, evaluated.clean.seed)}"
        return self._predicting(target.task, evaluated.model, reading, label, evaluated.layer)

    def _embed(
        self,
        task: Task,
        model: EvaluatedModel,
        reading: CellParams,
        rewrite: str | None = None,
        clean: str | None = None,
        *,
        layer: str | None = None,
    ) -> str:
        languages = reading.ref.pool_languages
        # All languages share the clean pool; a rewrite is of one language's data.
        ref = replace(reading.ref, language=languages[0]) if languages and not rewrite else reading.ref
        if task.shared_pool and not rewrite:
            ref = DataRef(task.name, task.languages[0], task.splits[-1])
        inputs = {"model": model.key} if model.key else {}
        if layer is not None:
            inputs["layer"] = layer
        if rewrite and clean:
            inputs |= {"rewrite": rewrite, "clean": clean}
        label = f"pool of {task.name}" + ("" if languages or task.shared_pool else f" {ref.language}")
        params = replace(reading, ref=ref, query_length=None)
        prints = self._purified(self._prints(model, ref), params)
        return self.add(EMBED.step(params, data=prints, inputs=inputs, label=label, affinity=model.affinity))

    def _prints(self, model: EvaluatedModel, ref: DataRef) -> Mapping[str, str]:
        prints: Mapping[str, str] = self._read(model.key is None, ref)
        return prints

    def _purified(self, prints: Mapping[str, str], reading: CellParams) -> Mapping[str, str]:
        """The fingerprints with those of the input defences."""
        if not reading.purify:
            return prints
        declared: dict[str, str] = {}
        for name in reading.purify:
            declared |= self._declared(PURIFIERS, name)
        ref, task = reading.ref, TASKS[reading.ref.task]
        languages = {ref.language: None, ref.context_language or ref.language: None}
        if task.kind == "query":
            languages |= dict.fromkeys(ref.pool_languages or (task.source_language,))
        for language in languages:
            declared |= purify_prints(reading.purify, language, self.words)
        if task.shared_pool and self.words is not None:
            # Its candidates are in languages that only reading them tells.
            declared |= {f"purify {path.name}": file_hash(path) for path in sorted(Path(self.words).glob("*.txt"))}
        if task.questions:
            declared["purify questions"] = "as they are"
        return {**prints, **declared}

    def _printed(self, from_base: bool, ref: DataRef) -> Frozen:
        base = self.base.data if from_base else {}
        return Frozen({**base, ref.name: self.fingerprint(ref), **self._declared(TASKS, ref.task)})

    def _hardware(self, precision: str) -> Hardware:
        wish = Hardware(self.study.device, "bf16" if precision == "bf16" else "fp32")
        hardware = self.executor.resolve(wish)
        if hardware.precision != wish.precision:
            self.note("bf16 was asked for; this machine has it not in hardware, so fp32 was used")
        return hardware

    def _exposed(self, task: str, language: str, phases: tuple[PhasePlan, ...], chain: tuple[PhasePlan, ...]) -> str:
        source = TASKS[task].source_language
        (labelled, text), (trained, _) = _seen(phases), _seen(chain)
        languages = sorted({code for seen in trained for code in seen.languages})
        if languages and source not in languages:
            self.note(f"{task} is trained on {', '.join(languages)}; {source}, its source language, is zero-shot here")
        # That a target is trained on its source language says nothing of a transfer: it always is.
        in_language = [seen for seen in trained if language in seen.languages and language != source]
        return exposure_of(TASKS[task], language, [*labelled, *in_language], text)

    def _resolved(self, ask: Callable[[], str], name: str) -> str:
        try:
            return ask()
        except UserError as error:
            sources = {self.study.data.source, *(d.source for d in self.study.data.tasks.values())}
            if not self.dry or "hub" not in sources:
                raise
            self.note(f"{name} is not resolved: {error.what}")
        return "unresolved"


def _predicts(task: Task, reading: CellParams) -> tuple[StepKind[Any], CellParams]:
    """The kind of step that a task's predictions are made by, and its parameters."""
    match task.search:
        case "ranked":
            return PREDICT, reading
        case "mined":
            return MINE, MineParams(**{part.name: getattr(reading, part.name) for part in fields(CellParams)})
        case _:
            assert_never(task.search)


def _declared(registry: Registry[Any], name: str) -> dict[str, str]:
    """The hash of a declaration that came from a folder of the user's: an edited one must not find old results."""
    origin = registry.origin(name)
    return {} if origin is None else {f"declared {registry.kind} {name}": origin}


def _selections(target: TargetPlan) -> list[tuple[str, tuple[PhasePlan, ...]]]:
    """The ways of choosing a checkpoint that are asked for: (name, chain)."""
    chain = target.chain
    plain = "english" if chain and chain[-1].select else "last"
    selections = [(plain if chain else "untuned", chain)]
    if target.oracle and chain:
        selections.append(("oracle", (*chain[:-1], replace(chain[-1], select=target.oracle))))
    return selections


def _seen(phases: tuple[PhasePlan, ...]) -> tuple[list[Seen], list[str]]:
    data = [d for p in phases for h in p.heads for d in h.data]
    labelled = [Seen(TASKS[d.task], (d.language,), _by_machine(d)) for d in data]
    text = [code for p in phases if p.mlm for _, languages, _ in p.mlm.corpora for code in languages]
    return labelled, text


def _by_machine(ref: DataRef) -> bool:
    """Whether a machine translated the data: in this study, or before they were distributed (XNLI's train)."""
    task = TASKS[ref.task]
    return ref.made is not None or (ref.split in task.machine_translated and ref.language != task.source_language)


def _check_names(cells: Mapping[Cell, None]) -> None:
    """Refuse different cells that the results could not tell apart: a table names them without their keys."""
    named: dict[tuple[object, ...], str] = {}
    for cell in cells:
        model = (cell.route, cell.seed, cell.defence, cell.selection)
        if named.setdefault((*model, cell.target, cell.data, cell.condition), cell.key) != cell.key:
            condition = cell.condition
            raise UserError(
                f"several cells of {cell.target}, {cell.data.language}, would be called {condition.perturbation} with "
                f"severity {condition.severity:g}",
                where="study",
                hint="leave one of them out",
            )
