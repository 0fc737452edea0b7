"""The steps of a study's models: training them, what they read and how, the vectors of pools, the choice of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import partial
from typing import Any, assert_never

from crosswind.evaluate.judge import metrics_of
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.run.kinds import StepKind
from crosswind.steps.cells import CellParams
from crosswind.steps.embed import EMBED
from crosswind.steps.layer import CHOOSE_LAYER, LayerParams, development_input
from crosswind.steps.mine import MINE, MineParams
from crosswind.steps.parameters import PoolingParams
from crosswind.steps.predict import PREDICT
from crosswind.steps.train import TRAIN, TrainParams
from crosswind.study.defences import augment_prints
from crosswind.study.planned import EvaluatedModel
from crosswind.study.planning_steps import StepPlanner
from crosswind.study.target_plans import LayerPlan, PhasePlan, TargetPlan
from crosswind.tasks.base import CORPORA, TASKS, Task
from crosswind.tasks.load import text_fingerprint
from crosswind.tasks.refs import DataRef
from crosswind.train.robust import ROBUST
from crosswind.train.subwords import SUBWORDS


class ModelPlanner(StepPlanner):
    """Plans the steps of models, which have one affinity each."""

    def _named(self, route: str, seed: int, defence: str = "none") -> str:
        """A route in a step's label, as `ROUTE@DEFENCE` with a defence, and with the seed where there are several."""
        return (
            f"route {route}"
            + (f"@{defence}" if defence != "none" else "")
            + (f", seed {seed}" if len(self.study.seeds) > 1 else "")
        )

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
        kind, params = predicting_kind(task, reading)
        return self.add(kind.step(params, data=prints, inputs=inputs, label=label, affinity=model.affinity))

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


def predicting_kind(task: Task, reading: CellParams) -> tuple[StepKind[Any], CellParams]:
    """The kind of step that a task's predictions are made by, and its parameters."""
    match task.search:
        case "ranked":
            return PREDICT, reading
        case "mined":
            return MINE, MineParams(**{part.name: getattr(reading, part.name) for part in fields(CellParams)})
        case _:
            assert_never(task.search)
