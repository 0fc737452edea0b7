"""A step: a pure function of its inputs, named by a key.

The key is the SHA-256 of the canonical JSON of (kind, version, parameters, data fingerprints, keys of its inputs).
What is part of a step's identity is declared, never guessed. Labels, costs and affinities are not part of it, and
neither is where things lie: that is the graph's context.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from json.encoder import encode_basestring
from typing import Any

JSON = Any

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: JSON) -> str:
    """Canonical JSON: sorted keys, no white space, UTF-8, NaN refused."""
    return _ENCODER.encode(value)


def digest(value: JSON) -> str:
    """The SHA-256 of a value's canonical JSON, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


class Frozen(dict[str, JSON]):
    """JSON that many steps share and nobody changes: its canonical text is made once."""

    @cached_property
    def text(self) -> str:
        """Its JSON."""
        return canonical(self)


def _text(value: Mapping[str, JSON]) -> str:
    return value.text if isinstance(value, Frozen) else canonical(value)


def _flat(value: Mapping[str, str]) -> str:
    """Canonical JSON of texts by name."""
    if isinstance(value, Frozen):
        return value.text
    return "{" + ",".join(f"{encode_basestring(k)}:{encode_basestring(value[k])}" for k in sorted(value)) + "}"


@dataclass(frozen=True)
class Step:
    """One step of a plan.

    `kind` names the declaration that runs it (`kinds.STEPS`), `version` is that declaration's. `params` are its
    typed parameters as JSON, without those at their default. `data` maps a name to the fingerprint of data that is
    read, `inputs` the role of an input to its step's key. Steps of one `affinity` share something costly, such as a
    model: they run in one worker where that keeps nobody waiting. `cost` is estimated work (tokens, or 0).
    """

    kind: str
    version: int
    params: Mapping[str, JSON]
    data: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    label: str = ""
    affinity: str = ""
    cost: float = 0.0

    @cached_property
    def key(self) -> str:
        """The hash of all that its result depends on."""
        # The canonical JSON of these five, put together from parts that many steps share.
        text = (
            f'{{"data":{_flat(self.data)},"inputs":{_flat(self.inputs)},"kind":{encode_basestring(self.kind)},'
            f'"params":{_text(self.params)},"version":{self.version}}}'
        )
        return hashlib.sha256(text.encode()).hexdigest()

    def __hash__(self) -> int:
        return hash(self.key)

    def to_json(self) -> dict[str, JSON]:
        """The step as JSON; what is empty is left out."""
        value: dict[str, JSON] = {"kind": self.kind, "version": self.version, "params": self.params}
        for name in ("data", "inputs", "label", "affinity", "cost"):
            if content := getattr(self, name):
                value[name] = content
        return value

    @classmethod
    def from_json(cls, value: Mapping[str, JSON]) -> Step:
        """The step of a unit's JSON; its key is computed anew."""
        return cls(**value)


class Graph(Mapping[str, Step]):
    """Steps by key, checked when it is built: every input exists and there is no cycle.

    Iterates in topological order (inputs first), stable in the order of the steps given. `context` says where things
    are found (folders, hub ids, lexicons); it is JSON, the same for all steps, and part of no key.
    """

    def __init__(self, steps: Iterable[Step], context: Mapping[str, JSON] | None = None) -> None:
        self.context: Mapping[str, JSON] = context or {}
        given = {s.key: s for s in steps}
        self._steps: dict[str, Step] = {}
        entered: set[str] = set()
        for start in given.values():
            pending = [start]
            while pending:
                step = pending[-1]
                if step.key in self._steps:
                    pending.pop()
                    continue
                missing = [_input(given, step, role) for role in step.inputs]
                waiting = [s for s in missing if s.key not in self._steps]
                if not waiting:
                    self._steps[step.key] = pending.pop()
                    continue
                if step.key in entered:
                    raise ValueError(f"cycle through {step.label or step.kind}")
                entered.add(step.key)
                pending.extend(reversed(waiting))

    def __getitem__(self, key: str) -> Step:
        return self._steps[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)


def _input(given: Mapping[str, Step], step: Step, role: str) -> Step:
    try:
        return given[step.inputs[role]]
    except KeyError:
        raise ValueError(f"{step.label or step.kind}: input {role!r} is no step of the graph") from None
