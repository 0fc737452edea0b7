"""How a run ended: what was done, what was there already, what failed and why."""

from __future__ import annotations

import traceback as tracebacks
from dataclasses import dataclass, field
from typing import Any

from crosswind.errors import UserError
from crosswind.run.folders import FULL, disk_refusal
from crosswind.run.manifests import Unavailable


@dataclass(frozen=True)
class Failure:
    """Why a step failed; `traceback` is there when the fault is ours.

    `mistake`: the user can mend it. `lacking` is the key of an input that is damaged in the store or gone from it.
    """

    message: str
    traceback: str | None = None
    mistake: bool = False
    lacking: str = ""

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure that an exception is."""
        if isinstance(error, UserError):
            return cls(str(error), mistake=True)
        if isinstance(error, Unavailable):
            return cls(str(error), lacking=error.key)
        refusal = disk_refusal(error)
        if refusal is not None and refusal.errno in FULL:
            name = f"{refusal.filename}: " if refusal.filename else ""
            return cls(f"{name}{refusal.strerror}")
        text = "".join(tracebacks.format_exception(error))
        return cls(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, text)

    def to_json(self) -> list[Any]:
        """Its fields, in order."""
        return [self.message, self.traceback, self.mistake, self.lacking]


class StepFailed(Exception):  # noqa: N818
    """What was asked for was not made; the text says why, and the fault is neither the user's nor this program's."""


@dataclass
class Outcome:
    """What became of the steps of a run, by key; `cached` were wanted and there already.

    `there` are all steps of the graph that were there before, wanted or not.

    `skipped` gives the reason: the failed step that it needs.
    """

    done: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    failed: dict[str, Failure] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, later: Outcome) -> None:
        """Take over how a later round of the same run ended."""
        self.done.extend(later.done)
        self.failed |= later.failed
        self.skipped |= later.skipped

    @property
    def complete(self) -> bool:
        """Whether every wanted step was published."""
        return not self.failed and not self.skipped

    @property
    def mistaken(self) -> bool:
        """Whether all that failed did so by mistakes that the user can mend."""
        return bool(self.failed) and all(failure.mistake for failure in self.failed.values())
