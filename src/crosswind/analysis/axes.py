"""How damage to a cell is measured: on several axes, of which none makes languages or perturbations equal by itself.

One character of Chinese carries more than one of English, so at one severity languages are not damaged alike. What is
said of languages, or of two perturbations, holds only if its sign holds at equal damage on at least three of the axes;
otherwise it depends on the axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from crosswind.analysis.contrasted import AxesHeld

AXES: Mapping[str, Callable[[Mapping[str, float]], float]] = {
    "items": lambda row: row["changed_items"],
    "words": lambda row: row["words_hit"],
    "edits": lambda row: row["edits"],
    "chrF": lambda row: 100.0 - row["chrf"],
    "tokens": lambda row: row["changed_tokens"],
    "unknown tokens": lambda row: row["unknown_tokens"],
}
"""Damage to a cell: the share of items that changed, of words, edits a text, chrF lost, tokens that the model reads
otherwise, unknown tokens that came. Each is linear in the columns of results, so that of means it is the mean."""


def axes_held(estimate: float, by_axis: Mapping[str, float]) -> AxesHeld | None:
    """On which axes a comparison at equal damage has the sign of an estimate; `None` where no axis is known."""
    if not by_axis:
        return None
    sign = np.sign(estimate)
    held = tuple(axis for axis, value in by_axis.items() if np.sign(value) == sign)
    return AxesHeld(held, tuple(axis for axis in by_axis if axis not in held))
