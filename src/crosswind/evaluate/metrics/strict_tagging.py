"""Entity F1 of seqeval's strict mode: IOB2, an entity counts only where it is written as the scheme demands.

In the default mode a chunk also begins where a type changes or behind an O (`I-PER` alone is an entity). Here an
entity is a `B-X` with the `I-X` that follow it, and nothing else: an `I-` that continues no entity of its type is no
part of any. The semantics are those of seqeval 1.2.2, `scheme.py`, with `mode="strict", scheme=IOB2`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from crosswind.data.examples import TaggingExample
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import Array, Judged, Metric, f1_scores, mean_of
from crosswind.evaluate.metrics.tagging import Chunk, tags_of, token_statistics
from crosswind.evaluate.predictions import Prediction


def strict_entities(tags: Sequence[str]) -> list[Chunk]:
    """The entities `(type, first, last)` of an IOB2 tag sequence, both ends included, in order.

    A type is what follows the first letter, without hyphens at its ends (`_` where nothing is left), as in seqeval.
    Raises `ValueError` for a tag that begins with none of B, I and O.
    """
    entities: list[Chunk] = []
    open_type: str | None = None
    for i, tag in enumerate(tags):
        prefix, kind = tag[:1], tag[1:].strip("-") or "_"
        if prefix not in ("B", "I", "O"):
            raise ValueError(f"{tag!r} is no tag of the scheme IOB2")
        if prefix == "B":
            entities.append((kind, i, i))
            open_type = kind
        elif prefix == "I" and kind == open_type:
            entities[-1] = (kind, entities[-1][1], i)
        else:
            open_type = None
    return entities


def strict_statistics(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> Array:
    """`(sentences, 5)`: entities in common, predicted entities, gold entities; right tags, tags.

    Raises `ValueError` for a sentence with another number of tags than its gold, and for a tag of another scheme.
    """
    tokens = token_statistics(predicted, gold)
    counts = np.zeros((len(gold), 3))
    for i, (guess, right) in enumerate(zip(predicted, gold, strict=True)):
        p, g = set(strict_entities(guess)), set(strict_entities(right))
        counts[i] = (len(p & g), len(p), len(g))
    return np.concatenate([counts, tokens], axis=1)


def _judge(
    examples: Sequence[TaggingExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]
) -> Judged:
    try:
        statistics = strict_statistics(*tags_of(examples, predictions))
    except ValueError as error:
        raise UserError(
            f"the metric 'seqeval-f1-strict' judges O, B-… and I-…: {error}",
            where=examples[0].language,
            hint="judge other tags by seqeval-f1 or token-accuracy",
        ) from error
    return Judged.by_example(examples, statistics)


SEQEVAL_STRICT = Metric(
    name="seqeval-f1-strict",
    version=1,
    columns=("tp", "predicted", "gold", "correct", "tokens"),
    scores={**f1_scores(), "token_accuracy": mean_of(3, 4)},
    judge=_judge,
    kinds=("tagging",),
    settings={"seqeval": "1.2.2", "mode": "strict", "scheme": "IOB2"},
    formula="2 * right entities / (predicted entities + gold entities), in points, over the whole test set",
    source='seqeval 1.2.2, metrics/v1.py and scheme.py: f1_score(mode="strict", scheme=IOB2)',
    unknown_chance="random tags make few entities and fewer right ones; predicting none scores 0",
)
