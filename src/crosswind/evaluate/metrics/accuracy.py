"""Accuracy: classification, multiple choice, Tatoeba's nearest neighbour."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from crosswind.evaluate.metrics.base import Array, Metric, mean_of

ACCURACY = Metric("accuracy", 1, ("correct", "n"), {"accuracy": mean_of(0, 1)})


def statistics(predicted: ArrayLike, gold: ArrayLike) -> Array:
    """`(items, 2)`: whether each prediction equals its gold label, and 1.

    Labels are whole numbers; a missing prediction is any number that is no label (-1).
    """
    p, g = np.asarray(predicted), np.asarray(gold)
    if p.shape != g.shape or p.ndim != 1:
        raise ValueError(f"{p.shape} predictions for {g.shape} labels")
    return np.stack([(p == g).astype(np.float64), np.ones(len(g))], axis=1)
