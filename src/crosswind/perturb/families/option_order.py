"""The options of a choice question in another order; the right one is found again by where it went.

Orders that read as the one that they have, because two options are equal, are left out.
"""

from __future__ import annotations

import itertools
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

    def lacking(self, passages: Sequence[Passage]) -> str | None:
        return None if any(map(_differ, passages)) else "no question has two options that differ"

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        every = []
        for passage in passages:
            options = passage.parts[_FIRST_OPTION:]
            starts, ends = ([options[0].start], [options[-1].end]) if _differ(passage) else ([], [])
            every.append(Sites(starts, ends, passage=passage))
        return every

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        chosen: list[Option | None] = []
        for sites, _, bits in at:
            orders = math.factorial(len(_options(sites))) - 1
            first = bits * orders >> 64
            # The next order that reads otherwise: two of the options differ, so that there is one.
            numbers = (1 + (first + step) % orders for step in range(orders))
            chosen.append(next(order for n in numbers if (order := _order(sites, n)) is not None))
        return chosen

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[list[Option]]:
        return [[*itertools.islice(_orders(sites), most)] for sites, _ in at]


def _differ(passage: Passage) -> bool:
    return len({passage.text[o.start : o.end] for o in passage.parts[_FIRST_OPTION:]}) > 1


def _options(sites: Sites) -> tuple[Span, ...]:
    assert sites.passage is not None
    return sites.passage.parts[_FIRST_OPTION:]


def _orders(sites: Sites) -> Iterator[Option]:
    count = math.factorial(len(_options(sites)))
    yield from (order for n in range(1, count) if (order := _order(sites, n)) is not None)


def _order(sites: Sites, number: int) -> Option | None:
    """Permutation `number` of the options in lexicographic order, 0 being theirs; `None` if it reads as theirs."""
    assert sites.passage is not None
    text, options = sites.passage.text, _options(sites)
    left, pieces, texts = list(options), list[Piece](), list[str]()
    while left:
        at, number = divmod(number, math.factorial(len(left) - 1))
        option = left.pop(at)
        if pieces:
            pieces.append(New(SEPARATOR))
        pieces.append(Keep(option.start, option.end))
        texts.append(text[option.start : option.end])
    return None if texts == [text[o.start : o.end] for o in options] else tuple(pieces)


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
    resources=lambda setting: {"option-order": "2"},
)
