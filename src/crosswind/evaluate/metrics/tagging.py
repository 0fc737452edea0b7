"""Chunk F1 of tagging as seqeval computes it, in both of its behaviours, and token accuracy.

seqeval 0.0.12 (published XTREME numbers) takes the whole tag, or what follows its last hyphen, as
the chunk type, so UPOS tags are chunk types; from 0.0.16 on the first letter is dropped, so CCONJ
and SCONJ collapse. In both, the first letter acts as an IOBES prefix. For IOB2 tags they agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import eq
from typing import Literal

import numpy as np

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
    tokens = token_statistics(predicted, gold)
    counts = np.zeros((len(gold), 3))
    both = zip(_by_sentence(predicted, behaviour), _by_sentence(gold, behaviour), strict=True)
    for i, (guess, right) in enumerate(both):
        counts[i] = (len(guess & right), len(guess), len(right))
    return np.concatenate([counts, tokens], axis=1)


def token_statistics(predicted: Sequence[Sequence[str]], gold: Sequence[Sequence[str]]) -> Array:
    """`(sentences, 2)`: right tags, tags.

    Raises `ValueError` where a sentence has another number of tags than its gold.
    """
    if len(predicted) != len(gold):
        raise ValueError(f"{len(predicted)} predicted sentences for {len(gold)}")
    rows = np.zeros((len(gold), 2))
    for i, (guess, right) in enumerate(zip(predicted, gold, strict=True)):
        if len(guess) != len(right):
            raise ValueError(f"sentence {i}: {len(guess)} predicted tags for {len(right)}")
        rows[i] = (sum(map(eq, guess, right)), len(right))
    return rows


def chunks(tags: Sequence[str], behaviour: Behaviour = "0.0.12") -> list[Chunk]:
    """The chunks `(type, first, last)` of a tag sequence, both ends included, in order of their ends.

    The rules are those of conlleval, to which seqeval refers; a "." tag counts as outside, as there.
    """
    closed: list[Chunk] = []
    # A test set has millions of tags and a hundred pairs of neighbours: what a pair does is looked up.
    moves: dict[tuple[str, str], tuple[bool, bool, str]] = {}
    before, start = "", 0
    for i, tag in enumerate([*tags, "O"]):
        move = moves.get((before, tag))
        if move is None:
            move = moves[before, tag] = _move(before, tag, behaviour)
        ends, starts, kind = move
        if ends:
            closed.append((kind, start, i - 1))
        if starts:
            start = i
        before = tag
    return closed


def _move(before: str, tag: str, behaviour: Behaviour) -> tuple[bool, bool, str]:
    """Whether a chunk ends before a tag, whether one starts at it, and the type before (`before` is "" in front)."""
    last, last_type = (before[0], _type(before, behaviour)) if before else ("O", "")
    changed = _type(tag, behaviour) != last_type
    ends = _ends(last, tag[0]) or (changed and last not in "O.")
    starts = _starts(last, tag[0]) or (changed and tag[0] not in "O.")
    return ends, starts, last_type


def _by_sentence(sentences: Sequence[Sequence[str]], behaviour: Behaviour) -> list[set[Chunk]]:
    """Each sentence's chunks, in corpus offsets.

    All sentences are read as one sequence with an O after each, as seqeval does: from 0.0.16 on, a
    one-letter tag (X) after O opens no chunk and closes one that began earlier, even a sentence ago.
    """
    flat = [tag for sentence in sentences for tag in (*sentence, "O")]
    owner = np.repeat(np.arange(len(sentences)), [len(s) + 1 for s in sentences])
    by_sentence: list[set[Chunk]] = [set() for _ in sentences]
    for chunk in chunks(flat, behaviour):
        by_sentence[owner[chunk[2]]].add(chunk)
    return by_sentence


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
