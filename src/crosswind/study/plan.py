"""From a study to a graph of keyed steps.

A clean cell is a model on a test set: `predict`, and `judge` for each metric of the task. Stages (`study/stages/`) add
conditions to it. A key names everything that a step depends on, so what two routes, seeds or studies share is computed
once. Steps of one model have one affinity.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from crosswind.analysis.left_out import LeftOut, merged
from crosswind.errors import UserError
from crosswind.run.executors import EXECUTORS, Executor
from crosswind.steps.train import TrainParams
from crosswind.study.defences import check_tokenizer, defended
from crosswind.study.heads import check_classes
from crosswind.study.own import declare_tasks
from crosswind.study.planned import Cell, Plan
from crosswind.study.planning_cells import CellPlanner
from crosswind.study.resolve import lacking, lacking_languages, only_in_files, routes, targets
from crosswind.study.spec import Study
from crosswind.study.stages import STAGES
from crosswind.study.target_plans import PhasePlan, TargetPlan
from crosswind.study.translated_budget import translated_budgets
from crosswind.study.translated_routes import translate_trained
from crosswind.tasks.base import TASKS


def make_plan(study: Study, *, dry: bool = False, executor: Executor | None = None) -> Plan:
    """The study's plan; a `UserError` for anything that could not run.

    A `dry` plan is for looking at: hub data whose commit cannot be resolved from here stand in it
    as unresolved, and a note says so. `executor` says which device and precision there are (default: this machine).
    """
    if study.claims:
        from crosswind.study.claim_names import KnownNames, require_claims

        declare_tasks(study)
        require_claims(study.claims, KnownNames.of_study(study))
    return Planner(study, dry, executor or EXECUTORS["local"]).plan()


class Planner(CellPlanner):
    """Plans one study; stages add to it through `rewrite`, `condition` and `note`."""

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

    def _lacking(self) -> Iterator[LeftOut]:
        """The languages that the study asks of all its targets and some target lacks."""
        for name, split, language in lacking(self.study):
            yield self._no_data(name, split, language, "the target has no data in them")

    def _no_data(self, target: str, split: str, language: str, reason: str) -> LeftOut:
        models = len(self.study.route_names) * len(self.study.seeds) * len(self.study.defences)
        return LeftOut(cause="no data", target=target, language=language, split=split, cells=models, reason=reason)


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
