"""MaxMatch-dropout: the longest piece that WordPiece would take is passed over at random."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crosswind.model.sampled import WordCutter, WordPart
from crosswind.train.knobs import Knob, Numbers
from crosswind.train.subwords import SubwordRegularisation


def _prepare(model: Mapping[str, Any], settings: Numbers, special: frozenset[str]) -> WordCutter:
    vocabulary = {piece: number for piece, number in model["vocab"].items() if piece not in special}
    unknown, inside = int(model["vocab"][model["unk_token"]]), str(model["continuing_subword_prefix"])
    longest, dropout = int(model["max_input_chars_per_word"]), settings["dropout"]

    def cut(word: str, random: Callable[[], float], share: float) -> list[WordPart]:
        pieces: list[WordPart] = []
        start = 0
        while start < len(word) <= longest:
            for end in range(len(word), start, -1):
                number = vocabulary.get((inside if start else "") + word[start:end])
                if number is not None and (end - start == 1 or not share or random() >= share):
                    break
            else:
                # Where no piece is left of those that were not passed over, the word is cut as usual.
                return cut(word, random, 0) if share else [(unknown, 0, len(word))]
            pieces.append((int(number or 0), start, end))
            start = end
        return pieces if len(word) <= longest else [(unknown, 0, len(word))]

    def segment(word: str, random: Callable[[], float]) -> list[WordPart]:
        return cut(word, random, dropout)

    return segment


MAXMATCH_DROPOUT = SubwordRegularisation(
    name="maxmatch-dropout",
    model="WordPiece",
    summary="each piece that fits is passed over with a probability, for the next shorter one",
    source="Hiraoka 2022 (MaxMatch-Dropout: Subword Regularization for WordPiece), §3",
    prepare=_prepare,
    knobs=(Knob("dropout", 0.1, 0, 1, "probability that a piece is passed over; 0 gives the usual pieces"),),
)
