"""What a step sees when it runs: its job, and the worker that outlives it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from crosswind.run.kinds import STEPS, P
from crosswind.run.step import JSON, Step
from crosswind.run.store import Draft, Store

V = TypeVar("V")


@dataclass(frozen=True)
class Artifact:
    """A published input: its folder, what made it, and the facts that its manifest records."""

    key: str
    kind: str
    params: Mapping[str, JSON]
    inputs: Mapping[str, str]
    path: Path
    facts: Mapping[str, JSON]


class Inputs(Mapping[str, Artifact]):
    """The inputs of a step by role; each is verified when it is first asked for."""

    def __init__(self, step: Step, store: Store) -> None:
        self._step, self._store = step, store
        self._artifacts: dict[str, Artifact] = {}

    def __getitem__(self, role: str) -> Artifact:
        if role not in self._artifacts:
            key = self._step.inputs[role]
            path = self._store.path(key)
            manifest = self._store.manifest(key)
            made = Step.from_json(manifest["step"])
            self._artifacts[role] = Artifact(key, made.kind, made.params, made.inputs, path, manifest["meta"])
        return self._artifacts[role]

    def __iter__(self) -> Iterator[str]:
        return iter(self._step.inputs)

    def __len__(self) -> int:
        return len(self._step.inputs)


@dataclass(frozen=True)
class PlannedJob(Generic[P]):
    """A step of the unit that can be looked at before it runs. `world` is the context: where things lie."""

    step: Step
    params: P
    inputs: Mapping[str, Artifact]
    world: Mapping[str, JSON]

    @property
    def data(self) -> Mapping[str, str]:
        """Name -> fingerprint of the data that the step reads."""
        return self.step.data


@dataclass(frozen=True)
class Job(PlannedJob[P]):
    """A step that runs: write files below `draft.path`, keep checkpoints in `partial`, tell `report` how far it is.

    `partial` survives a kill and is shared by every worker of the store; `report` takes (done, total, note).
    """

    draft: Draft
    partial: Path
    report: Callable[[float, float, str], None]

    def sign(self, name: str, value: JSON) -> None:
        """Add to the signature what only the run finds: rows cut, classes mapped."""
        self.draft.meta.setdefault("signature", {})[name] = value

    def note(self, text: str) -> None:
        """Say a sentence to whoever reads the results that depend on this step: answers moved, rows cut."""
        notes = self.draft.meta.setdefault("notes", [])
        if text not in notes:
            notes.append(text)

    def fact(self, name: str, value: JSON) -> None:
        """Record a fact in the manifest."""
        self.draft.meta[name] = value


class Worker:
    """What lives as long as the process: a bounded memory, and the further steps of the unit."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._memory: dict[str, OrderedDict[object, Any]] = {}
        self._unit: Sequence[Step] = ()
        self._world: Mapping[str, JSON] = {}
        self._started: set[str] = set()

    def get(self, group: str, name: object, make: Callable[[], V], *, most: int = 1) -> V:
        """The thing called `name`, made once while it is among the `most` last used ones of its group."""
        memory = self._memory.setdefault(group, OrderedDict())
        if name not in memory:
            while len(memory) >= most:
                memory.popitem(last=False)
            memory[name] = make()
        memory.move_to_end(name)
        thing: V = memory[name]
        return thing

    def begin(self, unit: Sequence[Step], world: Mapping[str, JSON]) -> None:
        """Forget the last unit, and know the steps of the next."""
        self._unit, self._world, self._started = unit, world, set()

    def planned(self, step: Step) -> PlannedJob[Any]:
        """A step of the unit, to look at."""
        return PlannedJob(step, STEPS[step.kind].load(step.params), Inputs(step, self.store), self._world)

    def start(self, step: Step) -> None:
        """Note that a step of the unit runs: it is no longer ahead."""
        self._started.add(step.key)

    def ahead(self, job: PlannedJob[P]) -> Iterator[PlannedJob[P]]:
        """The unit's further jobs of the same kind that are missing and whose inputs are all there."""
        for step in self._unit:
            if step.kind != job.step.kind or step.key in self._started or self.store.has(step.key):
                continue
            if all(self.store.has(key) for key in step.inputs.values()):
                yield self.planned(step)
