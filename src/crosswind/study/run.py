"""Running a study: plan, check, execute, collect."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crosswind.analysis.summary import Summary
from crosswind.run.demand import needed
from crosswind.run.executors import EXECUTORS
from crosswind.run.folders import read_sealed, write_sealed
from crosswind.run.kinds import STEPS
from crosswind.run.loop import ROUNDS, run_graph
from crosswind.run.outcome import Outcome
from crosswind.run.progress import Reporter
from crosswind.run.step import digest
from crosswind.run.store import Store, Unavailable
from crosswind.steps.average import AVERAGE
from crosswind.steps.probe import try_checkpoint
from crosswind.study.clusters import lone_clusters
from crosswind.study.collect import Collected, collect
from crosswind.study.folder import open_folder
from crosswind.study.leakage import check_leakage, check_translations, translated_data
from crosswind.study.own import check_own_data
from crosswind.study.plan import make_plan
from crosswind.study.planned import Plan, no_cells
from crosswind.study.spec import Study
from crosswind.tasks.refs import library


@dataclass(frozen=True)
class Forecast:
    """What a run would do."""

    plan: Plan
    missing: list[str]


@dataclass(frozen=True)
class Finished:
    """How a run ended; `summary` is over the cells that are there (`None` if there are none).

    `notes` are what steps noted while they ran, `benchmarks` lines about the scores of benchmarks,
    `brief` fewer of them.
    """

    outcome: Outcome
    plan: Plan
    summary: Summary | None
    out: Path
    notes: tuple[str, ...] = ()
    benchmarks: tuple[str, ...] = ()
    brief: tuple[str, ...] = ()


def default_store() -> Path:
    """`CROSSWIND_STORE`, or a folder under the user's cache."""
    given = os.environ.get("CROSSWIND_STORE")
    cache = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else (Path(cache) if cache else Path.home() / ".cache") / "crosswind" / "store"


def forecast(study: Study, store: Store, executor: str = "local") -> Forecast:
    """The plan with what is missing in the store; reads no data but the user's own, to check them."""
    plan = make_plan(study, dry=True, executor=EXECUTORS.get(executor, where="--executor"))
    if not plan.cells:
        raise no_cells(plan)
    check_own_data(plan)
    return Forecast(plan, needed(plan.graph, plan.wanted, store))


def run_study(
    study: Study,
    *,
    out: Path,
    store: Store,
    reporter: Reporter,
    executor: str = "local",
    workers: int = 1,
) -> Finished:
    """Run what is missing, then write the results of every cell that is there into `out`.

    Raises `UserError` before anything is computed if the study cannot run or leaks.
    """
    engine = EXECUTORS.get(executor, where="--executor")
    plan = make_plan(study, executor=engine)
    if not plan.cells:
        raise no_cells(plan)
    checks = out / "logs" / "checks.json"  # what looking at the data found, for the report of a later call
    identity = digest(sorted(plan.graph))
    notes = _noted_before(checks, identity)
    missing = needed(plan.graph, plan.wanted, store)
    if notes is None or missing:
        data = library(plan.graph.context["data"])
        notes = check_leakage(plan, data) + lone_clusters(plan, data)
    plan.notes.extend(notes)
    try_checkpoint([plan.graph[key] for key in missing], plan.graph.context)
    with open_folder(out, study, plan.encoder), _named(out):
        write_sealed(checks, {"plan": identity, "notes": notes})
        begun = time.monotonic()

        def run(wanted: Sequence[str]) -> Outcome:
            return run_graph(plan.graph, wanted, store, engine, workers=workers, reporter=reporter, folder=out / "logs")

        def compute(wanted: Sequence[str]) -> Outcome:
            # What is translated is compared with the test sets before anything is trained on it.
            translated = needed(plan.graph, [key for _, key in translated_data(plan)], store)
            first = run(translated) if translated else None
            if first is not None:
                plan.notes.extend(check_translations(plan, library(plan.graph.context["data"]), store))
            outcome = run(wanted)
            if first is not None:
                outcome.done = [*dict.fromkeys([*first.done, *outcome.done])]
                outcome.cached = [key for key in outcome.cached if key not in set(outcome.done)]
                outcome.there = [key for key in outcome.there if key not in set(outcome.done)]
            _apply_keep(study, plan, store, outcome)
            return outcome

        def write(outcome: Outcome) -> Collected:
            return collect(study, plan, store, out, time.monotonic() - begun, computed=frozenset(outcome.done))

        outcome, collected = _collected(compute, write, plan.wanted, store)
        store.checked.save()
    return Finished(outcome, plan, collected.summary, out, collected.notes, collected.benchmarks, collected.brief)


@contextmanager
def _named(out: Path) -> Iterator[None]:
    """What the disk refuses is told with the run folder's name where the error has none."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None:
            error.filename = str(out)
        raise


def _collected(
    compute: Callable[[Sequence[str]], Outcome], write: Callable[[Outcome], Collected], wanted: list[str], store: Store
) -> tuple[Outcome, Collected]:
    """Compute and write the results; what turns out to be damaged or gone while they are written is computed again."""
    outcome = compute(wanted)
    for _ in range(ROUNDS - 1):
        try:
            return outcome, write(outcome)
        except Unavailable as error:
            store.forget(error.key)
            again = compute([*wanted, error.key])
            again.done = [*dict.fromkeys([*outcome.done, *again.done])]
            again.cached = [key for key in outcome.cached if key not in set(again.done)]
            again.there = [key for key in outcome.there if key not in set(again.done)]
            outcome = again
    return outcome, write(outcome)


def _noted_before(path: Path, identity: str) -> list[str] | None:
    """What earlier checks of the same plan found; `None` if there were none: another plan may leak."""
    value = read_sealed(path)
    if value is None or value.get("plan") != identity or not isinstance(value.get("notes"), list):
        return None
    return [str(note) for note in value["notes"]]


def _apply_keep(study: Study, plan: Plan, store: Store, outcome: Outcome) -> None:
    """Drop the weights that the study does not keep, once everything that needs them is there."""
    if study.keep == "all" or not outcome.complete:
        return
    for key, step in plan.graph.items():
        patterns = STEPS[step.kind].droppable
        made = "head" if step.kind == AVERAGE.name else step.params.get("output", "encoder")
        keeps = study.keep == "encoders" and made == "encoder"
        if patterns and not keeps and store.has(key):
            store.drop(key, [*patterns])
