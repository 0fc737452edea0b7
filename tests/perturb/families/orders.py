"""The options of a choice question in another order."""

import math

from crosswind.perturb.alternatives import Sites
from crosswind.perturb.passage import SEPARATOR
from crosswind.perturb.perturbation import Perturbation
from crosswind.perturb.pieces import Keep, New


class Orders:
    def sites(self, passages):
        return [Sites([p.parts[2].start], [p.parts[-1].end], passage=p) for p in passages]

    def draw(self, at):
        return [
            self._order(s.passage.parts[2:], 1 + bits % (math.factorial(len(s.passage.parts) - 2) - 1))
            for s, _, bits in at
        ]

    def all(self, at, most=None):
        counts = [math.factorial(len(s.passage.parts) - 2) for s, _ in at]
        return [
            [self._order(s.passage.parts[2:], n) for n in range(1, count)][:most]
            for (s, _), count in zip(at, counts, strict=True)
        ]

    def _order(self, options, number):
        """Permutation `number` of the options; 0 would be the order that they have."""
        left, pieces = list(options), []
        while left:
            at, number = divmod(number, math.factorial(len(left) - 1))
            option = left.pop(at)
            pieces += [New(SEPARATOR), Keep(option.start, option.end)]
        return tuple(pieces[1:])


OPTION_ORDER = Perturbation(
    name="my-order",
    nature="preserving",
    summary="options change places",
    source="test",
    unit="question",
    languages="all",
    whole=True,
    prepare=lambda setting, given: Orders(),
    applies=lambda setting: None if setting.kind == "choice" else "only choice questions have options",
)
