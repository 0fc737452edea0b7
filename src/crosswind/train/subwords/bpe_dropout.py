"""BPE-dropout: merges of byte-pair encoding are left out at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crosswind.model.sampled import WordCutter, WordPart, fused
from crosswind.train.knobs import Knob, Numbers
from crosswind.train.subwords import SubwordRegularisation, refuse_options


def _prepare(model: Mapping[str, Any], settings: Numbers, special: frozenset[str]) -> WordCutter:
    options = dict.fromkeys(("continuing_subword_prefix", "end_of_word_suffix"), (None, ""))
    refuse_options("bpe-dropout", model, {**options, "byte_fallback": (None, False), "ignore_merges": (None, False)})
    vocabulary: dict[str, int] = model["vocab"]
    pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
    ranks = {(left, right): rank for rank, (left, right) in enumerate(pairs)}
    unknown = vocabulary.get(model["unk_token"]) if model.get("unk_token") else None
    dropout = settings["dropout"]

    def segment(word: str, random: Callable[[], float]) -> list[WordPart]:
        parts = list(word)
        while True:
            # Every place where a merge is possible is left out apart, at every step anew.
            best = None
            for i in range(len(parts) - 1):
                rank = ranks.get((parts[i], parts[i + 1]))
                if rank is not None and (best is None or rank < best[0]) and (not dropout or random() >= dropout):
                    best = (rank, i)
            if best is None:
                break
            i = best[1]
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        pieces = []
        at = 0
        for part in parts:
            number = vocabulary.get(part, unknown)
            if number is not None:
                pieces.append((number, at, at + len(part)))
            at += len(part)
        return fused(pieces, unknown) if model.get("fuse_unk") else pieces

    return segment


BPE_DROPOUT = SubwordRegularisation(
    name="bpe-dropout",
    model="BPE",
    summary="each merge that is possible at a step is left out with a probability",
    source="Provilkov et al. 2020 (BPE-Dropout: Simple and Effective Subword Regularization), algorithm 1; p = 0.1: §4",
    prepare=_prepare,
    knobs=(Knob("dropout", 0.1, 0, 1, "probability that a merge is left out; 0 gives the usual pieces"),),
)
