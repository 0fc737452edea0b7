"""From a study to a graph of keyed steps.

Kinds of steps:

    train     a phase: encoder (or base checkpoint) -> encoder, or encoder with the target's head
    rewrite   a test set under one perturbation, severity and draw -> rewrites (knows no model)
    embed     a retrieval pool under a model -> vectors
    predict   a cell: model x test set (x rewrites) -> predictions, statistics, scores

A cell's key names everything that it depends on, so what two routes, seeds or studies share is
computed once. Steps of one model form a group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from crosswind.data.source import Source, open_source
from crosswind.errors import UserError, unknown
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.lexicons import MICROWORLD_LEXICONS, LexiconFolder, MicroworldLexicons
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Spec, TextScope, parse_specs
from crosswind.run.step import Graph, Step, digest
from crosswind.study import hardware
from crosswind.study.encoders import encoder_fingerprint, place_of
from crosswind.study.exposure import Seen, exposure_of
from crosswind.study.resolve import PhasePlan, TargetPlan, carries_head, routes, targets
from crosswind.study.size import examples_of, tokens_of
from crosswind.study.spec import Perturb, Study
from crosswind.tasks.base import CORPORA, TASKS, Task
from crosswind.tasks.load import text_fingerprint
from crosswind.tasks.refs import DataRef

VERSIONS = {"train": 3, "rewrite": 2, "embed": 2, "predict": 2}


@dataclass(frozen=True)
class Cell:
    """A predict step with what the results table says of it."""

    key: str
    route: str
    seed: int
    target: str
    data: DataRef
    selection: str
    perturbation: str
    severity: float
    protection: str
    draw: int
    exposure: str


@dataclass
class Plan:
    """The steps, the cells that are wanted, and notes for the reader (what was left out and why).

    `training` holds the phases of every route that has some, with their steps under the first seed;
    `diagnostic` names the perturbations under which labels need not hold.
    """

    graph: Graph
    cells: list[Cell]
    notes: list[str] = field(default_factory=list)
    training: dict[str, list[tuple[str, PhasePlan]]] = field(default_factory=dict)
    diagnostic: frozenset[str] = frozenset()

    @property
    def wanted(self) -> list[str]:
        return list(dict.fromkeys(c.key for c in self.cells))


def make_plan(study: Study, *, dry: bool = False) -> Plan:
    """The study's plan; a `UserError` for anything that could not run.

    A `dry` plan is for looking at: hub data whose commit cannot be resolved from here stand in it
    as unresolved, and a note says so.
    """
    return _Planner(study, dry).plan()


def settings_of(study: Study) -> dict[str, Any]:
    """The `data:` setting as steps carry it (folders absolute)."""
    return study.data.settings()


def lexicons_of(study: Study) -> str | None:
    """The folder of bilingual lexicons; a relative one lies below `data.root` if it is there.

    The microworld brings its own.
    """
    if study.lexicons is None:
        return MICROWORLD_LEXICONS if study.data.source == "microworld" else None
    folder = study.lexicons.expanduser()
    below = (study.data.root.expanduser() / folder) if study.data.root else folder
    return str((below if below.is_dir() else folder).absolute())


def environment_of(lexicons: str | Path | None) -> Environment:
    """The perturbations' environment: the folder of bilingual lexicons, or `microworld`, if the study names one."""
    if lexicons is None:
        return Environment()
    if str(lexicons) == MICROWORLD_LEXICONS:
        return Environment(lexicons=MicroworldLexicons())
    return Environment(lexicons=LexiconFolder(Path(lexicons).expanduser()))


@dataclass(frozen=True)
class _Model:
    """A model to evaluate: the step that trains it, or the base checkpoint (key None)."""

    key: str | None
    name: str  # the group of its cells


class _Planner:
    def __init__(self, study: Study, dry: bool) -> None:
        self.study, self.dry = study, dry
        self.settings = settings_of(study)
        self.source: Source = open_source(self.settings)
        self.context = {
            "data": self.settings,
            "encoder": place_of(study.encoder),
            "revision": study.revision,
            "include": [str(folder) for folder in TASKS.included],  # every registry has the same
        }
        self.lexicons = lexicons_of(study)
        self.environment = environment_of(self.lexicons)
        self.steps: dict[str, Step] = {}
        self.cells: list[Cell] = []
        self.notes: list[str] = []
        self.without_lexicons = (
            self.lexicons not in (None, MICROWORLD_LEXICONS) and not Path(str(self.lexicons)).is_dir()
        )
        if self.without_lexicons and not dry:
            hint = "name the folder that holds en-de.txt, …; a relative one lies below data.root"
            raise UserError(f"no folder of lexicons {self.lexicons!r}", where="lexicons", hint=hint)
        self.base = {"encoder": encoder_fingerprint(study.encoder, study.revision)}
        self.fingerprints: dict[DataRef, str] = {}

    def plan(self) -> Plan:
        all_routes, all_targets = routes(self.study), targets(self.study)
        perturbations = list(self._perturbations(all_targets))
        training: dict[str, list[tuple[str, PhasePlan]]] = {}
        for seed in self.study.seeds:
            for name, phases in all_routes.items():
                encoder: str | None = None
                for i, phase in enumerate(phases):
                    encoder = self._train(phase, encoder, seed, f"route {name}, phase {i + 1}", head=False)
                    if seed == self.study.seeds[0]:
                        training.setdefault(name, []).append((encoder, phase))
                for target in all_targets:
                    self._target(target, name, phases, encoder, seed, perturbations)
        if self.study.training.precision == "bf16" and not hardware.has_bf16():
            self.notes.append("bf16 was asked for; this machine has it not in hardware, so fp32 was used")
        cells = list(dict.fromkeys(self.cells))  # what a study asks for twice is one cell
        _check_names(cells)
        diagnostic = frozenset(spec.name for _, spec in perturbations if not spec.preserving)
        return Plan(Graph(self.steps.values()), cells, list(dict.fromkeys(self.notes)), training, diagnostic)

    def _target(
        self,
        target: TargetPlan,
        route: str,
        phases: tuple[PhasePlan, ...],
        encoder: str | None,
        seed: int,
        perturbations: list[tuple[Perturb, Spec]],
    ) -> None:
        for selection, chain in _selections(target):
            key = encoder
            for i, phase in enumerate(chain):
                label = f"{target.task.name} for route {route}" + (f", phase {i + 1}" if len(chain) > 1 else "")
                carry = i > 0 and carries_head(chain[i - 1], phase)
                key = self._train(phase, key, seed, label, head=True, carry=carry, target=target)
            model = _Model(key, f"model {(key or digest(self.base))[:16]}")
            for data in target.data:
                told = exposure_of(target.task, data.language, *_seen(phases))
                cell = _CellFacts(route, seed, selection, told)
                self._cell(target, model, data, None, None, cell)
                for perturb, spec in perturbations:
                    if _applies(perturb, target.task, data.language):
                        self._perturbed(target, model, data, perturb, spec, cell)

    def _perturbed(
        self,
        target: TargetPlan,
        model: _Model,
        data: DataRef,
        perturb: Perturb,
        spec: Spec,
        cell: _CellFacts,
    ) -> None:
        if self.without_lexicons and any(a.name.startswith("codemix") for a in spec.atoms):
            self.notes.append(f"{spec.name}: its cells are left out here, there is no folder {self.lexicons!r}")
            return
        reason = spec.applies(TextScope.of(target.task, data.language, self.environment))
        if reason is not None:
            self.notes.append(f"{spec.name} does not apply to {data.language}: {reason}")
            return
        for protection in _protections(perturb, target.task):
            for draw in range(1, self.study.draws + 1):
                rewrite = self._rewrite(target.task, data, spec, draw, protection)
                self._cell(target, model, data, spec, rewrite, replace(cell, protection=protection, draw=draw))

    def _train(
        self,
        phase: PhasePlan,
        encoder: str | None,
        seed: int,
        label: str,
        *,
        head: bool,
        carry: bool = False,
        target: TargetPlan | None = None,
    ) -> str:
        data = {} if encoder else dict(self.base)
        for ref in [*(d for h in phase.heads for d in h.data), *phase.select]:
            data[ref.name] = self._fingerprint(ref)
        for name, languages, rows in phase.mlm.corpora if phase.mlm else ():
            corpus = CORPORA[name]
            found = self._resolved(partial(text_fingerprint, corpus, languages, self.source), name)
            data[f"{name}/{','.join(languages)}/{rows}"] = found
        training = replace(phase.training, precision=hardware.precision(phase.training.precision))
        embeds = any(h.kind == "query" for h in phase.heads)
        pooling = target.pooling.model_dump() if target and target.pooling and embeds else None
        params = {
            "phase": replace(phase, training=training).to_json(),
            "seed": seed,
            "output": "head" if head else "encoder",
            "carry_head": carry,
            "pooling": pooling,
            "device": hardware.device(),
        }
        inputs = {"encoder": encoder} if encoder else {}
        cost = 3.0 * tokens_of(phase)
        return self._add(Step("train", VERSIONS["train"], params, data, inputs, label, "", cost, self.context))

    def _rewrite(self, task: Task, data: DataRef, spec: Spec, draw: int, protection: str) -> str:
        params = {
            "ref": data.to_json(),
            "identity": [[a.identity, a.severity] for a in spec.atoms],
            "draw": draw,
            "fields": list(task.perturbed),
            "protect": protection,
        }
        found = {data.name: self._fingerprint(data)} | {
            f"resource {k}": v for k, v in spec.resources(TextScope.of(task, data.language, self.environment)).items()
        }
        label = f"{spec} on {data.name}"
        # The spec as written may say where a lexicon lies, which is no part of the step's identity.
        context = {**self.context, "spec": str(spec), "lexicons": self.lexicons}
        return self._add(
            Step("rewrite", VERSIONS["rewrite"], params, found, {}, label, f"rewrites {task.name}", 0.0, context)
        )

    def _cell(
        self,
        target: TargetPlan,
        model: _Model,
        data: DataRef,
        spec: Spec | None,
        rewrite: str | None,
        cell: _CellFacts,
    ) -> None:
        task = target.task
        inputs: dict[str, str] = {}
        base = {} if model.key else dict(self.base)
        if model.key:
            inputs["model"] = model.key
        if rewrite:
            inputs["rewrite"] = rewrite
        shared = {
            "max_length": target.training.max_length,
            "precision": hardware.precision(target.training.precision),
            "pooling": target.pooling.model_dump() if target.pooling and task.kind == "query" else None,
            "device": hardware.device(),
        }
        if task.kind == "query":
            moved = rewrite if "pool" in task.perturbed else None
            inputs["pool"] = self._embed(task, data, model, moved, shared)
        metric = METRICS.get(task.metric, where=target.where)
        params = {
            "ref": data.to_json(),
            "stride": target.training.stride,
            "task": task.name,
            "metric": [metric.name, metric.version],
            **shared,
        }
        name = f"{task.name} {data.language}" + (f" {spec}" if spec else "") + f", route {cell.route}"
        prints = {**base, data.name: self._fingerprint(data)}
        key = self._add(
            Step(
                "predict",
                VERSIONS["predict"],
                params,
                prints,
                inputs,
                name,
                model.name,
                tokens_of(data),
                self.context,
            )
        )
        self.cells.append(
            Cell(
                key,
                cell.route,
                cell.seed,
                task.name,
                data,
                cell.selection,
                spec.name if spec else "clean",
                max((a.severity for a in spec.atoms), default=0.0) if spec else 0.0,
                cell.protection,
                cell.draw,
                cell.exposure,
            )
        )

    def _embed(self, task: Task, data: DataRef, model: _Model, rewrite: str | None, shared: Mapping[str, Any]) -> str:
        ref = replace(data, language=data.pool_languages[0]) if data.pool_languages else data
        inputs = ({"model": model.key} if model.key else {}) | ({"rewrite": rewrite} if rewrite else {})
        prints = ({} if model.key else dict(self.base)) | {ref.name: self._fingerprint(ref)}
        label = f"pool of {task.name}" + ("" if data.pool_languages else f" {data.language}")
        cost = tokens_of(ref) * (len(data.pool_languages) if data.pool_languages else 1)
        params = {"ref": ref.to_json(), **shared}
        return self._add(
            Step("embed", VERSIONS["embed"], params, prints, inputs, label, model.name, cost, self.context)
        )

    def _perturbations(self, all_targets: list[TargetPlan]) -> Iterator[tuple[Perturb, Spec]]:
        known_languages = {d.language for t in all_targets for d in t.data}
        known_targets = [t.task.name for t in all_targets]
        for i, perturb in enumerate(self.study.perturb):
            where = f"perturb[{i}]"
            for code in perturb.languages or ():
                if code not in known_languages:
                    raise unknown("language", code, known_languages, where=f"{where}.languages")
            for name in perturb.targets or ():
                if name not in known_targets:
                    raise unknown("target", name, known_targets, where=f"{where}.targets")
            for name in perturb.protect:
                if name not in ("none", "answers", "entities"):
                    raise unknown("protection", name, ("none", "answers", "entities"), where=f"{where}.protect")
            for spec in parse_specs(perturb.spec, where=where):
                yield perturb, spec

    def _fingerprint(self, ref: DataRef) -> str:
        if ref not in self.fingerprints:
            self.fingerprints[ref] = self._resolved(lambda: ref.fingerprint(self.source), ref.task)
        return self.fingerprints[ref]

    def _resolved(self, ask: Callable[[], str], name: str) -> str:
        try:
            return ask()
        except UserError as error:
            if not self.dry or self.study.data.source != "hub":
                raise
            self.notes.append(f"{name} is not resolved: {error.what}")
        return "unresolved"

    def _add(self, step: Step) -> str:
        self.steps.setdefault(step.key, step)
        return step.key


@dataclass(frozen=True)
class _CellFacts:
    route: str
    seed: int
    selection: str
    exposure: str
    protection: str = "none"
    draw: int = 0


def _selections(target: TargetPlan) -> list[tuple[str, tuple[PhasePlan, ...]]]:
    """The ways of choosing a checkpoint that are asked for: (name, chain)."""
    chain = target.chain
    plain = "english" if chain and chain[-1].select else "last"
    found = [(plain if chain else "untuned", chain)]
    if target.oracle and chain:
        found.append(("oracle", (*chain[:-1], replace(chain[-1], select=target.oracle))))
    return found


def _seen(phases: tuple[PhasePlan, ...]) -> tuple[list[Seen], list[str]]:
    labelled = [Seen(TASKS[d.task], (d.language,)) for p in phases for h in p.heads for d in h.data]
    text = [code for p in phases if p.mlm for _, languages, _ in p.mlm.corpora for code in languages]
    return labelled, text


def _check_names(cells: Sequence[Cell]) -> None:
    """Refuse different cells that the results could not tell apart: a table names them without their keys."""
    named: dict[Cell, str] = {}
    for cell in cells:
        if named.setdefault(replace(cell, key=""), cell.key) != cell.key:
            raise UserError(
                f"several cells of {cell.target}, {cell.data.language}, would be called {cell.perturbation} with "
                f"severity {cell.severity:g}: of joined perturbations the largest severity names a cell",
                where="perturb",
                hint="give joined perturbations one severity each, largest ones that differ, or a study each",
            )


def _applies(perturb: Perturb, task: Task, language: str) -> bool:
    return (perturb.targets is None or task.name in perturb.targets) and (
        perturb.languages is None or language in perturb.languages
    )


def _protections(perturb: Perturb, task: Task) -> list[str]:
    """The protections that mean something for a task: answers for span QA, entities for NER."""
    fitting = (
        {"none"} | ({"answers"} if task.kind == "span" else set()) | ({"entities"} if task.group == "ner" else set())
    )
    return [p for p in perturb.protect if p in fitting] or ["none"]


def count_examples(plan: Plan) -> int:
    """Examples that all cells predict, clean and perturbed."""
    return sum(examples_of(c.data) for c in plan.cells)


def no_cells(plan: Plan) -> UserError:
    return UserError("the study has no cell to evaluate", where="targets", hint="name targets and languages")
