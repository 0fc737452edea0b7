"""Subword regularisation of unigram tokenizers: a cut is drawn by its probability among all that there are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from crosswind.model.sampled import WordCutter, WordPart, fused
from crosswind.train.knobs import Knob, Numbers
from crosswind.train.subwords import SubwordRegularisation, refuse_options

UNKNOWN_PENALTY = 10.0  # below the least score, for a character that no piece holds (SentencePiece, unigram_model.cc)
_WORDS = 65_536  # whose cuts are kept

_Arcs = tuple[tuple[int, int, float], ...]
"""Into one place of a word: where a piece begins, its number, and its share of the probability."""


def _prepare(model: Mapping[str, Any], settings: Numbers, special: frozenset[str]) -> WordCutter:
    refuse_options("unigram-sampling", model, {"byte_fallback": (None, False)})
    pieces = {piece: (number, score) for number, (piece, score) in enumerate(model["vocab"]) if piece not in special}
    longest = max(map(len, pieces), default=1)
    unknown: int | None = model["unk_id"]
    unknown_score = min(score for _, score in model["vocab"]) - UNKNOWN_PENALTY
    alpha = settings["alpha"]

    @lru_cache(maxsize=_WORDS)
    def arcs_of(word: str) -> tuple[_Arcs, ...]:
        """For each place behind a character the pieces that end there, by the weight of all cuts up to them.

        Forward filtering: the logarithm of the summed weights of all cuts of a word's beginning, each weight the
        product of the probabilities of its pieces, to the power of alpha.
        """
        forward = [0.0]
        arcs: list[_Arcs] = []
        for end in range(1, len(word) + 1):
            into: list[tuple[int, int, float]] = []
            for start in range(max(end - longest, 0), end):
                known = pieces.get(word[start:end])
                if known is not None:
                    into.append((start, known[0], forward[start] + alpha * known[1]))
            if unknown is not None and word[end - 1] not in pieces:
                into.append((end - 1, unknown, forward[end - 1] + alpha * unknown_score))
            most = max((weight for _, _, weight in into), default=-math.inf)
            total = most + math.log(sum(math.exp(w - most) for _, _, w in into)) if into else -math.inf
            forward.append(total)
            arcs.append(tuple((start, number, math.exp(w - total)) for start, number, w in into))
        return tuple(arcs)

    def segment(word: str, random: Callable[[], float]) -> list[WordPart]:
        arcs = arcs_of(word)
        drawn: list[WordPart] = []
        end = len(word)
        while end > 0:  # backward sampling
            into = arcs[end - 1]
            if not into:
                end -= 1
                continue
            at, chosen = random(), into[-1]
            for arc in into:
                at -= arc[2]
                if at < 0:
                    chosen = arc
                    break
            start, number, _ = chosen
            drawn.append((number, start, end))
            end = start
        return fused(drawn[::-1], unknown)

    return segment


UNIGRAM_SAMPLING = SubwordRegularisation(
    name="unigram-sampling",
    model="Unigram",
    summary="a cut is drawn by its probability to the power of alpha, among all cuts of a word",
    source="Kudo 2018 (Subword Regularization), §3.3: all cuts (l = ∞), by forward filtering and backward sampling",
    prepare=_prepare,
    knobs=(Knob("alpha", 0.2, 0, 1e6, "0 draws all cuts alike, a large one the most probable"),),
)
