"""Reviews of a run: named questions with evidence. One file a review, which declares itself.

A review passes, fails, or has nothing to say of a run (`passed` is None). The result is the list with its counts; a
score of ten is derived from them, and never stands alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswind.analysis.contrast import PRIMARY
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.summary import Summary
from crosswind.registry import Registry
from crosswind.study.joined import RunResults


@dataclass(frozen=True)
class AuditedRun:
    """What a review looks at: the run's rows and provenance, its summary, the study as written, and what each of its
    runs kept for its reviews (`study.kept`)."""

    run: RunResults
    summary: Summary
    study: Mapping[str, Any]
    kept: Sequence[Mapping[str, Any]] = field(default_factory=list)

    @property
    def primary(self) -> list[Contrast]:
        """The contrasts of the primary family."""
        return [c for c in self.summary.contrasts if c.family == PRIMARY]

    def facts(self, what: str) -> dict[str, str]:
        """A factor of every route that has it."""
        factors = self.run.analysed.facts.factors
        return {route: said[what] for route, said in factors.items() if what in said}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a review saw: whether the run passes (None: nothing to say), and the evidence."""

    passed: bool | None
    evidence: str


@dataclass(frozen=True)
class Review:
    """A declaration: the question that it asks of a run, and how it looks."""

    name: str
    question: str
    look: Callable[[AuditedRun], Shown]


REVIEWS: Registry[Review] = Registry("review", "crosswind.study.audit", "crosswind.reviews", Review)


@dataclass(frozen=True)
class Audit:
    """Every review with what it shows."""

    seen: Mapping[str, Shown]

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many passed, failed, and had nothing to say."""
        values = [seen.passed for seen in self.seen.values()]
        return values.count(True), values.count(False), values.count(None)

    @property
    def score(self) -> float | None:
        """The share of reviews that passed, of those that had something to say, in tenths."""
        passed, failed, _ = self.counts
        return 10 * passed / (passed + failed) if passed + failed else None

    def to_json(self) -> dict[str, Any]:
        """The reviews, their counts and the score."""
        passed, failed, silent = self.counts
        return {
            "reviews": [
                {"name": name, "question": REVIEWS[name].question, "passed": seen.passed, "evidence": seen.evidence}
                for name, seen in self.seen.items()
            ],
            "passed": passed,
            "failed": failed,
            "nothing to say": silent,
            "score of ten": self.score,
        }


def audit_of(run: AuditedRun) -> Audit:
    """Every review of a run."""
    return Audit({review.name: review.look(run) for review in REVIEWS})


def kept_list(value: object) -> list[Any]:
    """A list that a run kept; an empty one for anything else."""
    return value if isinstance(value, list) else []


def several(names: Sequence[str], most: int = 5) -> str:
    """Names for a sentence, the first few."""
    shown = ", ".join(names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
