"""How a run ended: what was done, what was there already, what failed and why."""

from __future__ import annotations

import traceback as tracebacks
from dataclasses import dataclass, field

from crosswind.errors import UserError


@dataclass(frozen=True)
class Failure:
    """Why a step failed; `traceback` is there when the fault is not the user's."""

    message: str
    traceback: str | None = None

    @classmethod
    def of(cls, error: BaseException) -> Failure:
        """The failure that an exception is."""
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
        """Whether every wanted step was published."""
        return not self.failed and not self.skipped
