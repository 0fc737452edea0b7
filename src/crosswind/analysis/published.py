"""Published results, and a run beside them where the protocols can be compared.

The figures are in `published.yaml`: what papers or their authors state, each with its source and the grade of the
evidence. A figure is compared with the run's only if both are of the same test set, whole, by the same metric and after
training of the same sort; otherwise the reason is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Literal, get_args

import numpy as np
import polars as pl

from crosswind.analysis.condition import APART
from crosswind.analysis.official import official_scores, official_split
from crosswind.analysis.results import CLEAN, NONE, is_translate_train
from crosswind.errors import UserError, unknown
from crosswind.evaluate.metrics.base import parse_signature
from crosswind.plain_yaml import parse_yaml_value
from crosswind.tasks.base import TASKS

Evidence = Literal["paper_full_text", "paper_abstract", "author_repository", "citing_paper_full_text"]
"""How near the source is to the work: the paper, its authors' repository, another paper that quotes it."""
Protocol = Literal[
    "zero-shot",
    "intermediate",
    "untuned",
    "retrieval-tuned",
    "adapters",
    "translate-train",
    "translate-test",
    "attack",
    "human",
    "other",
]
"""How a score came about: trained on English data of the task alone; on an intermediate task before; not at all; …"""
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)
MEAN = "mean"
"""Where a figure is over a benchmark's languages of the task."""
_RELEASES = {"udpos": "UD 2.5"}  # of the data of XTREME, which the published means of these tasks are of
_BENCHMARKS = ("xtreme", "xtreme-r")  # whose means are compared, the first that has the task


@dataclass(frozen=True)
class PublishedResult:
    """A figure of a source: `where` is a language, `mean` or what the source calls it; `value` in points.

    `task` and `key` are ours, empty where no run of ours has such a figure: then `what` is the source's words.
    """

    title: str
    arxiv: str
    table: str
    evidence: Evidence
    model: str
    setting: str
    protocol: Protocol
    split: str
    task: str
    key: str
    where: str
    value: float | str
    note: str = ""
    what: str = ""

    @property
    def source(self) -> str:
        """The source in short."""
        parts = [
            self.title[:60],
            f"arXiv {self.arxiv}" if self.arxiv else "",
            f"table {self.table}" if self.table else "",
        ]
        return ", ".join(part for part in parts if part)


@lru_cache(maxsize=1)
def published_results() -> tuple[PublishedResult, ...]:
    """Every figure, in the order of the file."""
    text = (resources.files("crosswind.analysis") / "published.yaml").read_text(encoding="utf-8")
    return tuple(result for entry in parse_yaml_value(text, "published.yaml") for result in _results(entry))


def _results(entry: Mapping[str, Any]) -> Iterator[PublishedResult]:
    source = entry["source"]
    shared: dict[str, Any] = {
        "title": str(source["title"]),
        "arxiv": str(source.get("arxiv") or ""),
        "table": str(source.get("table") or ""),
        **{name: entry[name] for name in ("evidence", "model", "setting", "protocol")},
        "split": str(entry.get("split") or ""),
        "note": str(entry.get("note") or ""),
    }
    for name, values in (entry.get("scores") or {}).items():
        task, _, key = name.partition(" ")
        for where, value in values.items():
            yield PublishedResult(**shared, task=task, key=key, where=str(where), value=float(value))
    for what, value in (entry.get("other") or {}).items():
        yield PublishedResult(**shared, task="", key="", where="", value=value, what=str(what))


@dataclass(frozen=True)
class SetBeside:
    """A score of a run beside a published one, both in points."""

    encoder: str
    route: str
    defence: str
    score: float
    published: PublishedResult

    @property
    def difference(self) -> float:
        """The run's score minus the published one."""
        return self.score - float(self.published.value)


@dataclass(frozen=True)
class Comparison:
    """What could be compared, and how many published figures could not, by the reason; `notes` are for the reader."""

    rows: tuple[SetBeside, ...]
    reasons: Mapping[str, int]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Everything as plain data."""
        rows = [
            {
                "encoder": row.encoder,
                "route": row.route,
                "defence": row.defence,
                "score": row.score,
                "difference": row.difference,
                **{name: getattr(row.published, name) for name in row.published.__dataclass_fields__},
            }
            for row in self.rows
        ]
        return {"compared": rows, "not_compared": dict(self.reasons), "notes": list(self.notes)}


@dataclass(frozen=True)
class Trained:
    """What a study says of how the scores of its routes and targets came about.

    `protocols` is by route (None: not known, for the checkpoint was trained elsewhere); `parts` names, by target, what
    keeps its training from being that of the whole English training set.
    """

    protocols: Mapping[str, Protocol | None]
    parts: Mapping[str, str] = field(default_factory=dict)


def compare_published(rows: pl.DataFrame, trained: Trained, protocol: Protocol | None = None) -> Comparison:
    """The clean scores of a table of results beside the published ones of the same task, key and languages.

    `protocol` is what the user says of a checkpoint whose training this study does not know. Intervals are
    not compared: published figures have none.
    """
    if protocol is not None and protocol not in PROTOCOLS:
        raise unknown("protocol", protocol, PROTOCOLS, where="--protocol")
    usual = (pl.col("perturbation") == CLEAN) & (pl.col("attack") == NONE) & ~pl.col("selection").is_in(APART)
    clean = rows.filter(usual & pl.col("score").is_not_null())
    compared: list[SetBeside] = []
    reasons: dict[str, int] = {}
    models = clean.select("encoder", "route", "defence").unique(maintain_order=True).rows()
    if not models:
        raise UserError("there is no clean result to compare")
    for encoder, route, defence in models:
        part = clean.filter(
            (pl.col("encoder") == encoder) & (pl.col("route") == route) & (pl.col("defence") == defence)
        )
        means = _means(part)
        for result in published_results():
            value = _score(part, means, result, trained, trained.protocols.get(route) or protocol, defence)
            if isinstance(value, str):
                reasons[value] = reasons.get(value, 0) + 1
            else:
                compared.append(SetBeside(encoder, route, defence, value, result))
    return Comparison(tuple(compared), dict(sorted(reasons.items(), key=lambda item: -item[1])), _notes(compared))


def _means(rows: pl.DataFrame) -> dict[tuple[str, str], tuple[float, tuple[str, ...]]]:
    """(task, key) -> the official mean over the benchmark's languages and what it lacks, of XTREME before XTREME-R."""
    means: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
    for benchmark in reversed(_BENCHMARKS):
        for score in official_scores(rows):
            if score.benchmark == benchmark and score.score is not None:
                means[score.name, score.key] = (score.score, score.lacking)
    return means


def _score(
    rows: pl.DataFrame,
    means: Mapping[tuple[str, str], tuple[float, tuple[str, ...]]],
    result: PublishedResult,
    trained: Trained,
    protocol: Protocol | None,
    defence: str,
) -> float | str:
    """The run's score of the same thing, or why there is none that could be compared."""
    if not result.task:
        return "the source states a difference, an average or another measure that a run does not have"
    of_task = rows.filter(pl.col("target") == result.task)
    if of_task.is_empty():
        return f"the run has no {result.task}"
    if result.task not in TASKS:
        return f"{result.task} is no task here"
    chosen = _official_rows(of_task, result)
    if isinstance(chosen, str):
        return chosen
    if reason := _other_protocol(chosen, result, trained, protocol, defence):
        return reason
    if result.where == MEAN:
        if (result.task, result.key) not in means:
            return f"{result.task}: the run has no mean of {result.key} over the benchmark's languages"
        value, lacking = means[result.task, result.key]
        return f"{result.task}: {'; '.join(lacking)}" if lacking else value
    seeds = chosen.filter(pl.col("language") == result.where)
    if seeds.is_empty():
        return f"{result.task}: the run has no {result.where}"
    return float(np.mean(seeds["score"].to_numpy()))


def _official_rows(of_task: pl.DataFrame, result: PublishedResult) -> pl.DataFrame | str:
    """The rows of the task's own metric on the whole split that the source evaluates, or what they are instead."""
    metric = TASKS[result.task].metric
    same = of_task.filter((pl.col("metric") == metric) & (pl.col("key") == result.key))
    if same.is_empty():
        return f"{result.task}: the run has no {result.key} by {metric}"
    split = result.split or official_split(result.task)
    on_split = same.filter(pl.col("split") == split)
    if on_split.is_empty():
        return f"{result.task}: the source evaluates {split}, the run {', '.join(sorted(same['split'].unique()))}"
    whole = on_split.filter(pl.col("rows") == "all")
    if whole.is_empty():
        return f"{result.task}: the run has rows {', '.join(sorted(on_split['rows'].unique()))} alone"
    release = _RELEASES.get(result.task)
    others = {parse_signature(s).get("release") for s in whole["signature"].unique()} - {release}
    if release is not None and others:
        return f"{result.task}: published on {release}, the run is on {', '.join(str(x) for x in others)}"
    if result.where not in (MEAN,) and len(result.where) > 3:
        return f"{result.task}: the source's {result.where} languages are no official list"
    return whole.filter((pl.col("context_language") == "") | (pl.col("context_language") == pl.col("language")))


def _other_protocol(
    rows: pl.DataFrame, result: PublishedResult, trained: Trained, protocol: Protocol | None, defence: str
) -> str | None:
    """How the run's training differs from the source's; None where it is of the same sort."""
    source = TASKS[result.task].source_language
    labelled = rows.filter(pl.col("language") != source)["exposure"].to_list()
    trained_as: Protocol | None = protocol
    if any(is_translate_train(exposure) for exposure in labelled):
        trained_as = "translate-train"
    elif set(rows["selection"].unique()) == {"untuned"} and protocol == "zero-shot":
        trained_as = "untuned"
    if trained_as is None:
        return "what the checkpoint was trained on is not known here: say it with --protocol"
    if trained_as != result.protocol:
        return f"{result.task}: published {result.protocol}, the run is {trained_as}"
    if part := trained.parts.get(result.task):
        return f"{result.task}: {part}"
    if defence != NONE:
        return f"{result.task}: the run trains with the defence {defence}"
    return None


def _notes(compared: Sequence[SetBeside]) -> tuple[str, ...]:
    notes = ["Published figures are single numbers of other hyper-parameters and seeds: a difference is no verdict."]
    if any(row.published.evidence == "citing_paper_full_text" for row in compared):
        notes.append("Evidence citing_paper_full_text: the figure was read in another paper that quotes it.")
    return (*notes, *dict.fromkeys(f"{r.published.source}: {r.published.note}" for r in compared if r.published.note))
