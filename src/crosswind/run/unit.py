"""A unit: what an executor carries. Self-contained JSON, run by any process that reaches the store."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Any

from crosswind.registry import declare, include
from crosswind.run.job import Inputs, Job, Worker
from crosswind.run.kinds import STEPS
from crosswind.run.machine import cpu_model
from crosswind.run.outcome import Failure
from crosswind.run.progress import Reporter
from crosswind.run.step import JSON, Step
from crosswind.run.store import Draft

LIBRARIES = ("crosswind", "torch", "transformers", "tokenizers", "numpy")


@dataclass(frozen=True)
class Unit:
    """Steps that run in one worker, in this order.

    `inputs` are the keys that must be in the store before; `context` says where things lie; units of one `affinity`
    share a model, which a worker keeps from one unit to the next.
    """

    steps: tuple[Step, ...]
    inputs: tuple[str, ...]
    context: Mapping[str, JSON]
    affinity: str = ""

    @classmethod
    def of(cls, steps: tuple[Step, ...], context: Mapping[str, JSON]) -> Unit:
        """A unit of these steps, with the inputs that they do not make themselves."""
        keys = {step.key for step in steps}
        inputs = dict.fromkeys(key for step in steps for key in step.inputs.values() if key not in keys)
        return cls(steps, tuple(inputs), context, steps[0].affinity)

    def to_json(self) -> dict[str, JSON]:
        """One line of JSON."""
        return {
            "steps": [step.to_json() for step in self.steps],
            "inputs": list(self.inputs),
            "context": dict(self.context),
            "affinity": self.affinity,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Unit:
        """The unit of such a line."""
        steps = tuple(Step.from_json(step) for step in value["steps"])
        return cls(steps, tuple(value["inputs"]), value["context"], value["affinity"])


@dataclass(frozen=True)
class Done:
    """How a unit ended.

    `published` are the keys that are in the store now, `failures` those whose computation failed. `lost`: the worker
    died or vanished, and `running` is the step that it ran then, if that is known; `reason` says how it died.
    """

    handle: str
    published: tuple[str, ...] = ()
    failures: Mapping[str, Failure] = field(default_factory=dict)
    lost: bool = False
    running: str | None = None
    reason: str = ""
    node: str = ""
    seconds: float = 0.0

    def to_json(self) -> dict[str, JSON]:
        """One line of JSON."""
        failures = {key: failure.to_json() for key, failure in self.failures.items()}
        return {**self.__dict__, "published": list(self.published), "failures": failures}

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Done:
        """What such a line says."""
        failures = {key: Failure(*parts) for key, parts in value["failures"].items()}
        return cls(**{**value, "published": tuple(value["published"]), "failures": failures})


def run_unit(unit: Unit, worker: Worker, events: Reporter, handle: str = "") -> Done:
    """Run the missing steps of a unit in order; a step that fails loses those of the unit that need it."""
    begun = monotonic()
    failures: dict[str, Failure] = {}
    lost: set[str] = set()
    try:
        for folder in unit.context.get("include", ()):
            include(Path(folder))
        declare(unit.context.get("declared", {}))
        worker.begin(unit.steps, unit.context)
    except Exception as error:
        failures = {step.key: Failure.of(error) for step in unit.steps}
    for step in unit.steps if not failures else ():
        if not lost.isdisjoint(step.inputs.values()):
            lost.add(step.key)
            continue
        events.started(step.key)
        try:
            note = _produce(step, unit, worker, events)
        except (Exception, SystemExit) as error:
            failures[step.key] = Failure.of(error)
            lost.add(step.key)
        else:
            events.finished(step.key, note or "")
    published = tuple(step.key for step in unit.steps if worker.store.has(step.key))
    return Done(handle, published, failures, node=platform.node(), seconds=monotonic() - begun)


def _produce(step: Step, unit: Unit, worker: Worker, events: Reporter) -> str | None:
    kind = STEPS[step.kind]
    if kind.version != step.version:
        raise RuntimeError(f"{step.kind} is version {kind.version} here, and the plan has version {step.version}")
    params: Any = kind.load(step.params)
    worker.start(step)
    with worker.store.produce(step) as draft:
        if draft is None:
            return None
        job = Job(
            step,
            params,
            Inputs(step, worker.store),
            unit.context,
            draft,
            worker.store.partial(step.key),
            lambda done, total, note: events.advanced(step.key, done, total, note),
        )
        note = kind.run(job, worker)
        _sign(draft, kind, job)
        draft.meta["hardware"] = {**hardware(), **draft.meta.get("hardware", {})}
    return note


def _sign(draft: Draft, kind: Any, job: Job[Any]) -> None:
    """The signature of a result: what it inherits, its own signed parameters, what the run found."""
    signature: dict[str, JSON] = {}
    for role in kind.inherits:
        if role in job.inputs:
            for name, value in job.inputs[role].facts.get("signature", {}).items():
                if signature.get(name, value) == value:
                    signature[name] = value
                else:
                    signature[f"{role}_{name}"] = value
    for name, value in kind.signed(job.params).items():
        if value is None:
            continue
        if name in signature and signature[name] != value:
            signature[f"trained_{name}"] = signature[name]
        signature[name] = value
    signature |= draft.meta.get("signature", {})
    draft.meta["signature"] = {name: value for name, value in sorted(signature.items()) if value is not None}


@lru_cache(maxsize=1)
def hardware() -> dict[str, JSON]:
    """What results may depend on besides their key: the processor, the versions of libraries, threads."""
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "cpu": cpu_model(),
        "python": platform.python_version(),
        "versions": versions,
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0") or 0) or None,
    }
