"""A step: a pure function of its inputs, named by a key.

The key is the SHA-256 of the canonical JSON of (kind, version, parameters, data fingerprints, keys
of its inputs). What is part of a step's identity is declared, never guessed; labels, groups and
costs are not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

JSON = Any


def canonical(value: JSON) -> str:
    """Canonical JSON: sorted keys, no white space, UTF-8, NaN refused."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: JSON) -> str:
    """The SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    `kind` says which function runs it and `version` is raised when that function's result changes;
    `inputs` maps the role of an input to its step's key. `group`: steps of one group share a model
    and run together in one worker. `cost` is estimated work (tokens, or 0 if negligible). `context`
    says where things are found (folders, hub ids); like label, group and cost it is not in the key.
    """

    kind: str
    version: int
    params: Mapping[str, JSON]
    data: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    group: str = ""
    cost: float = 0.0
    context: Mapping[str, JSON] = field(default_factory=dict)

    @cached_property
    def key(self) -> str:
        return digest(
            {
                "kind": self.kind,
                "version": self.version,
                "params": dict(self.params),
                "data": dict(self.data),
                "inputs": dict(self.inputs),
            }
        )

    def __hash__(self) -> int:
        return hash(self.key)

    def to_json(self) -> dict[str, JSON]:
        return {
            "kind": self.kind,
            "version": self.version,
            "params": dict(self.params),
            "data": dict(self.data),
            "inputs": dict(self.inputs),
            "label": self.label,
            "group": self.group,
            "cost": self.cost,
            "context": dict(self.context),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Step:
        return cls(**value)


class Graph(Mapping[str, Step]):
    """Steps by key, checked when it is built: every input exists and there is no cycle.

    Iterates in topological order (inputs first), stable in the order of the steps given.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        given = {s.key: s for s in steps}
        self._steps: dict[str, Step] = {}
        for step in given.values():
            self._add(step, given, ())

    def _add(self, step: Step, given: Mapping[str, Step], trail: tuple[str, ...]) -> None:
        if step.key in self._steps:
            return
        if step.key in trail:
            raise ValueError(f"cycle through {step.label or step.kind}")
        for role, key in step.inputs.items():
            if key not in given:
                raise ValueError(f"{step.label or step.kind}: input {role!r} is no step of the graph")
            self._add(given[key], given, (*trail, step.key))
        self._steps[step.key] = step

    def __getitem__(self, key: str) -> Step:
        return self._steps[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)
