"""Attacking what is no checkpoint: a function of the user's, or a model behind an address.

What is finished is kept, so that the same call goes on where it was broken off.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from filelock import FileLock, Timeout

from crosswind.analysis.attacked import AttackedExample, AttackedSet, AttackLine, attack_line
from crosswind.attack.cosine import cosine_note, cosines_of
from crosswind.attack.endpoint import Endpoint, address_shown, is_address
from crosswind.attack.goal import BINARY
from crosswind.attack.recipe import (
    AttackSetting,
    Call,
    constraints_of,
    needed_spec,
    parse_recipe,
    require_restarts,
    unattackable,
)
from crosswind.attack.run import (
    AttackBudget,
    Report,
    attack_examples,
    attack_notes,
    outcome_table,
    perturbed_by,
)
from crosswind.attack.runner import engine_rules
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import Dataset
from crosswind.errors import UserError, unknown
from crosswind.evaluate.metrics.base import METRICS
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.constraint import constraint_resources, parse_constraints, refusal_of
from crosswind.perturb.example import check_protection
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.perturb.perturbed import PerturbedDataset
from crosswind.run.folders import check_writable
from crosswind.run.progress import duration
from crosswind.run.step import digest
from crosswind.run.store import Store
from crosswind.steps.attack import ATTACK
from crosswind.study.attacked import AttackedModel, convincing, similarities
from crosswind.study.encoders import encoder_fingerprint
from crosswind.study.needed import NeedsMet
from crosswind.study.oracle import folders_drawn_on, oracle_notes
from crosswind.study.planning_steps import lexicons_of
from crosswind.study.resolve import targets
from crosswind.study.spec import Study
from crosswind.study.stages.attack import AttackSpec, attack_name
from crosswind.study.submitted import study_data
from crosswind.study.victim_code import code_of
from crosswind.study.victim_folder import FINISHED, VictimAttack, write_attack
from crosswind.tasks.base import Task, classes
from crosswind.tasks.refs import DataRef, Library


def is_victim(model: str) -> bool:
    """Whether a model is an address, or a function: `FILE.py:NAME`."""
    return is_address(model) or ".py:" in model


@dataclass(frozen=True)
class _Task:
    dataset: Dataset
    setting: AttackSetting
    ref: DataRef
    data: Library


@dataclass(frozen=True)
class _Made:
    """What an attack of a task came to, with what the victim said before and after.

    `identity` and `asked` are as in `VictimAttack`.
    """

    name: str
    attacked: AttackedSet
    perturbed: PerturbedDataset
    before: tuple[Prediction, ...]
    after: tuple[Prediction, ...]
    notes: list[str]
    identity: str
    asked: str


def timed(log: Callable[[str], None], *, quiet: bool, every: float = 5.0) -> Report:
    """Says how far an attack is, every few seconds, with the time left."""
    begun = said = time.monotonic()

    def report(done: int, total: int, note: str) -> None:
        nonlocal said
        now = time.monotonic()
        if not quiet and now - said >= every:
            left = duration((now - begun) / done * (total - done)) if done else "some time"
            log(f"{done} of {total} examples, {note}, {left} left")
            said = now

    return report


class VictimAttacks:
    """Attacks on a victim, a function or an address, on the targets of a study.

    `folder` gets what they leave (`victim_folder.py`) and keeps what is finished. Without it what is finished is kept
    in the `store` until all is done, so that an attack that was broken off goes on either way.
    """

    def __init__(
        self, model: str, study: Study, spec: AttackSpec, store: Store, folder: Path | None, report: Report, rate: float
    ) -> None:
        if folder is not None:
            check_writable(folder)
        self.model, self.study, self.spec = model, study, spec
        self.store, self.folder, self.report, self.rate = store, folder, report, rate
        self.victim_name = address_shown(model) if is_address(model) else Path(model).name
        self.call = parse_recipe(spec.recipe, where="--recipe").limited_to(spec.fields, "--fields")
        self.constraints = parse_constraints(spec.constraints, where="--constraint")
        if self.call.declaration.pool is not None:
            hint = "attack a checkpoint with it, or the queries with another recipe"
            raise UserError(
                "it adds candidates to a pool, which this victim does not show", where="--recipe", hint=hint
            )
        if self.call.declaration.access == "gradient":
            hint = "attack it with a recipe that needs scores alone, or attack the checkpoint itself"
            raise UserError("the victim gives no gradients, and this recipe needs them", where="--recipe", hint=hint)
        self.environment = environment_of(lexicons_of(study))
        self.data = study_data(study, None)
        self._needs = NeedsMet()
        self._unfinished: list[str] = []  # keys in the store

    def run(self, most: int) -> AttackedModel:
        """The figures of every target and language, with at most `most` examples of each.

        What the recipe cannot attack is left out with a note. Raises a `UserError` where that is all, before anything
        is asked, where another call attacks into the same folder, and for a victim that fails or gives no predictions:
        the next call goes on.
        """
        with self._alone():
            return self._run(most)

    def _run(self, most: int) -> AttackedModel:
        lines: list[AttackLine] = []
        shown: list[AttackedExample] = []
        left_out = self._left_out()
        notes: dict[str, None] = {f"{name} is left out: {reason}": None for name, reason in left_out.items()}
        for target in targets(self.study):
            predict = _predictions_of(self.model, target.task.name, self.rate)
            for ref in target.data:
                if ref.name in left_out:
                    continue
                task = self._task(target.task, ref)
                metric = METRICS[target.task.metric]
                named_classes = classes(target.task)
                victim = PredictingVictim(
                    predict,
                    metric,
                    classes=len(named_classes),
                    tags=named_classes,
                    aliases=target.task.aliases,
                    name=self.victim_name,
                )
                if target.task.kind in ("pair", "choice"):
                    order = ", ".join(named_classes) or "of each example's options"
                    notes[f"{self.victim_name}: its scores of {target.task.name} are read in the order {order}."] = None
                drawn = self.spec.control and not self.call.control and not self.call.declaration.blind
                named = self.call.named_for(target.task.kind)
                calls = [named, *([named.counterpart()] if drawn else [])]
                made = [self._attacked(victim, call, task) for call in calls]
                first, control = made[0], made[1].attacked if drawn else None
                binary = target.task.kind in BINARY
                of = len(self.data.dataset(ref.undrawn))
                line = attack_line(
                    target.task.name, ref.language, first.attacked, metric, binary=binary, of=of, control=control
                )
                lines.append(line)
                notes |= dict.fromkeys(note for one in made for note in one.notes)
                ids = [e.id for e in task.dataset.examples]
                before, after = (dict(zip(ids, some, strict=True)) for some in (first.before, first.after))
                shown += convincing(target.task, task.dataset, first.perturbed, first.attacked, before, after, most)
                for one in made:
                    self._write(one, task, line.to_json() if one is first else None)
        for key in self._unfinished:
            with self.store.lock(key):
                shutil.rmtree(self.store.partial(key), ignore_errors=True)
        return AttackedModel(tuple(lines), tuple(shown), tuple(notes))

    def _left_out(self) -> dict[str, str]:
        """The data that the recipe cannot attack, and why."""
        every = [(target.task, ref) for target in targets(self.study) for ref in target.data]
        settings = [(ref.name, self.call.setting(task, ref.language, self.environment)) for task, ref in every]
        reasons = {name: reason for name, one in settings if (reason := unattackable(self.call, one)) is not None}
        if reasons and len(reasons) == len(settings):
            hint = "crosswind list recipes --matrix shows what each attacks"
            raise UserError(next(iter(reasons.values())), where="--recipe", hint=hint)
        return reasons

    def _task(self, task: Task, ref: DataRef) -> _Task:
        most = self.spec.examples
        query = task.kind == "query"
        chosen = replace(ref, sample=most) if query else replace(ref, limit=min(most, ref.limit or most))
        setting = self.call.setting(task, ref.language, self.environment)
        require_restarts(self.call, setting, self.spec.restarts, "--restarts")
        limits = (*self.constraints, *constraints_of(self.call, setting))
        if reason := refusal_of(limits, setting.scope(self.call.declaration.attacked(setting))):
            raise UserError(reason, where="--constraint", hint="leave it out, or attack another language")
        return _Task(self.data.dataset(chosen), setting, chosen, self.data)

    def _attacked(self, victim: PredictingVictim, call: Call, task: _Task) -> _Made:
        dataset, setting, spec = task.dataset, task.setting, self.spec
        name = attack_name(call, spec, self.constraints)
        alternatives = needed_spec(call, setting)
        scope = setting.scope(call.declaration.attacked(setting))
        needs = alternatives.needs(scope)
        limits = (*self.constraints, *constraints_of(call, setting))
        judging = [need for c in limits for need in c.needs()]
        models = [encoder_fingerprint(need.source) for need in (*needs, *judging) if isinstance(need, ModelNeed)]
        resolved, judges = (self._met(some, task) for some in (needs, judging))
        asked = [*self._victim(), dataset.fingerprint, task.ref.to_json()]
        identity = digest(
            [
                *asked,
                "+".join(atom.identity for atom in alternatives.atoms),
                alternatives.resources(scope),
                models,
                [c.identity for c in limits],
                constraint_resources(limits, scope),
                name,
                str(call.chosen_search(setting)),
                ATTACK.version,
                spec.budget,
                spec.protect,
                *engine_rules(limits, spec.restarts).items(),
            ]
        )
        notes: list[str] = []
        with self._finished(identity) as finished:
            if finished.exists() and finished.stat().st_size:
                note = f"{name} on {task.ref.name}: what an earlier call had finished was not attacked again."
                notes.append(f"{note} {_kept_for(self.model)}")
            outcomes = attack_examples(
                victim,
                dataset.examples,
                call,
                setting,
                AttackBudget(spec.budget, spec.restarts, spec.seed, spec.width),
                resolved=resolved | judges,
                protect=check_protection(spec.protect),
                metric=victim.metric,
                constraints=[c.made(judges) for c in self.constraints],
                finished=finished,
                report=self.report,
            )
        perturbed = perturbed_by(dataset, outcomes)
        similar = cosines_of(call, setting, dataset.examples, outcomes, self.constraints, judges)
        examples = [p.example for p in perturbed.examples]
        again = victim(examples)
        before, after = victim(dataset.examples).predictions, again.predictions
        clean = victim.metric.judge(dataset.examples, before, {})
        attacked = AttackedSet(
            name,
            spec.budget,
            outcome_table(outcomes, similar),
            clean.clusters,
            clean.statistics,
            victim.metric.judge(examples, after, {}).statistics,
            similarities(dataset.examples, perturbed),
        )
        other = sum(o.right != right for o, right in zip(outcomes, again.right.tolist(), strict=True))
        if other:
            notes.append(
                f"{name} on {task.ref.name}: of {other:,} of {len(outcomes):,} texts the victim said another thing "
                "when it was asked again. Its answers are not always the same: scores are of the second time, success "
                "of the first."
            )
        notes += oracle_notes(folders_drawn_on(alternatives, self.environment))
        notes += attack_notes(call, setting, task.ref.name, outcomes)
        if said := cosine_note(call, similar):
            notes.append(said)
        if any(isinstance(need, ModelNeed) and need.role.startswith("masked-lm") for need in resolved):
            notes.append(
                f"{call.name}: nobody can tell whether the masked language model that proposes shares its weights with "
                f"{victim.name}."
            )
        return _Made(name, attacked, perturbed, before, after, notes, identity, digest(asked))

    def _victim(self) -> list[str]:
        """What tells a victim from others: an address, or where a function's file lies, its name, and its code."""
        if is_address(self.model):
            return [self.model]
        path, _, name = self.model.rpartition(":")
        return [str(Path(path).resolve()), name, code_of(Path(path))]

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Held while the folder is written: two calls would ask twice and append to one file of what is finished."""
        if self.folder is None:
            yield
            return
        finished = self.folder / FINISHED
        finished.mkdir(parents=True, exist_ok=True)
        try:
            lock = FileLock(finished / "lock").acquire(timeout=0)
        except Timeout:
            hint = "wait for it, or name another folder with --out"
            where = str(self.folder)
            raise UserError("another attack writes into this folder", where=where, hint=hint) from None
        with lock:
            yield

    @contextmanager
    def _finished(self, identity: str) -> Iterator[Path]:
        """The file of the outcomes that are there already, and of those to come."""
        if self.folder is not None:
            yield self.folder / FINISHED / f"{identity[:24]}.jsonl"
            return
        with self.store.lock(identity):
            self._unfinished.append(identity)
            yield self.store.partial(identity) / "finished.jsonl"

    def _met(self, needs: Iterable[Need], task: _Task) -> dict[Need, Any]:
        def data(need: DataNeed) -> Dataset:
            return task.data.dataset(DataRef(*need.for_text(task.ref.task, task.ref.language, task.ref.split)))

        needed = tuple(needs)
        resolved = self._needs.of(needed, data)
        for need in needed:
            if need not in resolved and isinstance(need, StepNeed):
                raise UserError(
                    f"{self.call.recipe} needs what the step {need.kind} makes",
                    where="--recipe",
                    hint="attack a checkpoint with it, or name the files that it would make",
                )
        return resolved

    def _write(self, one: _Made, task: _Task, figures: Mapping[str, Any] | None) -> None:
        if self.folder is None:
            return
        spec = self.spec
        named = self.victim_name, task.ref, one.name, spec.budget, spec.protect
        about = VictimAttack(*named, self.study, one.identity, one.asked)
        write_attack(self.folder, about, one.perturbed, one.attacked.outcomes, one.before, one.after, figures)


def _predictions_of(model: str, task: str, rate: float) -> Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]]:
    """What predicts: an address, or the function NAME of FILE.py, whose code is run."""
    if is_address(model):
        return Endpoint(model, task, rate=rate)
    path, _, name = model.rpartition(":")
    file = Path(path)
    if not file.is_file():
        raise UserError(f"no file {path!r}", where="MODEL", hint="FILE.py:NAME names a function of a Python file")
    module = ModuleType(file.stem)
    module.__file__ = str(file)
    try:
        exec(compile(file.read_bytes(), str(file), "exec", dont_inherit=True), vars(module))
    except (Exception, SystemExit) as error:
        hint = "the file does not run: mend it"
        raise UserError(f"{type(error).__name__}: {error}", where=str(file), hint=hint) from error
    functions = {n: v for n, v in vars(module).items() if callable(v) and not n.startswith("_")}
    if name not in functions:
        raise unknown("function", name, functions, where=str(file))
    function: Callable[[Sequence[Any]], Sequence[Mapping[str, Any]]] = functions[name]

    def predict(examples: Sequence[Any]) -> Sequence[Mapping[str, Any]]:
        try:
            return function(examples)
        except (Exception, SystemExit) as error:
            line = next((f.lineno for f in reversed(extract_tb(error.__traceback__)) if f.filename == str(file)), 0)
            hint = "run it again: what is finished is kept, unless the file is edited (it is another victim then)"
            raise UserError(f"{name}: {type(error).__name__}: {error}", where=f"{file}:{line}", hint=hint) from error

    return predict


def _kept_for(model: str) -> str:
    """What of a victim was the same for what is kept, and what may have changed unseen."""
    if is_address(model):
        return "What answers at the address may have changed since: in a new folder (--out) all is attacked anew."
    return (
        "The function's file and the modules of yours that it imports are as they were; installed packages, data and "
        "weights may have changed since: in a new folder (--out) all is attacked anew."
    )
