"""What a task is: a declaration, one file a task, found by the registry `TASKS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crosswind.data.examples import Example, Kind, Pool
from crosswind.data.files import Files
from crosswind.registry import Registry


@dataclass(frozen=True)
class Content:
    """What a reader returns: examples in official order, and the pool of a retrieval task."""

    examples: tuple[Example, ...]
    pool: Pool | None = None


FileReader = Callable[[Files, str, str], Content]
"""(files, language, split) -> Content. Errors name file and line."""


@dataclass(frozen=True)
class HubSource:
    """Where a task lives on the Hugging Face hub.

    `config` and the values of `splits` may hold `{language}`; `splits` maps our split names to the
    hub's. `convert` turns the rows (dicts in the hub's schema) into examples whose ids equal those
    that the file reader gives. Hub ids move: a failed download names this declaration.
    """

    repo: str
    splits: Mapping[str, str]
    convert: Callable[[Iterable[Mapping[str, Any]], str, str], Content]  # (rows, language, split)
    config: str | None = "{language}"
    revision: str = "main"


@dataclass(frozen=True)
class Task:
    """A data set with its kind, languages, splits, sources, metric, licence and citation.

    `group` is what counts as the same task for exposure (`nli`, `paraphrase`, `qa`, `pos`, …) and
    `related` the groups that come near to it; `trains_on` is the task whose English data its target
    phase is trained on by default; `perturbed` names the text fields that perturbations may rewrite
    (`choices` stands for all of them, `pool` for the candidates of a retrieval task whose language
    under test is the pool's).
    """

    name: str
    kind: Kind
    summary: str
    group: str
    languages: tuple[str, ...]
    splits: tuple[str, ...]
    files: FileReader
    metric: str
    perturbed: tuple[str, ...]
    labels: tuple[str, ...] = ()
    hub: HubSource | None = None
    counts: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (language, split) -> examples
    trains_on: str | None = None
    related: tuple[str, ...] = ()
    source_language: str = "en"
    licence: str = ""
    citation: str = ""


TASKS: Registry[Task] = Registry("task", "crosswind.tasks", "crosswind.tasks", Task)
