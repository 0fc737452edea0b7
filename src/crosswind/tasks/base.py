"""What a task is: a declaration, one file a task, found by the registry `TASKS`; text corpora likewise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from crosswind.data.examples import Kind
from crosswind.data.files import Files
from crosswind.data.source import Content, FileLayout, Generated, HubSource, Portion, TextLines
from crosswind.registry import Registry
from crosswind.tasks.faults import KnownFault

__all__ = ["CORPORA", "TASKS", "Content", "Corpus", "FileLayout", "HubSource", "Task", "classes"]


@dataclass(frozen=True)
class Task:
    """A data set with its kind, languages, splits, sources, metric, licence and citation.

    `group` is what counts as the same task for exposure (`nli`, `paraphrase`, `qa`, `pos`, …) and
    `related` the groups that come near to it; `trains_on` is the task whose English data its target
    phase is trained on by default; `perturbed` names the text fields that perturbations may rewrite
    (`choices` stands for all of them, `pool` for the candidates of a retrieval task whose language
    under test is the pool's). `across` is for a task whose pool spans languages: the layout for a
    given choice of pool languages (`files` uses all). `context_languages` are those that the passages of
    a question may be in beside its own, and `crossed` the layout for one of them; with `cross_only` every other one
    of them is a test set (of a question's own language there is none). `counts` are the
    official numbers of examples, checked when a whole split is read, and `release` names the release of the data that
    they are of, where there are several (a hub source may have another, with counts of its own).
    `query_length` is the length in tokens that queries are cut to (None: that of all texts), `max_length` that of all
    rows (None: the kind's). `search` says what is asked of a retrieval task: a ranking of the pool for each query, or
    the pairs of translations `mined` out of queries and pool. `shared_pool` says that every language and split has
    the same pool, which selecting rows leaves whole. `generated`
    makes the examples of the microworld's tasks, which have no files.
    `machine_translated` are the splits that a machine translated from the source language into the others.
    `open_labels` says that the tags are those of the training data, as `labels` is empty then (CCG's supertags).
    `aliases` are other spellings of labels in the official files, and the labels that they stand for; `numbered` says
    that these files write labels as their numbers from 0.
    `metrics` name the registered metrics that judge it, the headline first. `submission` names the
    format of its official submission files, if it has any; `unanswerable` says that a question may
    have no answer.
    `faults` are what is known to be wrong with its test set.
    Files of the user's own that are `like` it are read by what follows: `columns` names the columns of a
    table and the fields of an example that they fill, in the order of a file without header; `questions`
    what a name in the field `question` asks. `declaration` is the canonical JSON of a task that was declared
    as data, and `codes` its languages as its files write them -> as they are: both are part of its fingerprints.
    """

    name: str
    kind: Kind
    summary: str
    group: str
    languages: tuple[str, ...]
    splits: tuple[str, ...]
    files: FileLayout
    metrics: tuple[str, ...]
    perturbed: tuple[str, ...]
    labels: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    hub: HubSource | None = None
    # (language, split) or (language, context language, split) -> examples
    counts: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    trains_on: str | None = None
    related: tuple[str, ...] = ()
    source_language: str = "en"
    licence: str = ""
    citation: str = ""
    across: Callable[[tuple[str, ...]], FileLayout] | None = None
    context_languages: tuple[str, ...] = ()
    crossed: Callable[[str], FileLayout] | None = None
    cross_only: bool = False
    query_length: int | None = None
    max_length: int | None = None
    search: Literal["ranked", "mined"] = "ranked"
    shared_pool: bool = False
    numbered: bool = False
    open_labels: bool = False
    machine_translated: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    questions: Mapping[str, str] = field(default_factory=dict)
    declaration: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)

    def size(self, portion: Portion) -> int | None:
        """The official number of examples, as far as it is declared."""
        context = portion.context_language
        pair = (portion.language,) if context in (None, portion.language) else (portion.language, context)
        return self.counts.get((*pair, portion.split))

    generated: Generated | None = None
    faults: tuple[KnownFault, ...] = ()
    submission: str = ""
    unanswerable: bool = False
    release: str = ""

    @property
    def metric(self) -> str:
        """The headline metric: the first of `metrics`."""
        return self.metrics[0]


@dataclass(frozen=True)
class Corpus:
    """Raw (`text`) or parallel lines for masked- and translation-LM training.

    `languages` are the codes it can be read in. `generated` makes the lines of the microworld's
    corpora from (languages, seed, lines of each language). `version` is raised when `read` gives other lines for the
    same bytes; it is part of the fingerprint.
    """

    name: str
    kind: Literal["text", "parallel"]
    summary: str
    languages: tuple[str, ...]
    locate: Callable[[Files, tuple[str, ...]], tuple[Path, ...]]
    read: Callable[[tuple[Path, ...], tuple[str, ...]], TextLines]
    licence: str = ""
    citation: str = ""
    generated: Callable[[tuple[str, ...], int, int], TextLines] | None = None
    version: int = 1


def kept_texts(task: Task) -> frozenset[str]:
    """The texts that stay in English in every language: COPA's two questions (XTREME-R's XCOPA input)."""
    return frozenset(task.questions.values())


def classes(task: Task) -> tuple[str, ...]:
    """What a task's head distinguishes: the classes of pairs, the tags; a choice's or a span's head has none."""
    return tuple(task.labels) if task.kind in ("pair", "tagging") else ()


TASKS: Registry[Task] = Registry(
    "task", "crosswind.tasks.declared", "crosswind.tasks", Task, reads="crosswind.tasks.own:own_task"
)
CORPORA: Registry[Corpus] = Registry("corpus", "crosswind.tasks.declared", "crosswind.tasks", Corpus)
