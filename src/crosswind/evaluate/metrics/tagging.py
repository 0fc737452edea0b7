"""Chunk F1 of tagging as seqeval computes it, in both of its behaviours, and token accuracy.

seqeval 0.0.12 (published XTREME numbers) takes the whole tag, or what follows its last hyphen, as
the chunk type, so UPOS tags are chunk types; from 0.0.16 on the first letter is dropped, so CCONJ
and SCONJ collapse. In both, the first letter acts as an IOBES prefix. For IOB2 tags they agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import eq
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crosswind.data.examples import TaggingExample
from crosswind.evaluate.metrics.base import Array, Judge, Judged, Metric, f1_scores, mean_of
from crosswind.evaluate.predictions import Prediction

Behaviour = Literal["0.0.12", "0.0.16"]
Chunk = tuple[str, int, int]


def chunk_statistics(
    predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]], behaviour: Behaviour = "0.0.12"
) -> Array:
    """`(sentences, 5)`: chunks in common, predicted chunks, gold chunks; right tags, tags.

    Raises `ValueError` where a sentence has another number of tags than its gold.
    """
    lengths = _lengths(predicted, gold)
    if not len(lengths):
        return np.zeros((0, 5))
    guess, right = (_corpus(sentences) for sentences in (predicted, gold))
    p, g = _chunk_ends(guess, behaviour), _chunk_ends(right, behaviour)
    common = p.at & g.at & (p.start == g.start)
    common[common] = [p.kinds[i] == g.kinds[j] for i, j in zip(p.kind[common], g.kind[common], strict=True)]
    # A sentence's columns are those of its tags and of the O behind them, where a chunk at its end is closed.
    owner = np.repeat(np.arange(len(gold)), lengths + 1)
    counts = [np.bincount(owner[:-1][at[1:]], minlength=len(gold)) for at in (common, p.at, g.at)]
    return np.column_stack([*counts, token_statistics(predicted, gold)]).astype(np.float64)


def token_statistics(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> Array:
    """`(sentences, 2)`: right tags, tags.

    Raises `ValueError` where a sentence has another number of tags than its gold.
    """
    lengths = _lengths(predicted, gold)
    # All tags in a row: a sum for each sentence costs more than the comparisons.
    right = np.fromiter(map(eq, _flat(predicted), _flat(gold)), dtype=bool, count=int(lengths.sum()))
    owner = np.repeat(np.arange(len(gold)), lengths)
    return np.column_stack([np.bincount(owner[right], minlength=len(gold)), lengths]).astype(np.float64)


def _flat(sentences: Sequence[Sequence[str]]) -> Iterator[str]:
    return chain.from_iterable(sentences)


def _lengths(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> NDArray[np.int64]:
    """The number of tags of each sentence; a `ValueError` where the two differ in it."""
    if len(predicted) != len(gold):
        raise ValueError(f"{len(predicted)} predicted sentences for {len(gold)}")
    lengths = [[len(tags) for tags in sentences] for sentences in (predicted, gold)]
    for i, (given, expected) in enumerate(zip(*lengths, strict=True)):
        if given != expected:
            raise ValueError(f"sentence {i}: {given} predicted tags for {expected}")
    return np.array(lengths[1], dtype=np.int64)


def chunks(tags: Sequence[str], behaviour: Behaviour = "0.0.12") -> list[Chunk]:
    """The chunks `(type, first, last)` of a tag sequence, both ends included, in order of their ends.

    The rules are those of conlleval, to which seqeval refers; a "." tag counts as outside, as there.
    """
    ends = _chunk_ends([*tags, "O"], behaviour)
    at = np.flatnonzero(ends.at)
    rows = zip(ends.kind[at].tolist(), ends.start[at].tolist(), at.tolist(), strict=True)
    return [(ends.kinds[kind], start, i - 1) for kind, start, i in rows]


@dataclass(frozen=True)
class _Ends:
    """Where chunks end in a row of tags, one value a tag: whether one ends before it, its type's number, its start."""

    at: NDArray[np.bool_]
    kind: NDArray[np.int64]
    start: NDArray[np.int64]
    kinds: tuple[str, ...]


def _chunk_ends(tags: Sequence[str], behaviour: Behaviour) -> _Ends:
    """The chunks of a row of tags.

    A test set has millions of tags and a hundred pairs of neighbours: what a pair does is looked up.
    """
    names = ("", *dict.fromkeys(tags))  # "" stands in front of the first tag
    number = {name: i for i, name in enumerate(names)}
    number[""] = 0
    ids = np.fromiter(map(number.__getitem__, tags), dtype=np.int64, count=len(tags))
    pairs = np.concatenate([[0], ids[:-1]]) * len(names) + ids
    seen, which = np.unique(pairs, return_inverse=True)
    moves = [_move(names[pair // len(names)], names[pair % len(names)], behaviour) for pair in seen.tolist()]
    at, starts = np.array(moves, dtype=bool)[which].T
    last = np.maximum.accumulate(np.where(starts, np.arange(len(tags)), 0))
    start = np.concatenate([[0], last[:-1]])  # the last start before each tag
    kinds = tuple(_type(name, behaviour) if name else "" for name in names)
    return _Ends(at, np.concatenate([[0], ids[:-1]]), start, kinds)


@lru_cache(maxsize=65536)
def _move(before: str, tag: str, behaviour: Behaviour) -> tuple[bool, bool]:
    """Whether a chunk ends before a tag and whether one starts at it (`before` is "" in front)."""
    last, last_type = (before[0], _type(before, behaviour)) if before else ("O", "")
    changed = _type(tag, behaviour) != last_type
    ends = _ends(last, tag[0]) or (changed and last not in "O.")
    starts = _starts(last, tag[0]) or (changed and tag[0] not in "O.")
    return ends, starts


def _corpus(sentences: Sequence[Sequence[str]]) -> list[str]:
    """All sentences as one row with an O after each, as seqeval reads them.

    From 0.0.16 on, a one-letter tag (X) after O opens no chunk and closes one that began earlier, even a sentence ago.
    """
    return [tag for sentence in sentences for tag in (*sentence, "O")]


def _type(tag: str, behaviour: Behaviour) -> str:
    if behaviour == "0.0.12":
        return tag.rpartition("-")[2]
    rest = tag[1:]
    return (rest.partition("-")[2] if "-" in rest else rest) or "_"


def _ends(before: str, prefix: str) -> bool:
    """Whether a chunk ends between two tags of one type, by their IOBES prefixes."""
    return before in "ES" or (before in "BI" and prefix in "BSO")


def _starts(before: str, prefix: str) -> bool:
    """Whether a chunk starts at a tag of the type before it, by their IOBES prefixes."""
    return prefix in "BS" or (before in "ESO" and prefix in "EI")


def _judge_chunks(behaviour: Behaviour) -> Judge:
    def judge(
        examples: Sequence[TaggingExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]
    ) -> Judged:
        return Judged.by_example(examples, chunk_statistics(*tags_of(examples, predictions), behaviour))

    return judge


def _judge_tokens(
    examples: Sequence[TaggingExample], predictions: Sequence[Prediction], fitted: Mapping[str, float]
) -> Judged:
    predicted, gold = tags_of(examples, predictions)
    counts = Counter(tag for tags in gold for tag in tags)
    commonest = counts.most_common(1)[0][0] if counts else None
    guessed = np.array([[sum(tag == commonest for tag in tags)] for tags in gold], dtype=np.float64).reshape(-1, 1)
    return Judged.by_example(examples, np.concatenate([token_statistics(predicted, gold), guessed], axis=1))


def tags_of(
    examples: Sequence[TaggingExample], predictions: Sequence[Prediction]
) -> tuple[list[Sequence[str]], list[Sequence[str]]]:
    """The predicted and the gold tags of each sentence."""
    return [p["tags"] for p in predictions], [e.tags or () for e in examples]


def _seqeval(name: str, behaviour: Behaviour) -> Metric:
    return Metric(
        name=name,
        version=1,
        columns=("tp", "predicted", "gold", "correct", "tokens"),
        scores={**f1_scores(), "token_accuracy": mean_of(3, 4)},
        judge=_judge_chunks(behaviour),
        kinds=("tagging",),
        settings={"seqeval": behaviour},
        formula="2 * right chunks / (predicted chunks + gold chunks), in points, over the whole test set",
        source=f"seqeval {behaviour}, metrics/sequence_labeling.py (after conlleval); XTREME's evaluate.py",
        unknown_chance="random tags make few chunks and fewer right ones; no constant answer is a chunk in every task",
    )


SEQEVAL = _seqeval("seqeval-f1", "0.0.12")
SEQEVAL_NEW = _seqeval("seqeval-f1-new", "0.0.16")
TOKEN_ACCURACY = Metric(
    name="token-accuracy",
    version=2,
    columns=("correct", "tokens", "guessed"),
    scores={"token_accuracy": mean_of(0, 1)},
    judge=_judge_tokens,
    chance=mean_of(2, 1),
    kinds=("tagging",),
    formula="100 * words with the right tag / words; guessing is the commonest gold tag of the test set",
    source="Petrov et al. 2012, A Universal Part-of-Speech Tagset, section 4 (tagging accuracy)",
)
