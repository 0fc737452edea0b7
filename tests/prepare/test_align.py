"""Word alignment: against the formulas, a corpus whose alignment is known, and real translations."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma

from crosswind.errors import UserError
from crosswind.prepare.align import Link, align, symmetrised, translation_table
from crosswind.prepare.align_vectors import SubwordVectors, align_by_vectors

Pairs = list[tuple[list[str], list[str]]]


def corpus(sentences: int, words: int, *, seed: int = 5) -> tuple[Pairs, list[set[Link]]]:
    """Sentences in a made-up language, with the alignment known: words of Zipf's law, neighbours that change places,
    words of the source that are dropped, and a particle without a counterpart."""
    random = np.random.default_rng(seed)
    share = 1 / np.arange(1, words + 1)
    pairs: Pairs = []
    gold: list[set[Link]] = []
    for _ in range(sentences):
        source = random.choice(words, size=random.integers(4, 14), p=share / share.sum()).tolist()
        order = list(range(len(source)))
        for i in range(len(order) - 1):
            if random.random() < 0.15:
                order[i], order[i + 1] = order[i + 1], order[i]
        target: list[str] = []
        links: set[Link] = set()
        for i in order:
            if random.random() < 0.05 and len(target) + 1 < len(source):
                continue
            links.add((i, len(target)))
            target.append(f"t{source[i]}")
            if random.random() < 0.05:
                target.append("particle")
        pairs.append(([f"s{w}" for w in source], target))
        gold.append(links)
    return pairs, gold


def rates(links: Sequence[Sequence[Link]], gold: Sequence[set[Link]]) -> tuple[float, float]:
    """Precision and recall of links."""
    hits = sum(len(set(a) & b) for a, b in zip(links, gold, strict=True))
    return hits / sum(map(len, links)), hits / sum(map(len, gold))


def test_the_table_is_that_of_the_published_formulas() -> None:
    """EM written out word by word (Dyer et al. 2013, equations 1 to 3 and §3.2)."""
    pairs, _ = corpus(30, 12)
    vocabulary = {w for _, t in pairs for w in t}
    table: defaultdict[tuple[str, str], float] = defaultdict(lambda: 1.0)
    for _ in range(5):
        counts: defaultdict[tuple[str, str], float] = defaultdict(float)
        for source, target in pairs:
            n, m = len(source), len(target)
            for i, word in enumerate(target, 1):
                weights = [math.exp(-4.0 * abs(i / m - j / n)) for j in range(1, n + 1)]
                prior = [0.08, *(0.92 * w / sum(weights) for w in weights)]
                scores = [p * table[s, word] for p, s in zip(prior, ["", *source], strict=True)]
                for s, score in zip(["", *source], scores, strict=True):
                    counts[s, word] += score / sum(scores)
        totals: defaultdict[str, float] = defaultdict(float)
        for (s, _), c in counts.items():
            totals[s] += c
        for (s, t), c in counts.items():
            table[s, t] = math.exp(digamma(c + 0.01) - digamma(totals[s] + 0.01 * len(vocabulary)))
    ours = translation_table(pairs)
    assert set(ours) == set(table)
    assert ours == pytest.approx(dict(table), rel=1e-9)


def test_known_alignments_are_recovered() -> None:
    pairs, gold = corpus(2000, 400)
    precision, recall = rates(align(pairs, symmetrise="intersection"), gold)
    assert precision > 0.98
    assert recall > 0.97
    precision, recall = rates(align(pairs), gold)
    assert precision > 0.95
    assert recall > 0.98
    # The diagonal is what the prior adds to IBM model 1.
    assert rates(align(pairs, symmetrise="intersection", tension=0.0), gold)[1] < 0.9


def test_equal_corpora_give_equal_links_and_empty_sides_give_none() -> None:
    pairs, _ = corpus(200, 50)
    links = align(pairs)
    assert links == align(pairs)
    holes: Pairs = [([], ["x"]), *pairs[:100], (["x"], []), *pairs[100:], ([], [])]
    with_holes = align(holes)
    assert [with_holes[0], with_holes[101], with_holes[-1]] == [[], [], []]
    assert with_holes[1:101] + with_holes[102:-1] == links
    assert align([]) == []


def test_both_directions_are_treated_alike() -> None:
    pairs, _ = corpus(200, 50)
    for how in ("intersection", "union"):
        swapped = align([(t, s) for s, t in pairs], symmetrise=how)
        assert [sorted((i, j) for j, i in links) for links in swapped] == align(pairs, symmetrise=how)


def test_symmetrisation_is_that_of_koehn() -> None:
    """The worked example of Koehn et al. 2003, figure 1 in small: growth along neighbours, then the loose ends."""
    there = [(0, 0), (1, 1), (2, 1), (4, 4)]
    back = [(0, 0), (1, 1), (1, 2), (3, 3)]
    assert symmetrised(there, back, "intersection") == [(0, 0), (1, 1)]
    assert symmetrised(there, back, "union") == [(0, 0), (1, 1), (1, 2), (2, 1), (3, 3), (4, 4)]
    assert symmetrised(there, back, "grow-diag") == [(0, 0), (1, 1), (1, 2), (2, 1)]
    # (3, 3) and (4, 4) touch nothing of it: only the last pass takes them.
    assert symmetrised(there, back, "grow-diag-final-and") == [(0, 0), (1, 1), (1, 2), (2, 1), (3, 3), (4, 4)]


def test_an_unknown_symmetrisation_is_refused() -> None:
    with pytest.raises(UserError, match="unknown symmetrisation 'grow'"):
        align([], symmetrise="grow")  # type: ignore[arg-type]


def vectors_of(sentences: Sequence[Sequence[str]]) -> list[SubwordVectors]:
    """Two sub-words a word; those of the same word but for case have the same vectors."""
    every = []
    for sentence in sentences:
        rows, words = [], []
        for i, word in enumerate(sentence):
            for part in (0, 1):
                seed = int.from_bytes(f"{word.lower()}{part}".encode()[:8], "little")
                rows.append(np.random.default_rng(seed).normal(size=16))
                words.append(i)
        every.append(SubwordVectors(np.array(rows).reshape(-1, 16), np.array(words, dtype=np.int64)))
    return every


@pytest.mark.parametrize("matching", ["argmax", "mwmf"])
def test_words_with_the_nearest_vectors_are_linked(matching: str) -> None:
    pairs = [(["red", "house", "and"], ["House", "Red"]), ([], ["x"]), (["a"], ["A"])]
    links = align_by_vectors(pairs, vectors_of, matching=matching)  # type: ignore[arg-type]
    assert links == [[(0, 1), (1, 0)], [], [(0, 0)]]


def test_an_unknown_matching_is_refused() -> None:
    with pytest.raises(UserError, match="unknown matching"):
        align_by_vectors([], vectors_of, matching="itermax")  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_real_encoder_gives_every_subword_of_every_word(real_encoder: Path) -> None:
    from crosswind.model.encoder import load_encoder
    from crosswind.model.subwords import EncoderSubwords

    encoder = load_encoder(str(real_encoder))
    subwords = EncoderSubwords(encoder)
    assert subwords.layer == round(encoder.layers * 2 / 3)
    sentences = [["The", "unbelievably", "old", "house"], ["Das", "alte", "Haus"], ["x"] * 520]
    every = subwords(sentences)
    for sentence, of_sentence in zip(sentences, every, strict=True):
        assert sorted(set(of_sentence.words.tolist())) == list(range(len(sentence)))
        assert (np.diff(of_sentence.words) >= 0).all()
        assert of_sentence.vectors.shape == (len(of_sentence.words), encoder.config.hidden_size)
    # A sentence has the same vectors whatever stands in its batch.
    assert np.array_equal(subwords(sentences[:1])[0].vectors, every[0].vectors)


@pytest.mark.slow
def test_translations_are_aligned_by_both_aligners(official_data: Callable[..., Path], real_encoder: Path) -> None:
    """Names and numbers of NTREX-like text stand in both languages: an aligner that works links them."""
    from crosswind.model.encoder import load_encoder
    from crosswind.model.subwords import EncoderSubwords

    root = official_data("tatoeba") / "tatoeba" / "v1"
    sides = [(root / f"tatoeba.deu-eng.{c}").read_text(encoding="utf-8").splitlines() for c in ("eng", "deu")]
    pairs = [(e.lower().split(), d.lower().split()) for e, d in zip(*sides, strict=True)]
    links = align(pairs)
    known = {("tom", "tom"), ("mary", "maria"), ("i", "ich"), ("he", "er"), ("is", "ist"), ("and", "und")}
    wanted = {
        (k, i, j)
        for k, (s, t) in enumerate(pairs)
        for i, a in enumerate(s)
        for j, b in enumerate(t)
        if (a, b) in known and s.count(a) == t.count(b) == 1
    }
    assert len(wanted) > 300
    got = {(k, i, j) for k, some in enumerate(links) for i, j in some}
    assert len(wanted & got) / len(wanted) > 0.9
    subwords = EncoderSubwords(load_encoder(str(real_encoder)))
    some = [w for w in wanted if w[0] < 100]
    by_vectors = align_by_vectors(pairs[:100], subwords)
    got = {(k, i, j) for k, one in enumerate(by_vectors) for i, j in one}
    assert len(set(some) & got) / len(some) > 0.6
