"""Attacking a test set: what is finished is kept on disk, so that a killed attack goes on."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import mean

import polars as pl

from crosswind.attack.cosine import Cosines
from crosswind.attack.counted import Counted
from crosswind.attack.engine import AttackTally, Spaces, run_attack
from crosswind.attack.outcome import Attacked, refused_by_constraints
from crosswind.attack.pool import PoolSpaceMaker, added_candidate
from crosswind.attack.prepare import Reach, SpaceMaker
from crosswind.attack.recipe import AttackSetting, Call, constraints_of, unattackable
from crosswind.attack.runner import WIDTH, SearchPlan
from crosswind.attack.space import GoalVerdict, Space
from crosswind.attack.universal import TriggerWords, space_of
from crosswind.attack.victim import Victim
from crosswind.data.examples import (
    Candidate,
    Dataset,
    Example,
    Pool,
    QueryExample,
    is_labelled,
)
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import Metric
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.applied import Constraint
from crosswind.perturb.example import Protection
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.perturbed import Perturbed, PerturbedDataset
from crosswind.perturb.replay import replay_dataset
from crosswind.perturb.spec import Resolved

Report = Callable[[int, int, str], None]
"""(examples finished, examples in all, a sentence)."""


@dataclass(frozen=True)
class AttackBudget:
    """What an attack may cost: queries an example, further starts of a search that draws, the seed of draws.

    `width` is the number of examples that are attacked at once; it changes no result.
    """

    queries: int
    restarts: int = 0
    seed: int = 1
    width: int = WIDTH


def attack_examples(
    victim: Victim,
    examples: Sequence[Example],
    call: Call,
    setting: AttackSetting,
    budget: AttackBudget,
    *,
    resolved: Resolved | None = None,
    protect: Protection = "none",
    constraints: Sequence[Constraint] = (),
    reach: Reach | None = None,
    metric: Metric | None = None,
    trigger: TriggerWords = (),
    pool: Pool | None = None,
    finished: Path | None = None,
    report: Report = lambda *_: None,
) -> list[Attacked]:
    """The outcomes of labelled examples, in their order.

    `resolved` holds what the alternatives need, and the constraints that the recipe names itself. With the task's
    `metric`, the points of their curves hold its statistics. `trigger` is that of a universal attack, `pool` that of a
    retrieval task.
    With `finished`, each outcome is appended to that file, and what it holds already is not attacked again: the result
    is the same as without a break. Raises `NotApplicable` where the recipe does not attack such a task or language,
    and a `UserError` for a budget below 1, for examples without gold labels, and where words are to be masked for a
    victim that shows no mask token.
    """
    reason = unattackable(call, setting)
    if reason is not None:
        raise NotApplicable(reason, where="recipe", hint="`crosswind list recipes` shows what each attacks")
    counted = Counted(victim, budget.queries)
    for example in examples:
        if not is_labelled(example):
            hint = "this split is distributed without labels; name another split, such as dev"
            raise UserError(f"{example.id} carries no gold label, which an attack needs", where="task", hint=hint)
    constraints = (*(c.made(resolved) for c in constraints_of(call, setting)), *constraints)
    known = _kept(finished)
    waiting = [e for e in examples if e.id not in known]
    maker = SpaceMaker(
        call.declaration,
        setting,
        resolved=resolved,
        protect=protect,
        constraints=constraints,
        reach=reach,
        probe=_mask_of(victim) if call.declaration.masks(setting) else None,
    )
    declared = (*maker.checks, *constraints, *call.declaration.constraints(setting))
    plan = SearchPlan(
        call.chosen_search(setting),
        (setting.task.name, setting.language, call.name),
        budget.seed,
        budget.restarts,
        tuple(c for c in declared if c.check is not None),
        budget.width,
        _statistics(metric),
    )
    spaces: Spaces = maker
    if call.declaration.universal is not None:
        field = call.declaration.universal(setting).field
        spaces = partial(_trigger_spaces, field=field, trigger=trigger)
    if call.declaration.pool is not None:
        if pool is None:
            hint = "attack a checkpoint with it, or the queries with another recipe"
            raise UserError("it adds candidates to a pool, which this victim does not show", where="recipe", hint=hint)
        spaces = PoolSpaceMaker(pool, *call.declaration.pool(setting))
    before = AttackTally()
    for example in examples:
        if example.id in known:
            before.count(known[example.id])
    begun = time.monotonic()

    def progress(now: AttackTally) -> None:
        rate = now.queries / max(1e-9, time.monotonic() - begun)
        broken, right = before.successes + now.successes, before.right + now.right
        note = f"{broken} of {right} that were right broken, {rate:.0f} queries/s"
        report(before.finished + now.finished, len(examples), note)

    with _Appending(finished) as write:
        for outcome in run_attack(counted, waiting, spaces, plan, progress):
            known[outcome.id] = outcome
            write(outcome)
    return [known[e.id] for e in examples]


def perturbed_by(dataset: Dataset, outcomes: Sequence[Attacked]) -> PerturbedDataset:
    """The data set with the worst text of each example, as `perturb` gives it; examples that were not attacked stay."""
    by_id = {o.id: o for o in outcomes}
    members = []
    added: list[Candidate] = []
    for example in dataset.examples:
        outcome = by_id.get(example.id)
        rewrites = outcome.rewrites if outcome else {}
        if any(field.startswith("pool.") for field in rewrites):
            assert isinstance(example, QueryExample)
            assert dataset.pool is not None
            candidate = added_candidate(example, dataset.pool, dict(rewrites))
            added += [candidate] if candidate is not None else []
            rewrites = {}
        members.append(Perturbed(example, rewrites, {}, outcome.tags if outcome else {}))
    perturbed = PerturbedDataset(dataset, tuple(members), added=tuple(added))
    return replayed_attack(dataset, perturbed.table(), perturbed.added_table() if added else None)


def replayed_attack(dataset: Dataset, rewrites: pl.DataFrame, added: pl.DataFrame | None) -> PerturbedDataset:
    """The data set with what an attack stored of it; a query with a candidate that was added for it is changed."""
    share = 0.0 if added is None else added.height / max(1, len(dataset))  # an attack adds one for a query
    return replace(replay_dataset(dataset, rewrites, added), added_share=share)


def outcome_table(outcomes: Sequence[Attacked], similar: Cosines | None = None) -> pl.DataFrame:
    """A row an example: how it ended, what it cost, how much was edited, and by encoder how similar its texts are
    (`cosines_of`). Rewrites are stored apart."""
    plain = (
        "id",
        "end",
        "clean_right",
        "clean_loss",
        "right",
        "loss",
        "queries",
        "passes",
        "found_at",
        "edit_rate",
        "changes",
        "positions",
        "alternatives",
        "words",
    )
    columns: dict[str, list[object]] = {name: [getattr(o, name) for o in outcomes] for name in plain}
    columns["refused"] = [json.dumps(dict(sorted(o.refused.items()))) for o in outcomes]
    measured = [{source: mean(of[o.id]) for source, of in (similar or {}).items() if o.id in of} for o in outcomes]
    columns["similarity"] = [json.dumps(one) for one in measured]
    columns["curve"] = [json.dumps([p.to_json() for p in o.curve]) for o in outcomes]
    whole = {"queries", "passes", "found_at", "changes", "positions", "alternatives", "words"}
    text = {"id", "end", "refused", "similarity", "curve"}
    kinds = {name: pl.String if name in text else pl.Int64 if name in whole else pl.Float64 for name in columns}
    return pl.DataFrame(columns, schema=kinds)


def attack_notes(call: Call, setting: AttackSetting, data: str, outcomes: Sequence[Attacked]) -> list[str]:
    """What a reader of the results should know: what the attack knows, and where on some data it could do nothing."""
    oracle = call.declaration.knows(setting)
    notes = [f"{call.name} has oracle access: {oracle}"] if oracle else []
    beyond = sum(1 for o in outcomes if o.refused.get("beyond the window"))
    if beyond:
        tried = sum(o.end != "wrong before" for o in outcomes)
        notes.append(
            f"{beyond:,} of the {tried:,} attacked examples of {data} are longer than the model's window: only "
            "positions inside were attacked."
        )
    without = sum(o.end == "no site" for o in outcomes)
    if without:
        notes.append(f"{without:,} of {len(outcomes):,} examples of {data} have no site for {call.name}.")
    by_constraint: Counter[str] = Counter()
    for outcome in outcomes:
        by_constraint.update(refused_by_constraints(outcome.refused))
    if by_constraint:
        tried = sum(o.end not in ("wrong before", "no site") for o in outcomes)
        named = ", ".join(f"{name} {many:,}" for name, many in sorted(by_constraint.items()))
        given_up = sum(o.end == "refused" for o in outcomes)
        ended = f"; {given_up:,} of them ended because a model had refused too many" if given_up else ""
        notes.append(
            f"{call.name} on {data}: of the texts of {tried:,} attacked examples constraints refused {named}{ended}."
        )
    return notes


def _trigger_spaces(
    some: Sequence[tuple[int, Example, GoalVerdict]], field: str, trigger: TriggerWords
) -> Sequence[Space]:
    return [space_of(example, verdict, field, trigger) for _, example, verdict in some]


def _mask_of(victim: Victim) -> str:
    """What stands in a text for the victim's mask token."""
    mask: str = getattr(victim, "mask", "")
    if not mask:
        raise UserError(
            "the importance of words is to be measured behind a mask, and this victim shows no mask token",
            where="recipe",
            hint="add probe=nothing: the word is taken away in its place",
        )
    return mask


def _statistics(metric: Metric | None) -> Callable[[Example, Prediction], tuple[float, ...]] | None:
    """What gives the statistics of a metric of one prediction."""
    if metric is None:
        return None
    return lambda example, said: tuple(metric.judge([example], [said], {}).statistics[0].tolist())


def _kept(path: Path | None) -> dict[str, Attacked]:
    """The outcomes that a file holds; a line that a kill cut off, or that was changed, is none."""
    outcomes: dict[str, Attacked] = {}
    if path is None or not path.exists():
        return outcomes
    # LF alone ends a line: texts may hold what Python calls the end of one. A cut may leave half a character.
    for line in path.read_bytes().split(b"\n"):
        try:
            outcome = Attacked.loads(line.decode())
        except (ValueError, TypeError, KeyError, AttributeError, IndexError):
            continue
        outcomes[outcome.id] = outcome
    return outcomes


class _Appending:
    """Appends outcomes to a file, a line each, flushed; to none where there is no path."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def __enter__(self) -> Callable[[Attacked], None]:
        if self.path is None:
            self._file = None
            return lambda outcome: None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        before = self.path.read_bytes() if self.path.exists() else b""
        self._file = self.path.open("a", encoding="utf-8")
        if before and not before.endswith(b"\n"):
            self._file.write("\n")
        return self._write

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()

    def _write(self, outcome: Attacked) -> None:
        assert self._file is not None
        self._file.write(outcome.dumps() + "\n")
        self._file.flush()
