"""What a perturbation needs beside the text: part of the plan, resolved before anything is perturbed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataNeed:
    """A data set, whole, whatever rows of it are perturbed: translations, other articles, donors.

    `None` stands for the language, split or task of the text itself. It resolves to a `Dataset`.
    """

    role: str
    language: str | None = None
    split: str | None = None
    task: str | None = None

    @property
    def absent(self) -> str:
        """Why it is not there where nobody resolved it."""
        return "which lines of text do not bring"

    def for_text(self, task: str, language: str, split: str) -> tuple[str, str, str]:
        """Task, language and split of the data set, for a text of these."""
        return self.task or task, self.language or language, self.split or split


@dataclass(frozen=True, slots=True)
class StepNeed:
    """What a step makes (a lexicon, an alignment). It resolves to the path of the step's folder."""

    role: str
    kind: str
    params: tuple[tuple[str, str | int | float | bool | None], ...] = ()

    @property
    def absent(self) -> str:
        """Why it is not there where nobody resolved it."""
        return f"which a step of a study makes ({self.kind})"


@dataclass(frozen=True, slots=True)
class ModelNeed:
    """A model. It resolves to the place that `source` (a hub's id, a path) was found in."""

    role: str
    source: str

    @property
    def absent(self) -> str:
        """Why it is not there where nobody resolved it."""
        return f"a model ({self.source}), which is not loaded here"


Need = DataNeed | StepNeed | ModelNeed
