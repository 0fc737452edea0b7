"""A kind of step: one file that declares itself.

A kind says what its parameters are, how a step runs, what it needs of a machine and what it costs. Which fields of the
parameters belong to the signature of a result is said at the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import TypeAdapter

from crosswind.registry import Registry
from crosswind.run.step import JSON, Frozen, Step

if TYPE_CHECKING:
    from crosswind.run.job import Job, Worker

P = TypeVar("P")

UNSIGNED = "unsigned"  # the key of a field's metadata under which it says why it is not signed


@dataclass(frozen=True)
class Needs:
    """What a unit of work asks of a machine: cores, GPUs, memory (MiB; 0: unknown) and time (seconds; 0: unknown)."""

    cpus: int = 1
    gpus: int = 0
    memory: int = 0
    seconds: float = 0.0

    def joined(self, other: Needs) -> Needs:
        """What two steps that run one after another need."""
        return Needs(
            max(self.cpus, other.cpus),
            max(self.gpus, other.gpus),
            max(self.memory, other.memory),
            self.seconds + other.seconds,
        )


def unsigned(reason: str, default: Any = MISSING) -> Any:
    """A field of parameters that is no part of a result's signature, and why."""
    metadata = {UNSIGNED: reason}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def device_needs(params: Any) -> Needs:
    """One core, and a GPU where the parameters' `device` is one: the needs of kinds that compute with a model."""
    return Needs(gpus=1 if params.device.startswith("cuda") else 0)


@dataclass(frozen=True)
class StepKind(Generic[P]):
    """A declaration.

    `params` is a frozen dataclass of plain data. A field at its default is left out of the key, so that a setting can
    be added without losing what a store holds; `version` is raised when a default or a result changes. `run` fills the
    job's draft and may return what it found (a score), for the display. `inherits` names the inputs whose signature
    this kind's result has too. `droppable` are patterns of files that can be removed and made again.
    """

    name: str
    version: int
    params: type[P]
    run: Callable[[Job[P], Worker], str | None]
    needs: Callable[[P], Needs] = lambda params: Needs()
    cost: Callable[[P], float] = lambda params: 0.0
    inherits: tuple[str, ...] = ()
    droppable: tuple[str, ...] = ()

    @cached_property
    def _adapter(self) -> TypeAdapter[P]:
        return TypeAdapter(self.params)

    def dump(self, params: P) -> dict[str, JSON]:
        """Parameters as JSON, without fields at their default."""
        value: dict[str, JSON] = self._adapter.dump_python(params, mode="json", exclude_defaults=True)
        return value

    def load(self, value: Mapping[str, JSON]) -> P:
        """The parameters that `dump` wrote."""
        return self._adapter.validate_python(dict(value))

    @cached_property
    def _shared(self) -> Callable[[P], tuple[Frozen, float]]:
        """Parameters as JSON with their cost, made once for all steps that have the same."""
        return lru_cache(maxsize=4096)(lambda params: (Frozen(self.dump(params)), self.cost(params)))

    def step(
        self,
        params: P,
        *,
        data: Mapping[str, str] | None = None,
        inputs: Mapping[str, str] | None = None,
        label: str = "",
        affinity: str = "",
    ) -> Step:
        """A step of this kind."""
        dumped, cost = self._shared(params)
        return Step(self.name, self.version, dumped, data or {}, inputs or {}, label, affinity, cost)

    def signed(self, params: P) -> dict[str, JSON]:
        """The signed fields of parameters and of dataclasses in them, those at their default too."""
        return _signed(params)


STEPS: Registry[StepKind[Any]] = Registry("step kind", "crosswind.steps", "crosswind.steps", StepKind)


def _signed(value: Any) -> dict[str, JSON]:
    signature: dict[str, JSON] = {}
    for part in fields(value):
        if UNSIGNED in part.metadata:
            continue
        content = getattr(value, part.name)
        if hasattr(content, "__dataclass_fields__"):
            signature |= _signed(content)
        elif isinstance(content, tuple):
            signature[part.name] = ",".join(map(str, content)) or None
        else:
            signature[part.name] = content
    return signature
