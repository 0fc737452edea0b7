"""Attacking what is no checkpoint: a function of the user's, or a model behind an address.

What is finished lies in the folder of the attack, so that the same call goes on where it was broken off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from crosswind.analysis.attacked import AttackedExample, AttackedSet, AttackLine, attack_line
from crosswind.attack.endpoint import Endpoint, is_address
from crosswind.attack.goal import BINARY
from crosswind.attack.recipe import AttackSetting, Call, constraints_of, needed_spec, parse_recipe
from crosswind.attack.run import AttackBudget, Report, attack_examples, attack_notes, outcome_table, perturbed_by
from crosswind.attack.victim import PredictingVictim
from crosswind.data.examples import Dataset
from crosswind.errors import UserError, unknown
from crosswind.evaluate.metrics.base import METRICS
from crosswind.perturb.constraint import constraint_resources, parse_constraints
from crosswind.perturb.example import check_protection
from crosswind.perturb.lexicons import environment_of
from crosswind.perturb.needs import DataNeed, ModelNeed, Need, StepNeed
from crosswind.run.folders import check_writable, file_hash
from crosswind.run.progress import duration
from crosswind.run.step import digest
from crosswind.study.attacked import AttackedModel, convincing, similarities
from crosswind.study.encoders import place_of
from crosswind.study.own import declare_tasks, own_settings
from crosswind.study.planning_steps import lexicons_of
from crosswind.study.resolve import targets
from crosswind.study.spec import Study
from crosswind.study.stages.attack import AttackSpec
from crosswind.tasks.base import classes
from crosswind.tasks.refs import DataRef, Library, library

FINISHED = "finished"  # the folder of what is finished, below that of the attack


def is_victim(model: str) -> bool:
    """Whether a model is an address, or a function: `FILE.py:NAME`."""
    return is_address(model) or ".py:" in model


@dataclass(frozen=True)
class _Task:
    dataset: Dataset
    setting: AttackSetting
    ref: DataRef
    data: Library


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


def attack_victim(
    model: str, study: Study, spec: AttackSpec, *, folder: Path, report: Report, rate: float = 0.0, most: int = 3
) -> AttackedModel:
    """Attack a function or an address on the targets of a study; see `read_attacks` for what is given.

    Raises a `UserError` for a victim that fails or gives no predictions; what was finished before is kept in `folder`.
    """
    check_writable(folder)
    declared = declare_tasks(study)
    data = library(own_settings(study, study.data.settings(), declared))
    environment = environment_of(lexicons_of(study))
    call = parse_recipe(spec.recipe, where="--recipe").limited_to(spec.fields, "--fields")
    if call.declaration.pool is not None:
        hint = "attack a checkpoint with it, or the queries with another recipe"
        raise UserError("it adds candidates to a pool, which this victim does not show", where="--recipe", hint=hint)
    if call.declaration.access == "gradient":
        hint = "attack it with a recipe that needs scores alone, or attack the checkpoint itself"
        raise UserError("the victim gives no gradients, and this recipe needs them", where="--recipe", hint=hint)
    lines: list[AttackLine] = []
    shown: list[AttackedExample] = []
    notes: dict[str, None] = {}
    for target in targets(study):
        predict = _predictions_of(model, target.task.name, rate)
        for ref in target.data:
            chosen = replace(ref, limit=min(spec.examples, ref.limit or spec.examples))
            if target.task.kind == "query":
                chosen = ref
            task = _Task(data.dataset(chosen), call.setting(target.task, ref.language, environment), chosen, data)
            metric = METRICS[target.task.metric]
            name = model if is_address(model) else Path(model).name
            victim = PredictingVictim(predict, metric, classes=len(classes(target.task)), name=name)
            sets: list[AttackedSet] = []
            drawn = spec.control and not call.control and not call.declaration.blind
            for one in [call, *([call.counterpart()] if drawn else [])]:
                made, perturbed, before, after, said = _attacked(victim, one, spec, task, folder, model, report)
                sets.append(made)
                notes |= dict.fromkeys(said)
                if one is call:
                    shown += convincing(target.task, task.dataset, perturbed, made, before, after, most)
            binary = target.task.kind in BINARY
            control = sets[1] if len(sets) > 1 else None
            lines.append(attack_line(target.task.name, ref.language, sets[0], metric, binary=binary, control=control))
    return AttackedModel(tuple(lines), tuple(shown), tuple(notes))


def _attacked(
    victim: PredictingVictim, call: Call, spec: AttackSpec, task: _Task, folder: Path, model: str, report: Report
) -> Any:
    dataset, setting = task.dataset, task.setting
    needed = needed_spec(call, setting)
    alternatives = "+".join(atom.identity for atom in needed.atoms)
    scope = setting.scope(call.declaration.attacked(setting))
    named = parse_constraints(spec.constraints, where="--constraint")
    limits = (*named, *constraints_of(call, setting))
    # What its name says of a constraint is in the identity already; its files, and a recipe's own limits, are not.
    versions = constraint_resources(limits, scope).items()
    resources = needed.resources(scope) | {k: v for k, v in versions if " " in k}
    resources |= {f"limit {c}": c.kind.version for c in constraints_of(call, setting)}
    identity = digest(
        [
            model,
            _code_of(model),
            dataset.fingerprint,
            alternatives,
            resources,
            task.ref.to_json(),
            call.name,
            spec.budget,
            spec.restarts,
            spec.seed,
            spec.protect,
            [c.identity for c in named] if any(c.identity != str(c) for c in named) else spec.constraints,
        ]
    )
    resolved = _resolved_needs(call, task)
    judged = {n: _loaded(n) for c in limits for n in c.needs()}
    resolved |= judged
    outcomes = attack_examples(
        victim,
        dataset.examples,
        call,
        setting,
        AttackBudget(spec.budget, spec.restarts, spec.seed, spec.width),
        resolved=resolved,
        protect=check_protection(spec.protect),
        metric=victim.metric,
        constraints=[c.made(judged) for c in named],
        finished=folder / FINISHED / f"{identity[:24]}.jsonl",
        report=report,
    )
    perturbed = perturbed_by(dataset, outcomes)
    examples = [p.example for p in perturbed.examples]
    before, after = victim(dataset.examples).predictions, victim(examples).predictions
    clean = victim.metric.judge(dataset.examples, before, {})
    attacked = victim.metric.judge(examples, after, {})
    made = AttackedSet(
        call.name,
        spec.budget,
        outcome_table(outcomes),
        clean.clusters,
        clean.statistics,
        attacked.statistics,
        similarities(dataset.examples, perturbed),
    )
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{task.ref.task}-{task.ref.language}-{_file_name(call.name)}-{spec.budget}"
    perturbed.table().write_parquet(folder / f"{stem}.rewrites.parquet")
    made.outcomes.write_parquet(folder / f"{stem}.outcomes.parquet")
    by_id = ({e.id: p for e, p in zip(dataset.examples, some, strict=True)} for some in (before, after))
    notes = attack_notes(call, setting, task.ref.name, outcomes)
    if any(isinstance(need, ModelNeed) and need.role.startswith("masked-lm") for need in resolved):
        notes.append(
            f"{call.name}: nobody can tell whether the masked language model that proposes shares its weights with "
            f"{victim.name}."
        )
    return made, perturbed, *by_id, notes


def _resolved_needs(call: Call, task: _Task) -> dict[Any, Any]:
    setting = task.setting
    resolved: dict[Any, Any] = {}
    for need in needed_spec(call, setting).needs(setting.scope(call.declaration.attacked(setting))):
        match need:
            case DataNeed():
                ref = task.ref
                wanted = DataRef(need.task or ref.task, need.language or ref.language, need.split or ref.split)
                resolved[need] = task.data.dataset(wanted)
            case ModelNeed():
                resolved[need] = _loaded(need)
            case StepNeed():
                raise UserError(
                    f"{call.recipe} needs what the step {need.kind} makes",
                    where="--recipe",
                    hint="attack a checkpoint with it, or name the files that it would make",
                )
    return resolved


def _loaded(need: Need) -> Any:
    """A model as alternatives and constraints are given it: what fills masks, aligns words, compares texts."""
    assert isinstance(need, ModelNeed)
    if need.role == "similarity":
        from crosswind.model.similarity import EncoderSimilarity

        return EncoderSimilarity(place_of(need.source))
    if need.role.startswith("masked-lm"):
        from crosswind.model.filling import EncoderFiller

        return EncoderFiller(place_of(need.source))
    from crosswind.model.subwords import encoder_aligner

    return encoder_aligner(place_of(need.source))


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
            hint = "what is finished is kept where --out says: mend the function and run it again"
            raise UserError(f"{name}: {type(error).__name__}: {error}", where=f"{file}:{line}", hint=hint) from error

    return predict


def _code_of(model: str) -> str:
    """The hash of a function's file: an edited one must not find what an earlier one gave."""
    return "" if is_address(model) else file_hash(Path(model.rpartition(":")[0]))


def _file_name(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_.+=,()" else "_" for c in text)
