"""Mixtures: several tasks under one head, declared and registered like tasks; found by the registry `MIXTURES`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.data.examples import Kind
from crosswind.errors import UserError
from crosswind.registry import Registry
from crosswind.tasks.base import TASKS, Task, classes


@dataclass(frozen=True)
class Mixture:
    """Tasks whose training data are joined under one head, as ANLI+ (Phang et al. 2020, section 2.1).

    `members` name tasks of one kind that tell the same classes apart, in order. `caps` are the most examples that a
    member's training split gives, in whole clusters (the member's `limit`); a member without one gives all.
    """

    name: str
    summary: str
    members: tuple[str, ...]
    caps: Mapping[str, int] = field(default_factory=dict)
    citation: str = ""

    def tasks(self) -> tuple[Task, ...]:
        """The members' declarations; a `UserError` where they cannot share a head."""
        where = f"mixture {self.name}"
        if self.name in TASKS:
            raise UserError(f"there is a task {self.name!r} already", where=where, hint="give the mixture another name")
        if not self.members or len(set(self.members)) < len(self.members):
            raise UserError("its members are none, or one is named twice", where=where, hint="name each task once")
        tasks = tuple(TASKS.get(name, where=where) for name in self.members)
        for name in self.caps:
            if name not in self.members:
                raise UserError(f"the cap of {name!r} is of no member", where=where, hint=", ".join(self.members))
        first = tasks[0]
        for task in tasks[1:]:
            if (task.kind, classes(task)) != (first.kind, classes(first)) or task.open_labels != first.open_labels:
                raise UserError(
                    f"{task.name} ({_head(task)}) cannot share a head with {first.name} ({_head(first)})",
                    where=where,
                    hint="members are of one kind and have the same labels in the same order",
                )
        return tasks

    def cap(self, member: str, split: str) -> int | None:
        """The most examples of a member's split; only training data are capped."""
        return self.caps.get(member) if split.startswith("train") else None

    @property
    def kind(self) -> Kind:
        """The kind of all members."""
        return self.tasks()[0].kind

    @property
    def licence(self) -> str:
        """The members' licences."""
        return "; ".join(f"{task.name}: {task.licence}" for task in self.tasks() if task.licence)


def _head(task: Task) -> str:
    labels = ", ".join(classes(task))
    return f"{task.kind}: {labels}" if labels else task.kind


def own_mixture(
    name: str,
    declared: Mapping[str, Any],
    mixtures: Mapping[str, Mixture],
    origins: Mapping[str, str | None] | None = None,
) -> Mixture:
    """The mixture that a study declares as data: `{members: [snli, mnli], caps: {mnli: 10000}}`."""
    where = f"mixtures.{name}"
    if name in mixtures:
        raise UserError(f"there is a mixture {name!r} already", where=where, hint="give yours another name")
    return Mixture(name, "a mixture of the study", tuple(declared["members"]), dict(declared.get("caps") or {}))


def members_of(name: str) -> tuple[str, ...]:
    """The tasks that a name stands for: a mixture's members, or the name itself."""
    return MIXTURES[name].members if name in MIXTURES else (name,)


MIXTURES: Registry[Mixture] = Registry(
    "mixture", "crosswind.tasks.declared", "crosswind.tasks", Mixture, reads="crosswind.tasks.mixture:own_mixture"
)
