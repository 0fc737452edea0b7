"""Hard negatives: a right candidate of a query comes a second time with another content word, so that it is wrong.

The word is the longest one; it becomes the longest word of another candidate in the same language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial

from crosswind.data.examples import Candidate, Pool, QueryExample, Span
from crosswind.perturb.donors import Donors
from crosswind.perturb.draw import key
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.perturbation import Additions, Given, Param, Perturbation, Setting
from crosswind.perturb.words import segmentation, words


@lru_cache(maxsize=16384)  # the pool of a large test set, to which every severity and draw adds
def _longest(text: str, language: str) -> Span | None:
    """The longest word, the first of several."""
    return max(words(text, language), key=lambda w: w.end - w.start, default=None)


class _Negatives:
    def __init__(self, pool: Pool, count: int) -> None:
        self._pool, self._count = pool, count
        lent: dict[str, dict[str, str]] = {}
        for candidate in pool.candidates:
            word = _longest(candidate.text, candidate.language)
            if word is not None:
                lent.setdefault(candidate.language, {})[candidate.text[word.start : word.end]] = candidate.id
        self._donors = {language: Donors([*some], [*some.values()]) for language, some in lent.items()}

    def __call__(self, drawn: Sequence[tuple[Candidate | QueryExample, int]]) -> list[list[Candidate]]:
        return [self._of(query, bits) for query, bits in drawn if isinstance(query, QueryExample)]

    def _of(self, query: QueryExample, bits: int) -> list[Candidate]:
        negatives = []
        for name in query.gold:
            if name not in self._pool.index:
                continue
            candidate = self._pool.candidates[self._pool.index[name]]
            word = _longest(candidate.text, candidate.language)
            if word is None:
                continue
            for n in range(self._count):
                text = self._altered(candidate, word, bits ^ key(name, str(n)))
                if text is not None:
                    context = candidate.context.replace(candidate.text, text, 1)
                    negatives.append(
                        replace(candidate, id=f"{name}/negative/{query.id}/{n}", text=text, context=context)
                    )
        return negatives

    def _altered(self, candidate: Candidate, word: Span, bits: int) -> str | None:
        text = candidate.text
        fits = partial(_differs, text[word.start : word.end])
        other = self._donors[candidate.language].pick(bits, fits)
        return None if other is None else text[: word.start] + other + text[word.end :]


def _differs(word: str, other: str) -> bool:
    return other.casefold() != word.casefold()


def _add(setting: Setting, given: Given) -> Additions:
    pool = given["donors"].pool
    return _Negatives(pool, int(str(setting.params["count"])))


HARD_NEGATIVES = Perturbation(
    name="hard-negatives",
    nature="preserving",
    summary="the right candidate comes a second time with its longest word exchanged: a wrong one that is near",
    source="own; near-duplicates as distractors of retrieval",
    unit="query",
    languages="all, of retrieval tasks",
    applies=lambda setting: "only retrieval has candidates to add to" if setting.kind == "line" else None,
    needs=lambda setting: (DataNeed("donors"),),
    add=_add,
    adds_for="queries",
    resources=lambda setting: segmentation(setting.language, endings=False),
    params=(Param("count", "integer", "negatives for each right candidate", default=1, low=1, high=100),),
)
