"""How a run ended: what was done, what was there already, what failed and why."""

from __future__ import annotations

import traceback as tracebacks
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from crosswind.errors import UserError
from crosswind.run.progress import Reporter
from crosswind.run.step import Step
from crosswind.run.store import Draft, Store


@dataclass(frozen=True)
class Failure:
    """Why a step failed; `traceback` is there when the fault is not the user's."""

    message: str
    traceback: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        if isinstance(error, UserError):
            return cls(str(error))
        text = "".join(tracebacks.format_exception(error))
        return cls(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__, text)


@dataclass
class Outcome:
    """What became of the steps of a run, by key; `cached` were wanted and there already.

    `skipped` gives the reason: the failed step that it needs.
    """

    done: list[str] = field(default_factory=list)
    cached: list[str] = field(default_factory=list)
    failed: dict[str, Failure] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return not self.failed and not self.skipped


def produce_each(
    steps: Sequence[Step], store: Store, reporter: Reporter, compute: Callable[[Step, Draft], str | None]
) -> dict[str, Failure]:
    """Produce the missing ones of a group's steps in order, for an executor's entry function.

    `compute` fills the draft of one step and may return what it found (a score) for the display.
    When a step fails, those of the group that need it are left out and the others go on.
    """
    failures: dict[str, Failure] = {}
    lost: set[str] = set()
    for step in steps:
        if not lost.isdisjoint(step.inputs.values()):
            lost.add(step.key)
            continue
        reporter.started(step.key)
        note = None
        try:
            with store.produce(step) as draft:
                if draft is not None:
                    note = compute(step, draft)
        except Exception as error:
            failures[step.key] = Failure.of(error)
            lost.add(step.key)
        else:
            reporter.finished(step.key, note or "")
    return failures
