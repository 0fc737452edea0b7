"""The cells of a study: a model on a test set under a condition, predicted and judged by each metric of the task."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from crosswind.analysis.condition import APART, AVERAGED, DEV_LAYER
from crosswind.analysis.left_out import LeftOut
from crosswind.errors import UserError
from crosswind.evaluate.judge import metrics_of
from crosswind.evaluate.metrics.base import METRICS, Metric
from crosswind.run.executors import Executor
from crosswind.run.step import digest
from crosswind.steps.average import AVERAGE, AverageParams
from crosswind.steps.given import TAKEN, GivenParams
from crosswind.steps.judge import JUDGE, JudgeParams
from crosswind.steps.translate import MADE
from crosswind.study.defences import familiarity
from crosswind.study.exposure import exposure_of, seen_in
from crosswind.study.mining import with_mined_inputs
from crosswind.study.planned import Cell, CellCondition, Evaluated, EvaluatedModel
from crosswind.study.planning_models import ModelPlanner, predicting_kind
from crosswind.study.spec import Study, TranslateSpec
from crosswind.study.target_plans import PhasePlan, TargetPlan, carries_head
from crosswind.study.translated_routes import translate_tested
from crosswind.tasks.base import TASKS

_CLEAN = CellCondition()


class CellPlanner(ModelPlanner):
    """Plans cells; stages add conditions to each clean one through `condition` and `leave_out`."""

    def __init__(self, study: Study, dry: bool, executor: Executor) -> None:
        super().__init__(study, dry, executor)
        self._cells: dict[Cell, None] = {}
        self._exposure = lru_cache(maxsize=None)(self._exposed)
        self._metrics: dict[str, tuple[Metric, ...]] = {}  # of each target, by its place in the study

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
                attack=condition.attack,
                cells=draws,
                reason=reason,
            )
        )

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
                label = f"{target.task.name} for {self._named(route, seed, defence)}" + (
                    f", phase {i + 1}" if len(chain) > 1 else ""
                )
                carry = i > 0 and carries_head(chain[i - 1], phase)
                params = self._params(phase, seed, target, carry)
                params, mined = with_mined_inputs(self, target, phase, params, key, label)
                key = self.train(params, key, label, phase, mined)
            if selection == AVERAGED and key is not None:
                label = f"mean of the last checkpoints, {target.task.name} for {self._named(route, seed, defence)}"
                key = self.add(AVERAGE.step(AverageParams(), inputs={"model": key}, label=label))
            model = EvaluatedModel(key, f"model {(key or digest(dict(self.base.data)))[:16]}")
            layers: list[tuple[str, str | None]] = [(selection, None)]
            if target.choice is not None and selection not in APART and self.study.predictions is None:
                layers.append((DEV_LAYER, self._layer(target, target.choice, model, self._named(route, seed, defence))))
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
        label += f", {self._named(cell.route, cell.seed, cell.defence)}"
        if self.study.predictions is None:
            kind, reading = predicting_kind(task, evaluated.reading)
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
        clean = evaluated.clean
        label = f"{target.task.name} {data.language}, dev, {self._named(clean.route, clean.seed, clean.defence)}"
        return self._predicting(target.task, evaluated.model, reading, label, evaluated.layer)

    def _exposed(self, task: str, language: str, phases: tuple[PhasePlan, ...], chain: tuple[PhasePlan, ...]) -> str:
        source = TASKS[task].source_language
        (labelled, text), (trained, _) = seen_in(phases), seen_in(chain)
        languages = sorted({code for seen in trained for code in seen.languages})
        if languages and source not in languages:
            self.note(f"{task} is trained on {', '.join(languages)}; {source}, its source language, is zero-shot here")
        # That a target is trained on its source language says nothing of a transfer: it always is.
        in_language = [seen for seen in trained if language in seen.languages and language != source]
        return exposure_of(TASKS[task], language, [*labelled, *in_language], text)


def _selections(target: TargetPlan) -> list[tuple[str, tuple[PhasePlan, ...]]]:
    """The ways of choosing a checkpoint that are asked for: (name, chain)."""
    chain = target.chain
    plain = "english" if chain and chain[-1].select else "last"
    selections = [(plain if chain else "untuned", chain)]
    if target.oracle and chain:
        selections.append(("oracle", (*chain[:-1], replace(chain[-1], select=target.oracle, average=0))))
    if chain and chain[-1].average:
        selections.append((AVERAGED, chain))
    return selections
