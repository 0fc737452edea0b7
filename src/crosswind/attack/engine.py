"""The engine: many examples are attacked in lockstep, each by a search of its own.

Every round gathers what all live examples ask, refuses what constraints refuse, and sends the rest through the victim
together; what would fill no whole pass of the victim waits for more of its shape, as long as there is other work. An
example that is finished leaves at once and the next one takes its place. What happens to an example
depends on nothing but its own verdicts, so the result is the same for any width, any neighbours and any worker.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswind.attack.counted import GRADIENT_QUERIES, Counted
from crosswind.attack.outcome import Attacked, Curve, End, Point
from crosswind.attack.search import Asking, Estimates, Search
from crosswind.attack.space import GoalVerdict, Space, State, Trial
from crosswind.data.examples import Example
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.applied import Constraint
from crosswind.perturb.draw import key

WIDTH = 64  # examples that are attacked at once
AHEAD = 64  # examples whose spaces are made at once
IDLE = 64  # questions in a row of a search that draws, none of which gives a text, before its space counts as exhausted

Spaces = Callable[[Sequence[tuple[int, Example, GoalVerdict]]], Sequence[Space]]
"""Makes the spaces of a few examples together: (number, example, the victim's clean verdict)."""

Progress = Callable[[int, int, int, int], None]
"""Told after every round: examples finished, successes, queries and unique passes so far."""


@dataclass(frozen=True)
class SearchPlan:
    """How examples are searched.

    `seed` and `identity` (task, language, recipe) key the random numbers of an example together with its id.
    `restarts` are further starts of a search that draws. `checks` refuse texts; a refused text costs no query.
    `statistics` are those of the task's metric of a text and what is predicted for it, for the points of curves.
    """

    search: Search
    identity: tuple[str, ...]
    seed: int = 1
    restarts: int = 0
    checks: tuple[Constraint, ...] = ()
    width: int = WIDTH
    statistics: Callable[[Example, Prediction], tuple[float, ...]] | None = None


def run_attack(
    victim: Counted,
    examples: Sequence[Example],
    spaces: Spaces,
    plan: SearchPlan,
    progress: Progress = lambda *_: None,
) -> Iterator[Attacked]:
    """The outcomes of labelled examples, each as soon as it is finished: their order depends on the plan's width."""
    clean = victim.clean(examples)
    verdicts = [GoalVerdict(loss, right) for loss, right in zip(clean.loss.tolist(), clean.right.tolist(), strict=True)]
    waiting = deque(_runners(victim, examples, verdicts, spaces, plan))
    live: list[_Runner] = []
    tally = _Tally()
    source = _Ready(waiting)
    while True:
        while len(live) < plan.width and (runner := source.next()) is not None:
            if runner.finished is None:
                live.append(runner)
            else:
                yield tally.count(runner, victim)
        if not live:
            return
        _round(victim, live, plan.checks)
        for runner in [r for r in live if r.finished is not None]:
            yield tally.count(runner, victim)
        live = [r for r in live if r.finished is None]
        running = sum(victim.queries(r.number) for r in live), sum(victim.passes(r.number) for r in live)
        progress(tally.finished, tally.successes, tally.queries + running[0], tally.passes + running[1])


@dataclass
class _Tally:
    finished: int = 0
    successes: int = 0
    queries: int = 0
    passes: int = 0

    def count(self, runner: _Runner, victim: Counted) -> Attacked:
        outcome = runner.outcome(victim)
        victim.forget(runner.number)
        self.finished += 1
        self.successes += outcome.end == "success"
        self.queries += outcome.queries
        self.passes += outcome.passes
        return outcome


class _Ready:
    """Runners in order; their spaces are made in blocks, when the first of a block is needed."""

    def __init__(self, blocks: deque[Callable[[], list[_Runner]]]) -> None:
        self._blocks, self._ready = blocks, deque[_Runner]()

    def next(self) -> _Runner | None:
        while not self._ready and self._blocks:
            self._ready.extend(self._blocks.popleft()())
        return self._ready.popleft() if self._ready else None


def _runners(
    victim: Counted, examples: Sequence[Example], verdicts: Sequence[GoalVerdict], spaces: Spaces, plan: SearchPlan
) -> Iterable[Callable[[], list[_Runner]]]:
    for start in range(0, len(examples), AHEAD):

        def block(start: int = start) -> list[_Runner]:
            numbers = range(start, min(start + AHEAD, len(examples)))
            attackable = [(n, examples[n], verdicts[n]) for n in numbers if verdicts[n].right > 0]
            made = dict(zip((n for n, _, _ in attackable), spaces(attackable), strict=True))
            return [_Runner(n, examples[n], verdicts[n], made.get(n), plan, victim) for n in numbers]

        yield block


@dataclass
class _Asked:
    """What a runner waits for: its states, their texts, and the verdicts as far as they are known.

    `numbers` are those of the queries (0: not asked); empty before the texts are numbered.
    """

    states: Sequence[State]
    trials: list[Trial | None]
    verdicts: list[GoalVerdict | None] = field(default_factory=list)
    base: Trial | None = None
    estimates: bool = False
    numbers: list[int] = field(default_factory=list)
    checked: bool = False
    more: int | None = None


class _Runner:
    """One example under attack: its search, what it asks now, and the worst text so far."""

    def __init__(
        self, number: int, example: Example, clean: GoalVerdict, space: Space | None, plan: SearchPlan, victim: Counted
    ) -> None:
        self.number, self.example, self.clean, self.space, self.plan = number, example, clean, space, plan
        self._victim = victim
        self.best: Trial | None = None
        self.verdict = clean
        self.found_at = 0
        self.curve = Curve()
        self.refused: Counter[str] = Counter()
        self.finished: End | None = None
        self.started = 0
        self.idle = 0
        self.asked: _Asked | None = None
        self.open: dict[int, None] = {}  # what of it has no verdict yet
        self._search: Asking | None = None
        if space is None:
            self.finished = "wrong before"
        elif not space.sites:
            self.finished = "no site"
        else:
            self._start()

    def receive(self) -> None:
        """Take the verdicts of `asked`."""
        asked = self.asked
        assert asked is not None
        for trial, verdict, number in zip(asked.trials, asked.verdicts, asked.numbers, strict=True):
            if trial is None or verdict is None or (trial.state and trial.state[0][0] < 0):
                continue  # A probe takes a word away: it measures and is no text of the attack.
            if self.curve.adds(trial.edit_rate, verdict.right, verdict.loss):
                self.curve.points.append(self._point(number, trial, verdict))
            if verdict.badness > self.verdict.badness:
                self.best, self.verdict, self.found_at = trial, verdict, number
        if self.verdict.right <= 0:
            self.finished = "success"
        elif any(trial is not None and not number for trial, number in zip(asked.trials, asked.numbers, strict=True)):
            self.finished = "budget"
        else:
            # With a budget that is just used up the search may have ended as well: whether it has is asked of it.
            self._advance(asked.verdicts)

    def estimated(self, gains: Sequence[float | None]) -> None:
        """Take the estimates of `asked`."""
        self._advance(gains)

    def _point(self, query: int, trial: Trial, verdict: GoalVerdict) -> Point:
        known = self.plan.statistics is not None and verdict.prediction is not None
        statistics = self.plan.statistics(trial.example, verdict.prediction) if known else ()  # type: ignore[misc,arg-type]
        return Point(query, trial.edit_rate, verdict.right, verdict.loss, statistics)

    def _start(self) -> None:
        assert self.space is not None
        seed = key(str(self.plan.seed), *self.plan.identity, self.example.id, str(self.started))
        self.started += 1
        self._search = self.plan.search.run(self.space, random.Random(seed))
        self._advance(None)

    def _advance(self, verdicts: Sequence[Any] | None) -> None:
        """Run the search to its next question that has a text; it may end, and start again."""
        assert self.space is not None
        assert self._search is not None
        if verdicts is not None:
            self.idle = 0 if any(v is not None for v in verdicts) else self.idle + 1
        while not self.plan.search.drawn or self.idle < IDLE:
            try:
                states = next(self._search) if verdicts is None else self._search.send(verdicts)
            except StopIteration:
                if self.plan.search.drawn and self.started <= self.plan.restarts:
                    return self._start()
                self.finished = "exhausted"
                return None
            wish = states if isinstance(states, Estimates) else None
            states = wish.states if wish is not None else states
            trials, lost = self._trials(
                states, None if wish is not None or self.plan.checks else self._victim.left(self.number)
            )
            if lost:
                self.refused["label or edits"] += lost
            base = self.space.trial(wish.base) if wish is not None and wish.base else None
            more = None if wish is None else wish.more
            self.asked = _Asked(states, trials, [None] * len(trials), base, wish is not None, more=more)
            if lost < len(trials):
                return None
            self.idle += 1
            verdicts = self.asked.verdicts
        self.finished = "exhausted"
        return None

    def _trials(self, states: Sequence[State], most: int | None) -> tuple[list[Trial | None], int]:
        """The texts of states, and how many of them cannot be; with `most` no more are made than so many and one."""
        assert self.space is not None
        trials: list[Trial | None] = []
        lost = 0
        for state in states:
            if most is not None and len(trials) - lost > most:
                break
            trials.append(self.space.trial(state))
            lost += trials[-1] is None
        return [*trials, *[None] * (len(states) - len(trials))], lost

    def outcome(self, victim: Counted) -> Attacked:
        """What became of the example."""
        rewrites = {} if self.best is None else {w.passage.field: w.rewrite for _, w in self.best.written}
        tags = (
            {} if self.best is None else {w.passage.field: w.passage.tags for _, w in self.best.written if w.retagged}
        )
        space = self.space
        assert self.finished is not None
        return Attacked(
            id=self.example.id,
            end=self.finished,
            clean_right=self.clean.right,
            clean_loss=self.clean.loss,
            right=self.verdict.right,
            loss=self.verdict.loss,
            queries=victim.queries(self.number),
            passes=victim.passes(self.number),
            found_at=self.found_at,
            edit_rate=0.0 if self.best is None else self.best.edit_rate,
            changes=0 if self.best is None else len(self.best.state),
            positions=space.positions if space else 0,
            alternatives=space.size if space else 0,
            words=len(space.words) if space else 0,
            rewrites=rewrites,
            tags=tags,
            refused=dict(sorted((self.refused + (space.refused if space else Counter())).items())),
            curve=tuple(self.curve.points),
        )


def _round(victim: Counted, live: Sequence[_Runner], checks: Sequence[Constraint]) -> None:
    """One round: what all live examples ask, without what constraints refuse, as far as budgets go."""
    _refuse(live, checks)
    estimating = [r for r in live if r.asked is not None and r.asked.estimates]
    # What a search asks after its estimates is answered in the next round: constraints see it first.
    live = [r for r in live if r.asked is not None and not r.asked.estimates]
    _estimate(victim, estimating)
    for runner in live:
        _number(victim, runner)
    waiting = [(runner, i) for runner in live for i in runner.open]
    texts = [_trial(runner, i).example for runner, i in waiting]
    now = [waiting[i] for i in victim.ready(texts)] if waiting else []
    if now:
        scores = victim([(runner.number, _trial(runner, i).example) for runner, i in now])
        said = scores.predictions or (None,) * len(now)
        for (runner, i), *verdict in zip(now, scores.loss.tolist(), scores.right.tolist(), said, strict=True):
            assert runner.asked is not None
            runner.asked.verdicts[i] = GoalVerdict(*verdict)
            del runner.open[i]
    for runner in live:
        if not runner.open:
            runner.receive()


def _number(victim: Counted, runner: _Runner) -> None:
    """Give the texts of a new question the numbers of their queries, as far as the budget goes: they are open."""
    asked = runner.asked
    assert asked is not None
    if asked.numbers:
        return
    left, before = victim.left(runner.number), victim.queries(runner.number)
    mine = [i for i, trial in enumerate(asked.trials) if trial is not None][:left]
    asked.numbers = [0] * len(asked.trials)
    for order, i in enumerate(mine):
        asked.numbers[i] = before + order + 1
    runner.open = dict.fromkeys(mine)


def _trial(runner: _Runner, i: int) -> Trial:
    assert runner.asked is not None
    trial = runner.asked.trials[i]
    assert trial is not None
    return trial


def _estimate(victim: Counted, live: Sequence[_Runner]) -> None:
    """Answer what is asked of gradients, all examples' together; it costs two queries each."""
    able = []
    for runner in live:
        assert runner.asked is not None
        if not any(runner.asked.trials):
            runner.estimated([None] * len(runner.asked.trials))  # constraints refuse all that it would order
        elif victim.left(runner.number) < GRADIENT_QUERIES:
            runner.finished = "budget"
        else:
            left, more = victim.left(runner.number), runner.asked.more
            victim.charge(runner.number, GRADIENT_QUERIES)
            if more is not None and not runner.plan.checks and left <= GRADIENT_QUERIES * (1 + more):
                # The gradients that follow leave nothing for a text: what they say is of no use.
                runner.estimated([None if t is None else 0.0 for t in runner.asked.trials])
            else:
                able.append(runner)
    if not able:
        return
    bases, candidates = [], []
    for runner in able:
        assert runner.asked is not None
        bases.append(runner.example if runner.asked.base is None else runner.asked.base.example)
        candidates.append([t.example for t in runner.asked.trials if t is not None])
    for runner, gains in zip(able, victim.estimates(bases, candidates), strict=True):
        assert runner.asked is not None
        values = iter(gains)
        runner.estimated([None if t is None else next(values) for t in runner.asked.trials])


def _refuse(live: Sequence[_Runner], checks: Sequence[Constraint]) -> None:
    """Take out the texts that a check refuses, all examples' together; probes are not checked."""
    for constraint in checks:
        if constraint.check is None:
            continue
        pairs, at = [], []
        for runner in live:
            assert runner.asked is not None
            assert runner.space is not None
            if runner.asked.checked:
                continue  # It waits for verdicts of what was checked in an earlier round.
            for i, trial in enumerate(runner.asked.trials):
                if trial is None or trial.state[0][0] < 0:
                    continue
                for number, written in trial.written:
                    pairs.append((runner.space.passages[number], written.passage))
                    at.append((runner, i))
        for (runner, i), good in zip(at, constraint.check(pairs) if pairs else (), strict=True):
            assert runner.asked is not None
            if not good and runner.asked.trials[i] is not None:
                runner.asked.trials[i] = None
                runner.refused[constraint.name] += 1
    for runner in live:
        assert runner.asked is not None
        runner.asked.checked = True
