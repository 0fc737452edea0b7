"""The options of a choice question in another order; the right one is found again by where it went."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.passage import SEPARATOR, Passage
from crosswind.perturb.perturbation import Given, Perturbation, Setting
from crosswind.perturb.pieces import Keep, New, Piece

_FIRST_OPTION = 2  # of the parts of a choice question: context, question, options


class _Orders:
    """Every order of the options but the one that they have."""

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        every = []
        for passage in passages:
            options = passage.parts[_FIRST_OPTION:]
            differ = len({passage.text[o.start : o.end] for o in options}) > 1
            starts, ends = ([options[0].start], [options[-1].end]) if differ else ([], [])
            every.append(Sites(starts, ends, passage=passage))
        return every

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        chosen: list[Option | None] = []
        for sites, _, bits in at:
            options = _options(sites)
            orders = math.factorial(len(options)) - 1
            chosen.append(_order(options, 1 + (bits * orders >> 64)))
        return chosen

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[list[Option]]:
        return [[*_orders(_options(sites), most)] for sites, _ in at]


def _options(sites: Sites) -> tuple[Span, ...]:
    assert sites.passage is not None
    return sites.passage.parts[_FIRST_OPTION:]


def _orders(options: Sequence[Span], most: int | None) -> Iterator[Option]:
    count = math.factorial(len(options))
    yield from (_order(options, n) for n in range(1, count if most is None else min(count, most + 1)))


def _order(options: Sequence[Span], number: int) -> Option:
    """Permutation `number` of the options in lexicographic order; 0 is the order that they have."""
    left, pieces = list(options), list[Piece]()
    while left:
        at, number = divmod(number, math.factorial(len(left) - 1))
        option = left.pop(at)
        if pieces:
            pieces.append(New(SEPARATOR))
        pieces.append(Keep(option.start, option.end))
    return tuple(pieces)


def _applies(setting: Setting) -> str | None:
    if setting.kind != "choice":
        return "only choice questions have options"
    return None if "choices" in setting.fields else "the options of this question may not change"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Orders()


OPTION_ORDER = Perturbation(
    name="option-order",
    nature="preserving",
    summary="the options of a choice question in another order",
    source="Pezeshkpour & Hruschka 2024 (LLM Sensitivity to the Order of Options in Multiple-Choice Questions)",
    unit="question",
    languages="all, of choice questions",
    whole=True,
    applies=_applies,
    prepare=_prepare,
)
