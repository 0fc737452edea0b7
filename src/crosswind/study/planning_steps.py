"""The steps of a study that know no model: data, what perturbations make of them, translations; and where things lie.

A key names everything that a step depends on, so what two routes, seeds or studies share is computed once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, assert_never

from crosswind.analysis.left_out import LeftOut
from crosswind.data.source import Source
from crosswind.errors import UserError
from crosswind.evaluate.purify import PURIFIERS, parse_purifier
from crosswind.perturb.constraint import CONSTRAINTS, constraint_resources, written_constraints
from crosswind.perturb.extent import EVERYTHING, Extent
from crosswind.perturb.lexicons import MICROWORLD_LEXICONS, environment_of, oracle_sources
from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.perturb.perturbation import PERTURBATIONS, Environment
from crosswind.perturb.spec import Spec, TextScope
from crosswind.reading import expanded
from crosswind.registry import Registry, included
from crosswind.run.executors import Executor
from crosswind.run.folders import file_hash
from crosswind.run.kinds import STEPS
from crosswind.run.machine import Hardware
from crosswind.run.step import Frozen, Graph, Step
from crosswind.steps.attack import WIDTHS
from crosswind.steps.cells import CORRECTS, CellParams
from crosswind.steps.perturbing import CONSTRAINED
from crosswind.steps.rewrite import REWRITE, SEVERITY, RewriteParams
from crosswind.steps.translate import TRANSLATE
from crosswind.steps.tune import TUNE, TuneParams
from crosswind.study.base import BaseEncoder, base_encoder
from crosswind.study.defences import purify_prints
from crosswind.study.encoders import encoder_fingerprint, place_of
from crosswind.study.oracle import oracle_notes
from crosswind.study.own import declare_tasks, own_settings
from crosswind.study.planned import Evaluated, EvaluatedModel
from crosswind.study.spec import Study
from crosswind.study.translation import Translation
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import open_data
from crosswind.tasks.refs import DataRef


def lexicons_of(study: Study) -> str | None:
    """The folder of bilingual lexicons; a relative one lies below `data.root` if it is there.

    The microworld brings its own, which `microworld` names as well (a folder of that name is written with its parent).
    """
    if study.lexicons is None:
        return MICROWORLD_LEXICONS if study.data.source == "microworld" else None
    if str(study.lexicons) == MICROWORLD_LEXICONS:
        return MICROWORLD_LEXICONS
    folder = expanded(study.lexicons, "lexicons")
    below = (expanded(study.data.root, "data.root") / folder) if study.data.root else folder
    return str((below if below.is_dir() else folder).absolute())


class StepPlanner:
    """Plans the steps that a study's cells share; `add` knows every step once."""

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
        self._widths: dict[str, int] = {}
        self._specs: dict[str, str] = {}  # of rewrites, by key: perturbations that say where data lie, as written
        self._fingerprints: dict[DataRef, str] = {}
        self._translators: dict[str, dict[str, str | None]] = {}  # of translations, by key: where their models lie
        self._models: dict[str, str] = {}  # models that perturbations need: as they name them, and where they lie
        self._roles: dict[str, str] = {}  # the part of such a model, by the name of what it is to do and its print
        self._resources = lru_cache(maxsize=None)(lambda spec, scope: spec.resources(scope))
        self._refusal = lru_cache(maxsize=None)(lambda spec, scope, extent, kind: extent.refusal(spec, scope, kind))
        self._declared = lru_cache(maxsize=None)(_declared)
        self._rewrite = lru_cache(maxsize=None)(self._rewritten)
        self._read = lru_cache(maxsize=None)(self._printed)
        self._print_of = lru_cache(maxsize=None)(encoder_fingerprint)
        self._origin = lru_cache(maxsize=None)(STEPS.origin)

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
            WIDTHS: self._widths,
            "models": self._models,
            "roles": self._roles,
            "excluded": self._excluded,
            "translators": self._translators,
            **self.base.context,
        }
        return Graph(self._steps.values(), context)

    def note(self, text: str) -> None:
        """Tell the reader of the results."""
        self._notes[text] = None

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
        self.note_oracle(spec)
        noise: dict[str, Any] = {
            "ref": data,
            "perturbation": tuple((atom.identity, atom.severity) for atom in spec.atoms),
            "draw": draw,
            "fields": scope.fields,
            "protection": protection,
            "needs": tuple(needs),
            "constraints": tuple(c.identity for c in extent.constraints),
        }
        prints |= {f"resource {name}": value for name, value in self._resources(spec, scope).items()}
        prints |= constraint_resources(extent.constraints, scope)
        prints |= self._declared(TASKS, data.task)
        for constraint in extent.constraints:
            prints |= self._declared(CONSTRAINTS, constraint.name)
        for atom in spec.atoms:
            prints |= self._declared(PERTURBATIONS, atom.name)
        label = f"{extent.label(spec)} on {data.name}"
        affinity = f"rewrites {task.name}"
        located = any(atom.condition != str(atom) for atom in spec.atoms)
        constraints = written_constraints(extent.constraints)
        if extent.damage is not None:
            tuned = TuneParams(**noise, axis=extent.damage.axis, value=extent.damage.value)
            step = TUNE.step(tuned, data=prints, inputs=dict(inputs), label=f"severity of {label}", affinity=affinity)
            inputs[SEVERITY] = self.add(step)
            if located:
                self._specs[inputs[SEVERITY]] = str(spec)
            if constraints:
                self._specs[CONSTRAINED + inputs[SEVERITY]] = constraints
        params = RewriteParams(**noise, suite=extent.suite or None)
        key = self.add(REWRITE.step(params, data=prints, inputs=inputs, label=label, affinity=affinity))
        if located:
            self._specs[key] = str(spec)
        if constraints:
            self._specs[CONSTRAINED + key] = constraints
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

    def note_oracle(self, spec: Spec) -> None:
        """Note the tables of a spec that were derived from test text."""
        for text in oracle_notes(folder for atom in spec.atoms for folder in atom.folders):
            self.note(text)

    def declared_by(self, registry: Registry[Any], name: str) -> Mapping[str, str]:
        """The hash of a declaration of the user's, for the keys of what depends on it."""
        declared: Mapping[str, str] = self._declared(registry, name)
        return declared

    def write_as(self, key: str, text: str) -> None:
        """Remember how a step's perturbation or recipe was written where that says where data lie."""
        self._specs[key] = text

    def attack_at_once(self, key: str, width: int) -> None:
        """Remember how many examples an attack's step has at once, which is no part of its key."""
        self._widths[key] = width

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

    @property
    def asks_hub(self) -> bool:
        """Whether some data of the study lie on the hub, so that reading them may download them."""
        return "hub" in {self.study.data.source, *(d.source for d in self.study.data.tasks.values())}

    def fingerprint(self, ref: DataRef) -> str:
        """The fingerprint of data; in a dry plan `unresolved` where the hub does not answer."""
        if ref not in self._fingerprints:
            self._fingerprints[ref] = self._resolved(lambda: ref.fingerprint(self.source), ref.task)
        return self._fingerprints[ref]

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
                ref = DataRef(*need.for_text(data.task, data.language, data.split))
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
                        hint="name another model, or say that they are one, with victim=same beside model=…",
                    )
                prints[f"{need.role} model"] = print_of_model
                self._roles[f"{need.role} model {print_of_model}"] = need.source
                self._models[need.source] = place_of(need.source)
            case _:
                assert_never(need)

    def _prints(self, model: EvaluatedModel, ref: DataRef) -> Mapping[str, str]:
        prints: Mapping[str, str] = self._read(model.key is None, ref)
        return prints

    def _purified(self, prints: Mapping[str, str], reading: CellParams) -> Mapping[str, str]:
        """The fingerprints with those of the input defences."""
        if not reading.purify:
            return prints
        declared: dict[str, str] = {}
        calls = [parse_purifier(text) for text in reading.purify]
        for i, call in enumerate(calls):
            declared |= self._declared(PURIFIERS, call.purifier)
            if call.model:
                role = f"{CORRECTS} model" if len(calls) == 1 else f"{CORRECTS} ({i + 1}) model"
                declared[role] = print_of_model = self._print_of(call.model)
                self._roles[f"{role} {print_of_model}"] = call.model
                self._models[call.model] = place_of(call.model)
        ref, task = reading.ref, TASKS[reading.ref.task]
        languages = {ref.language: None, ref.context_language or ref.language: None}
        if task.kind == "query":
            languages |= dict.fromkeys(ref.pool_languages or (task.source_language,))
        for language in languages:
            declared |= purify_prints(calls, language, self.words)
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

    def _resolved(self, ask: Callable[[], str], name: str) -> str:
        try:
            return ask()
        except UserError as error:
            if not self.dry or not self.asks_hub:
                raise
            self.note(f"{name} is not resolved: {error.what}")
        return "unresolved"


def _declared(registry: Registry[Any], name: str) -> dict[str, str]:
    """The hash of a declaration that came from a folder of the user's: an edited one must not find old results."""
    origin = registry.origin(name)
    return {} if origin is None else {f"declared {registry.kind} {name}": origin}
