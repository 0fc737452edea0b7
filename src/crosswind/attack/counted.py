"""A victim that counts what it is asked and remembers what it said.

* A **logical query** is a text that an attack asks about for an example, whether or not it asked before.
* A **unique pass** is a text that it had not asked about for the same example. It is defined by the example alone:
  what another example made the memory hold changes no count.
* A gradient costs two queries.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from crosswind.attack.allowed import require_budget
from crosswind.attack.goal import GoalScores
from crosswind.attack.victim import Victim
from crosswind.data.examples import Example
from crosswind.errors import UserError
from crosswind.evaluate.predictions import Prediction

VERDICTS = 65_536  # scores that are remembered
GRADIENT_QUERIES = 2


@dataclass
class _Account:
    queries: int = 0
    asked: set[Example] = field(default_factory=set)


_Said = tuple[float, float, Prediction | None]  # loss, rightness, and what was predicted where the victim says so


class OverBudget(Exception):  # noqa: N818  (whoever asks too much has counted wrong; it is no error of the input)
    """An example would have cost more queries than its budget."""


class Counted:
    """`victim` with a hard `budget` of queries for each example, and a memory of the latest `remembered` scores.

    `forwards` is the number of texts that the victim was asked about in all, the clean ones included.
    """

    def __init__(self, victim: Victim, budget: int, remembered: int = VERDICTS) -> None:
        require_budget(budget, "budget")
        self.victim, self.budget, self.remembered = victim, budget, remembered
        self.forwards = 0
        self._memory: OrderedDict[Example, _Said] = OrderedDict()
        self._accounts: dict[int, _Account] = {}

    def clean(self, examples: Sequence[Example]) -> GoalScores:
        """GoalScores of unchanged examples, which cost an attack nothing: an evaluation knows them."""
        return self._scores(examples)

    def left(self, number: int) -> int:
        """The queries that example `number` has left."""
        return self.budget - self.queries(number)

    def queries(self, number: int) -> int:
        """The logical queries of example `number`."""
        return self._accounts[number].queries if number in self._accounts else 0

    def passes(self, number: int) -> int:
        """The unique passes of example `number`."""
        return len(self._accounts[number].asked) if number in self._accounts else 0

    def charge(self, number: int, queries: int) -> None:
        """Count queries of an example that are no texts (gradients); `OverBudget` where it has not so many left."""
        account = self._accounts.setdefault(number, _Account())
        if account.queries + queries > self.budget:
            raise OverBudget(f"example {number}: {account.queries} + {queries} queries of {self.budget}")
        account.queries += queries

    def __call__(self, asked: Sequence[tuple[int, Example]]) -> GoalScores:
        """Scores of (number of the attacked example, text to judge), in order; `OverBudget` before anything is run."""
        wanted: dict[int, int] = {}
        for number, _ in asked:
            wanted[number] = wanted.get(number, 0) + 1
        for number, many in wanted.items():
            if many > self.left(number):
                raise OverBudget(f"example {number}: {many} queries, {self.left(number)} are left")
        scores = self._scores([example for _, example in asked])
        for number, example in asked:
            self.charge(number, 1)
            self._accounts[number].asked.add(_text_of(example))
        return scores

    def ready(self, examples: Sequence[Example]) -> list[int]:
        """Which of some texts to ask about now: what is remembered, and what fills whole passes of the victim.

        All of them, where nothing else is to be had, and of a victim that has no passes of a certain size.
        """
        full = getattr(self.victim, "full", None)
        if full is None:
            return list(range(len(examples)))
        texts = [_text_of(e) for e in examples]
        fresh = {t: e for t, e in zip(texts, examples, strict=True) if t not in self._memory}
        listed = [*fresh.values()]
        wanted = {_text_of(listed[i]) for i in full(listed)} if fresh else set()
        chosen = [i for i, text in enumerate(texts) if text in self._memory or text in wanted]
        return chosen or list(range(len(examples)))

    def estimates(self, bases: Sequence[Example], candidates: Sequence[Sequence[Example]]) -> list[list[float]]:
        """What the victim's gradients say of candidates (see `victim.ModelVictim.estimates`); a `UserError` without."""
        give = getattr(self.victim, "estimates", None)
        if give is None:
            hint = "attack it with a recipe that needs scores alone, or attack the checkpoint itself"
            raise UserError("the victim gives no gradients, and this recipe needs them", where="recipe", hint=hint)
        gains: list[list[float]] = give(bases, candidates)
        return gains

    def forget(self, number: int) -> None:
        """Forget what example `number` asked: it is finished."""
        self._accounts.pop(number, None)

    def _scores(self, examples: Sequence[Example]) -> GoalScores:
        texts = [_text_of(e) for e in examples]
        known: dict[Example, _Said] = {}
        fresh: dict[Example, Example] = {}
        for text, example in zip(texts, examples, strict=True):
            if text in self._memory:
                self._memory.move_to_end(text)
                known[text] = self._memory[text]
            else:
                fresh.setdefault(text, example)
        if fresh:
            scores = self.victim([*fresh.values()])
            self.forwards += len(fresh)
            _require_finite(scores, [*fresh.values()])
            said = scores.predictions or (None,) * len(fresh)
            for text, *answer in zip(fresh, scores.loss.tolist(), scores.right.tolist(), said, strict=True):
                known[text] = self._memory[text] = (answer[0], answer[1], answer[2])
            while len(self._memory) > self.remembered:
                self._memory.popitem(last=False)
        losses, rights = (np.array([known[t][i] for t in texts], dtype=np.float64) for i in (0, 1))
        predictions = tuple(p for t in texts if (p := known[t][2]) is not None)
        return GoalScores(losses, rights, predictions)


def _text_of(example: Any) -> Any:
    """The example without its name: what it says, and what is right."""
    return replace(example, id="", cluster="")


def _require_finite(scores: GoalScores, examples: Sequence[Example]) -> None:
    if len(scores.loss) != len(examples) or len(scores.right) != len(examples):
        what = f"the victim gives {len(scores.loss)} scores for {len(examples)} examples"
        raise UserError(what, where="MODEL", hint="a victim gives one loss and one rightness an example")
    bad = np.flatnonzero(~(np.isfinite(scores.loss) & np.isfinite(scores.right)))
    if len(bad):
        i = int(bad[0])
        raise UserError(
            f"the victim gives a loss of {scores.loss[i]} and a rightness of {scores.right[i]}",
            where=examples[i].id,
            hint="its numbers must be finite",
        )
