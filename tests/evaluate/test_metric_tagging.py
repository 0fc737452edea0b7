"""Chunk F1 against literal cases and an independent reading of conlleval's decision tables."""

import itertools
import string

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crosswind.evaluate.metrics import tagging
from crosswind.evaluate.metrics.base import METRICS

UPOS = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
]
IOB2 = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG"]

# conlleval's tables, (previous prefix, prefix) -> for chunks of ONE type: does one end, does one start.
LETTERS = string.ascii_uppercase
ENDS = {(p, t) for p in "ES" for t in LETTERS} | {(p, t) for p in "BI" for t in "BSO"}
STARTS = {(p, t) for p in LETTERS for t in "BS"} | {(p, t) for p in "ESO" for t in "EI"}


def naive_chunks(tags, behaviour):
    """Independent: mark every border first, then cut; a stale border is the last start seen."""
    padded = ["O", *tags, "O"]

    def split(tag):
        if behaviour == "0.0.12":
            return tag[:1], tag.split("-")[-1]
        return tag[:1], tag[1:].split("-", 1)[-1] or "_"

    pairs = [split(t) for t in padded]
    pairs[0] = ("O", "")
    borders = []
    for (p, pt), (t, tt) in itertools.pairwise(pairs):
        differ = pt != tt
        ends = (p, t) in ENDS or (p != "O" and differ)
        starts = (p, t) in STARTS or (t != "O" and differ)
        borders.append((ends, starts))
    last_start = [0]
    for i, (_, starts) in enumerate(borders):
        last_start.append(i if starts else last_start[-1])
    return {(pairs[i][1], last_start[i], i - 1) for i, (ends, _) in enumerate(borders) if ends}


sentences = st.lists(st.lists(st.sampled_from(UPOS), min_size=1, max_size=8), min_size=1, max_size=5)


@given(sentences, st.randoms(use_true_random=False), st.sampled_from(["0.0.12", "0.0.16"]))
def test_upos_chunk_counts_agree_with_an_independent_implementation(gold, random, behaviour):
    guess = [[t if random.random() < 0.6 else random.choice(UPOS) for t in s] for s in gold]
    joined = [[t for s in corpus for t in (*s, "O")] for corpus in (guess, gold)]
    p, g = (naive_chunks(tags, behaviour) for tags in joined)
    total = tagging.chunk_statistics(guess, gold, behaviour)[:, :3].sum(axis=0)
    assert total.tolist() == [len(p & g), len(p), len(g)]
    # A sentence has the chunks that end in it, however early they began.
    rows, first = [], 0
    for given_tags, tags in zip(guess, gold, strict=True):
        mine = [{c for c in all_chunks if first <= c[2] <= first + len(tags)} for all_chunks in (p & g, p, g)]
        right = sum(a == b for a, b in zip(given_tags, tags, strict=True))
        rows.append([*map(len, mine), right, len(tags)])
        first += len(tags) + 1
    assert tagging.chunk_statistics(guess, gold, behaviour).tolist() == rows
    assert tagging.token_statistics(guess, gold).tolist() == [row[3:] for row in rows]


@given(st.lists(st.sampled_from(IOB2), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_both_behaviours_agree_on_iob2(gold, random):
    guess = [t if random.random() < 0.6 else random.choice(IOB2) for t in gold]
    old, new = (tagging.chunk_statistics([guess], [gold], b) for b in ("0.0.12", "0.0.16"))
    assert old.tolist() == new.tolist()
    p, g = (naive_chunks(tags, "0.0.12") for tags in (guess, gold))
    assert old[0, :3].tolist() == [len(p & g), len(p), len(g)]


def test_no_sentences_and_sentences_without_tags_have_no_chunks():
    assert tagging.chunk_statistics([], []).shape == (0, 5)
    assert tagging.chunk_statistics([[], ["X"]], [[], ["X"]]).tolist() == [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]


def test_adjacent_nouns_merge_and_adjacent_subordinators_stay_apart():
    # Protocol, "Tagging": in 0.0.12 the S of SCONJ and SYM acts as a prefix; NOUN, INTJ and X merge.
    assert tagging.chunks(["NOUN", "NOUN", "VERB"]) == [("NOUN", 0, 1), ("VERB", 2, 2)]
    assert tagging.chunks(["SCONJ", "SCONJ"]) == [("SCONJ", 0, 0), ("SCONJ", 1, 1)]
    assert tagging.chunks(["X", "X", "INTJ", "INTJ"]) == [("X", 0, 1), ("INTJ", 2, 3)]


def test_from_0_0_16_the_two_conjunctions_collapse():
    # The first letter is dropped: both are "CONJ"; after an S the next chunk still starts only at B, S, E or I.
    gold, guess = [["CCONJ", "NOUN"]], [["SCONJ", "NOUN"]]
    assert tagging.chunk_statistics(guess, gold, "0.0.12")[0, :3].tolist() == [1, 2, 2]
    assert tagging.chunk_statistics(guess, gold, "0.0.16")[0, :3].tolist() == [2, 2, 2]


def test_iob2_entities_are_right_only_as_wholes():
    # seqeval's README: F1 0.50 and accuracy 0.80 for these two sentences.
    gold = [["O", "O", "O", "B-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    guess = [["O", "O", "B-MISC", "I-MISC", "I-MISC", "I-MISC", "O"], ["B-PER", "I-PER", "O"]]
    stats = tagging.chunk_statistics(guess, gold)
    assert stats.tolist() == [[0, 1, 1, 5, 7], [1, 1, 1, 3, 3]]
    assert METRICS["seqeval-f1"].all_scores(stats) == {
        "f1": 50.0,
        "precision": 50.0,
        "recall": 50.0,
        "token_accuracy": 80.0,
    }


def test_sentences_do_not_run_into_one_another():
    one, two = [["NOUN"], ["NOUN"]], [["NOUN", "NOUN"]]
    assert tagging.chunk_statistics(one, one)[:, 2].tolist() == [1, 1]
    assert tagging.chunk_statistics(two, two)[:, 2].tolist() == [1]
    assert np.array_equal(tagging.token_statistics(one, one), [[1, 1], [1, 1]])
