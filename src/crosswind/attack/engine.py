"""The engine: many examples are attacked in lockstep, each by a search of its own.

Every round gathers what all live examples ask, refuses what constraints refuse, and sends the rest through the victim
together; what would fill no whole pass of the victim waits for more of its shape, as long as there is other work. An
example that is finished leaves at once and the next one takes its place. What happens to an example
depends on nothing but its own verdicts, so the result is the same for any width, any neighbours and any worker.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from crosswind.attack.counted import GRADIENT_QUERIES, Counted
from crosswind.attack.outcome import Attacked
from crosswind.attack.refusing import refuse
from crosswind.attack.runner import Runner, SearchPlan
from crosswind.attack.space import GoalVerdict, Space, Trial
from crosswind.data.examples import Example
from crosswind.perturb.applied import Constraint

AHEAD = 64  # examples whose spaces are made at once
ORDERED_AT_ONCE = 65_536  # states that gradients order at once, of several examples: their texts are all in memory

Spaces = Callable[[Sequence[tuple[int, Example, GoalVerdict]]], Sequence[Space]]
"""Makes the spaces of a few examples together: (number, example, the victim's clean verdict)."""


@dataclass
class AttackTally:
    """What came of an attack so far: examples finished, of them right before it, and successes; queries, passes."""

    finished: int = 0
    right: int = 0
    successes: int = 0
    queries: int = 0
    passes: int = 0

    def count(self, outcome: Attacked) -> None:
        """Add an example that is finished."""
        self.finished += 1
        self.right += outcome.clean_right > 0
        self.successes += outcome.end == "success"
        self.queries += outcome.queries
        self.passes += outcome.passes


Progress = Callable[[AttackTally], None]
"""Told after every round how far the attack is; queries and passes are those of unfinished examples too."""


def run_attack(
    victim: Counted,
    examples: Sequence[Example],
    spaces: Spaces,
    plan: SearchPlan,
    progress: Progress = lambda _: None,
) -> Iterator[Attacked]:
    """The outcomes of labelled examples, each as soon as it is finished: their order depends on the plan's width."""
    clean = victim.clean(examples)
    verdicts = [GoalVerdict(loss, right) for loss, right in zip(clean.loss.tolist(), clean.right.tolist(), strict=True)]
    waiting = deque(_runners(victim, examples, verdicts, spaces, plan))
    live: list[Runner] = []
    tally = AttackTally()
    source = _Ready(waiting)
    while True:
        while len(live) < plan.width and (runner := source.next()) is not None:
            if runner.finished is None:
                live.append(runner)
            else:
                yield _finished(runner, victim, tally)
        if not live:
            return
        _round(victim, live, plan.checks)
        for runner in [r for r in live if r.finished is not None]:
            yield _finished(runner, victim, tally)
        live = [r for r in live if r.finished is None]
        queries, passes = (sum(of(r.number) for r in live) for of in (victim.queries, victim.passes))
        progress(replace(tally, queries=tally.queries + queries, passes=tally.passes + passes))


def _finished(runner: Runner, victim: Counted, tally: AttackTally) -> Attacked:
    outcome = runner.outcome(victim)
    victim.forget(runner.number)
    tally.count(outcome)
    return outcome


class _Ready:
    """Runners in order; their spaces are made in blocks, when the first of a block is needed."""

    def __init__(self, blocks: deque[Callable[[], list[Runner]]]) -> None:
        self._blocks, self._ready = blocks, deque[Runner]()

    def next(self) -> Runner | None:
        while not self._ready and self._blocks:
            self._ready.extend(self._blocks.popleft()())
        return self._ready.popleft() if self._ready else None


def _runners(
    victim: Counted, examples: Sequence[Example], verdicts: Sequence[GoalVerdict], spaces: Spaces, plan: SearchPlan
) -> Iterable[Callable[[], list[Runner]]]:
    for start in range(0, len(examples), AHEAD):

        def block(start: int = start) -> list[Runner]:
            numbers = range(start, min(start + AHEAD, len(examples)))
            attackable = [(n, examples[n], verdicts[n]) for n in numbers if verdicts[n].right > 0]
            made = dict(zip((n for n, _, _ in attackable), spaces(attackable), strict=True))
            return [Runner(n, examples[n], verdicts[n], made.get(n), plan, victim) for n in numbers]

        yield block


def _round(victim: Counted, live: Sequence[Runner], checks: Sequence[Constraint]) -> None:
    """One round: what all live examples ask, without what constraints refuse, as far as budgets go."""
    estimating = [r for r in live if r.question.estimates]
    # What a search asks after its estimates is answered in the next round: constraints see it first.
    live = [r for r in live if not r.question.estimates]
    refuse(live, checks)
    _estimate(victim, estimating, checks)
    for runner in live:
        _number(victim, runner)
    waiting = [(runner, i) for runner in live for i in runner.open]
    texts = [_trial(runner, i).example for runner, i in waiting]
    now = [waiting[i] for i in victim.ready(texts)] if waiting else []
    if now:
        scores = victim([(runner.number, _trial(runner, i).example) for runner, i in now])
        said = scores.predictions or (None,) * len(now)
        for (runner, i), *verdict in zip(now, scores.loss.tolist(), scores.right.tolist(), said, strict=True):
            runner.question.verdicts[i] = GoalVerdict(*verdict)
            del runner.open[i]
    for runner in live:
        if not runner.open:
            runner.receive()


def _number(victim: Counted, runner: Runner) -> None:
    """Give the texts of a new question the numbers of their queries, as far as the budget goes: they are open."""
    asked = runner.question
    if asked.numbers:
        return
    left, before = victim.left(runner.number), victim.queries(runner.number)
    mine = [i for i, trial in enumerate(asked.trials) if trial is not None][:left]
    asked.numbers = [0] * len(asked.trials)
    for order, i in enumerate(mine):
        asked.numbers[i] = before + order + 1
    runner.open = dict.fromkeys(mine)


def _trial(runner: Runner, i: int) -> Trial:
    trial = runner.question.trials[i]
    assert trial is not None
    return trial


def _estimate(victim: Counted, live: Sequence[Runner], checks: Sequence[Constraint]) -> None:
    """Answer what is asked of gradients, several examples' together; it costs two queries each."""
    for group in _groups(live):
        for runner in group:
            runner.make()
        refuse(group, checks)
        able = [runner for runner in group if _needs_gradient(victim, runner)]
        if not able:
            continue
        bases, candidates = [], []
        for runner in able:
            asked = runner.question
            bases.append(runner.example if asked.base is None else asked.base.example)
            candidates.append([t.example for t in asked.trials if t is not None])
        for runner, gains in zip(able, victim.estimates(bases, candidates), strict=True):
            values = iter(gains)
            runner.estimated([None if t is None else next(values) for t in runner.question.trials])


def _groups(live: Sequence[Runner]) -> Iterator[list[Runner]]:
    """Examples whose questions have at most `ORDERED_AT_ONCE` states together, or one: texts are made of all states."""
    group: list[Runner] = []
    for runner in live:
        if group and sum(len(r.question.states) for r in [*group, runner]) > ORDERED_AT_ONCE:
            yield group
            group = []
        group.append(runner)
    if group:
        yield group


def _needs_gradient(victim: Counted, runner: Runner) -> bool:
    """Whether a gradient is to be computed, for which the example is charged; another question is answered here."""
    asked = runner.question
    if not any(asked.trials):
        runner.estimated([None] * len(asked.trials))  # constraints refuse all that it would order
        return False
    left = victim.left(runner.number)
    if left < GRADIENT_QUERIES:
        runner.finished = "budget"
        return False
    victim.charge(runner.number, GRADIENT_QUERIES)
    if asked.more is not None and not runner.plan.checks and left <= GRADIENT_QUERIES * (1 + asked.more):
        # The gradients that follow leave nothing for a text: what they say is of no use.
        runner.estimated([None if t is None else 0.0 for t in asked.trials])
        return False
    return True
