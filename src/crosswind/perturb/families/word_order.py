"""Local reorder: a word changes places with one that follows it closely, within a phrase.

In a tagged sentence without spaces (Japanese, Chinese) the parts of one of its words stay in their order.
"""

from __future__ import annotations

import numpy as np
import regex

from crosswind.perturb.alternatives import Alternatives, Option
from crosswind.perturb.codes import CodeSlices, CodeTable, Integers, TextBatch
from crosswind.perturb.columns import Columned, Columns
from crosswind.perturb.direction_marks import has_marks, with_marks
from crosswind.perturb.draw import Words, choose
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pieces import Keep
from crosswind.perturb.words import is_unspaced, movable, tokenization, word_columns

_SPACE = regex.compile(r"\s")


class _Reorder(Columned):
    """A word moved behind one of those that follow it within a window; the white space stays where it is."""

    def __init__(self, language: str, window: int, *, touching: bool) -> None:
        super().__init__(self._columns)
        self._language, self._window, self._touching = language, window, touching
        self._solid = CodeTable(lambda char: int(_SPACE.match(char) is None))

    def _columns(self, batch: TextBatch) -> Columns:
        text = batch.text
        # A word that is missing is as punctuation: none of those around it that are there moves across it.
        asked = self._window - 1 if batch.simple and not has_marks(batch) else None  # `movable` looks at all words
        words = with_marks(batch, word_columns(batch, self._language, glued=True, asked=asked))
        starts, ends, names, _ = words
        solid = self._solid.some(batch.codes)
        solid[batch.first[1:] - 1] = True
        before = np.zeros(len(solid) + 1, dtype=np.int64)
        np.cumsum(solid, out=before[1:])
        # Nothing but white space stands between two words of a phrase: it ends at punctuation.
        joined = before[starts[1:]] == before[ends[:-1]]
        if not self._touching:
            joined &= starts[1:] > ends[:-1]
        count = len(starts)
        reach = np.zeros(count, dtype=np.int64)
        alive, differs = np.ones(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
        for step in range(1, min(self._window, count)):
            alive[:-step] &= joined[step - 1 :]
            alive[count - step :] = False
            reach += alive
            differs[:-step] |= alive[:-step] & (names[step:] != names[:-step])
        at = np.flatnonzero(differs)
        at = at[batch.asked(starts[at])]

        def options(i: int, first: int) -> tuple[Option, ...]:
            low = int(at[i])
            high = low + int(reach[low]) + 1
            spans = [(s - first, e - first) for s, e in zip(starts[low:high].tolist(), ends[low:high].tolist())]  # noqa: B905
            return tuple(_moves(spans, names[low:high].tolist()))

        def become(chosen: Integers, bits: Words) -> list[str] | CodeSlices:
            low = at[chosen]
            if (reach[low] == 1).all():  # two words change places
                a, b, c, d = starts[low], ends[low], starts[low + 1], ends[low + 1]
                return CodeSlices.of_parts(batch.codes, (c, d - c), (b, c - b), (a, b - a))
            texts = []
            for i, some in zip(chosen.tolist(), bits.tolist(), strict=True):
                moves = options(i, 0)
                pieces = moves[choose(some, len(moves))]
                texts.append("".join(text[p.start : p.end] for p in pieces if isinstance(p, Keep)))
            return texts

        return Columns(starts[at], ends[at + reach[at]], options, become, pieces=True, most=movable(batch, words))


def _moves(words: list[tuple[int, int]], names: list[int]) -> list[Option]:
    """The first word moved behind each of the others; the white space stays where it is."""
    moves: list[Option] = []
    for places in range(1, len(words)):
        if len(set(names[: places + 1])) == 1:
            continue
        order = [*words[1 : places + 1], words[0], *words[places + 1 :]]
        pieces = [Keep(*order[0])]
        for (_, end), (start, _), word in zip(words, words[1:], order[1:], strict=False):
            if end < start:
                pieces.append(Keep(end, start))
            pieces.append(Keep(*word))
        moves.append(tuple(pieces))
    return moves


def _prepare(setting: Setting, given: Given) -> Alternatives:
    touching = is_unspaced(setting.language) and not _in_given_words(setting)
    return _Reorder(setting.language, int(str(setting.params["window"])), touching=touching)


def _resources(setting: Setting) -> dict[str, str]:
    return {"word-order": "3" if _in_given_words(setting) else "2", **tokenization(setting.language)}


def _in_given_words(setting: Setting) -> bool:
    """Whether words that touch are parts of a given one: those of a tagged sentence are put together with spaces."""
    return is_unspaced(setting.language) and setting.kind == "tagging"


WORD_ORDER = Perturbation(
    name="word-order",
    nature="preserving",
    summary="a word moves behind its neighbour, not across punctuation; white space stays",
    source="Lample et al. 2018 (Unsupervised MT Using Monolingual Corpora Only), §2.3: a bounded shuffle",
    unit="word",
    languages="all; words of Chinese, Japanese and Thai by ICU",
    prepare=_prepare,
    resources=_resources,
    params=(Param("window", "integer", "words within which one moves", default=2, low=2, high=8),),
)
