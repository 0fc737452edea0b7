"""One example under attack: its search, what it asks, and the worst text so far.

A question is a list of states. Texts are made of them in order, no more than the budget can ask about and one, which
says that the budget ended; what constraints refuse is none of these. Where a constraint asks a model, a question goes
on in portions, and the number of texts that may be refused is limited: `REFUSED` for an example, and `REFUSED_A_QUERY`
more for each query that it has made, so that an attack of a smaller budget is still the beginning of a larger one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crosswind.attack.counted import Counted
from crosswind.attack.outcome import Attacked, Curve, End, Point
from crosswind.attack.search import Asking, Estimates, Search
from crosswind.attack.space import GoalVerdict, Space, State, Trial
from crosswind.data.examples import Example
from crosswind.evaluate.predictions import Prediction
from crosswind.perturb.applied import Constraint
from crosswind.perturb.constraint import NamedConstraint
from crosswind.perturb.draw import key

WIDTH = 64  # examples that are attacked at once
IDLE = 64  # questions in a row of a search that draws, none of which gives a text, before its space counts as exhausted
REFUSED, REFUSED_A_QUERY = 512, 16  # texts that models may refuse: of an example, and more for each of its queries
PORTION = 16  # texts that are made before a model is asked: a forward pass of the canonical shape


def engine_rules(constraints: Iterable[NamedConstraint], restarts: int) -> dict[str, str]:
    """What names a result beside its parameters: the rules of some attacks that were others in earlier versions."""
    rules = {}
    if any(c.asks_model for c in constraints):
        rules["refusals"] = f"{REFUSED}, {REFUSED_A_QUERY} a query"
    if restarts:
        rules["starts"] = "no state twice"
    return rules


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

    @property
    def asks_models(self) -> bool:
        """Whether a check asks a model."""
        return any(check.asks_model for check in self.checks)


@dataclass
class AskedStates:
    """What a runner waits for: its states, the texts of the first `made` of them, and the verdicts so far.

    `numbers` are those of the queries (0: not asked); empty before the texts are numbered. `unchecked` are the places
    of what no check has seen, `texts` how many texts stand before these. Of a `settled` question no more texts are
    made; `cut`: because too many were refused.
    """

    states: Sequence[State]
    trials: list[Trial | None]
    verdicts: list[GoalVerdict | None]
    base: Trial | None = None
    estimates: bool = False
    more: int | None = None
    numbers: list[int] = field(default_factory=list)
    made: int = 0
    texts: int = 0
    unchecked: range = range(0)
    settled: bool = False
    cut: bool = False


class Runner:
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
        self.asked: AskedStates | None = None
        self.open: dict[int, None] = {}  # what of it has no verdict yet
        self._started = 0
        self._idle = 0
        self._by_models = 0  # texts that a model refused
        # What earlier starts asked is not asked again.
        again = plan.search.drawn and not plan.search.endless and plan.restarts
        self._known: dict[State, GoalVerdict | None] | None = {} if again else None
        self._search: Asking | None = None
        if space is None:
            self.finished = "wrong before"
        elif not space.sites:
            self.finished = "no site"
        else:
            self._start()
            self._advance(None)

    @property
    def question(self) -> AskedStates:
        """What it asks now."""
        assert self.asked is not None
        return self.asked

    def receive(self) -> None:
        """Take the verdicts of `asked`."""
        asked = self.question
        for trial, verdict, number in zip(asked.trials, asked.verdicts, asked.numbers, strict=True):
            if trial is None or verdict is None or (trial.state and trial.state[0][0] < 0):
                continue  # A probe takes a word away: it measures and is no text of the attack.
            if self.curve.adds(trial.edit_rate, verdict.right, verdict.loss):
                self.curve.points.append(self._point(number, trial, verdict))
            if verdict.badness > self.verdict.badness:
                self.best, self.verdict, self.found_at = trial, verdict, number
        if self._known is not None:
            self._known.update(zip(asked.states, asked.verdicts, strict=True))
        if self.verdict.right <= 0:
            self.finished = "success"
        elif any(trial is not None and not number for trial, number in zip(asked.trials, asked.numbers, strict=True)):
            self.finished = "budget"
        elif asked.cut:
            self.finished = "refused"
        else:
            # With a budget that is just used up the search may have ended as well: whether it has is asked of it.
            self._advance(asked.verdicts)

    def estimated(self, gains: Sequence[float | None]) -> None:
        """Take the estimates of `asked`."""
        self._advance(gains)

    def settle(self, refusals: Mapping[int, Constraint]) -> bool:
        """Take what the checks refuse of the texts that were made last, and make more where the question needs more.

        Whether the question stands: nothing more is made for it.
        """
        asked = self.question
        for i in asked.unchecked:
            constraint = refusals.get(i)
            if constraint is None:
                continue
            asked.trials[i] = None
            self.refused[constraint.name] += 1
            self._by_models += constraint.asks_model
            if self._by_models >= REFUSED + REFUSED_A_QUERY * self._victim.queries(self.number):
                # What was made behind it, to fill a portion, counts for nothing.
                for j in range(i + 1, asked.made):
                    asked.trials[j] = None
                asked.cut = asked.settled = True
                return True
        asked.texts += sum(asked.trials[i] is not None for i in asked.unchecked)
        asked.settled = asked.made == len(asked.states) or asked.texts > self._victim.left(self.number)
        if not asked.settled:
            self.make()
        return asked.settled

    def make(self) -> None:
        """Make the next texts of the question; of one that a gradient is to answer, all."""
        assert self.space is not None
        asked = self.question
        begin, made, wanted = asked.made, 0, self._wanted()
        while asked.made < len(asked.states) and (wanted is None or made < wanted):
            i, asked.made = asked.made, asked.made + 1
            state = asked.states[i]
            if self._known is not None and state in self._known:
                asked.verdicts[i] = self._known[state]
                continue
            asked.trials[i] = trial = self.space.trial(state)
            made += trial is not None
            self.refused["label or edits"] += trial is None
        asked.unchecked = range(begin, asked.made)

    def _wanted(self) -> int | None:
        """How many texts to make next; `None`: all."""
        if self.question.estimates or (self.plan.checks and not self.plan.asks_models):
            return None
        return PORTION if self.plan.checks else self._victim.left(self.number) + 1 - self.question.texts

    def _point(self, query: int, trial: Trial, verdict: GoalVerdict) -> Point:
        known = self.plan.statistics is not None and verdict.prediction is not None
        statistics = self.plan.statistics(trial.example, verdict.prediction) if known else ()  # type: ignore[misc,arg-type]
        return Point(query, trial.edit_rate, verdict.right, verdict.loss, statistics)

    def _start(self) -> None:
        """Begin the search, at its first start or a further one."""
        assert self.space is not None
        seed = key(str(self.plan.seed), *self.plan.identity, self.example.id, str(self._started))
        self._started += 1
        self._search = self.plan.search.run(self.space, random.Random(seed))

    def _advance(self, verdicts: Sequence[Any] | None) -> None:
        """Run the search to its next question that has a text to ask about; it may end, and start again."""
        assert self.space is not None
        assert self._search is not None
        while True:
            if verdicts is not None:
                self._idle = 0 if any(v is not None for v in verdicts) else self._idle + 1
            if self.plan.search.drawn and self._idle >= IDLE:
                self.finished = "exhausted"
                return
            try:
                states = next(self._search) if verdicts is None else self._search.send(verdicts)
            except StopIteration:
                if self._known is not None and self._started <= self.plan.restarts:
                    self._start()
                    verdicts = None
                    continue
                self.finished = "exhausted"
                return
            wish = states if isinstance(states, Estimates) else None
            states = wish.states if wish is not None else states
            base = self.space.trial(wish.base) if wish is not None and wish.base else None
            more = None if wish is None else wish.more
            nothing = [None] * len(states)
            self.asked = AskedStates(states, [*nothing], [*nothing], base, wish is not None, more)
            if self.asked.estimates:
                return  # there are many texts to order: they are made when their turn comes (`make`)
            self.make()
            if any(self.asked.trials):
                return
            verdicts = self.asked.verdicts

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
