"""A linear classifier on hashed bags of words and word pairs: what one field of an example gives away."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

WIDTH = 1 << 12


def features(texts: Sequence[str]) -> csr_matrix:
    """Hashed words, pairs of neighbours and pairs two apart, `(texts, WIDTH)`, and a constant."""
    rows: list[int] = []
    columns: list[int] = []
    for row, text in enumerate(texts):
        words = ["<", *text.replace(".", " .").replace("?", " ?").split(), ">"]
        grams = [*words, *map(" ".join, pairwise(words))]
        grams += [f"{a} _ {b}" for a, b in zip(words, words[2:], strict=False)]
        found = {zlib.crc32(gram.encode()) % (WIDTH - 1) for gram in grams} | {WIDTH - 1}
        rows += [row] * len(found)
        columns += sorted(found)
    return csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), WIDTH))


def fit(x: csr_matrix, y: npt.NDArray[np.int64], classes: int, penalty: float = 3.0) -> npt.NDArray[np.float64]:
    """Weights `(WIDTH, classes)` of multinomial logistic regression with an L2 penalty."""
    xt = x.T.tocsr()

    def loss(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        scores = x @ flat.reshape(WIDTH, classes)
        scores -= scores.max(axis=1, keepdims=True)
        chances = np.exp(scores)
        chances /= chances.sum(axis=1, keepdims=True)
        value = -np.log(chances[np.arange(len(y)), y] + 1e-12).sum() + penalty / 2 * (flat**2).sum()
        chances[np.arange(len(y)), y] -= 1
        return float(value), np.asarray(xt @ chances).ravel() + penalty * flat

    found = minimize(loss, np.zeros(WIDTH * classes), jac=True, method="L-BFGS-B", options={"maxiter": 30})
    return np.asarray(found.x.reshape(WIDTH, classes))


def classified(
    train: Sequence[str], labels: Sequence[int], test: Sequence[str], gold: Sequence[int]
) -> tuple[int, int]:
    """(right, of) on the test texts, by a classifier trained on the others."""
    weights = fit(features(train), np.asarray(labels), max(labels) + 1)
    return int((np.argmax(features(test) @ weights, axis=1) == np.asarray(gold)).sum()), len(test)


def ranked(
    train: Sequence[Sequence[str]], labels: Sequence[int], test: Sequence[Sequence[str]], gold: Sequence[int]
) -> tuple[int, int]:
    """(right, of) where the best of several texts is chosen by one linear score, as a choice head does."""
    flat = [text for texts in train for text in texts]
    right = [int(i == label) for texts, label in zip(train, labels, strict=True) for i in range(len(texts))]
    weights = fit(features(flat), np.asarray(right), 2)
    scores = features([text for texts in test for text in texts]) @ (weights[:, 1] - weights[:, 0])
    tables = scores.reshape(len(test), -1)
    return int((np.argmax(tables, axis=1) == np.asarray(gold)).sum()), len(test)


def crossed(prompt: str, choice: str) -> str:
    """Every word of a prompt with every word of a choice, so that a linear score sees both."""
    pairs = [f"{a}^{b}" for a in prompt.split() for b in choice.split()]
    return " ".join([*pairs, choice])
