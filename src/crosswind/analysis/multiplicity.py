"""p-values of families: Holm 1979 for the few that are declared, Benjamini and Hochberg 1995 for big tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ALPHA = 0.05


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted so that one false verdict in the family is at most as likely as any one of them says.

    What has no p-value is no member of the family.
    """
    return _adjusted(values, step_up=False)


def benjamini_hochberg(values: Sequence[float | None]) -> list[float | None]:
    """p-values adjusted so that of the rejections at q at most a share q is expected to be false."""
    return _adjusted(values, step_up=True)


def _adjusted(values: Sequence[float | None], *, step_up: bool) -> list[float | None]:
    at = [i for i, p in enumerate(values) if p is not None]
    p = np.array([values[i] for i in at], dtype=np.float64)
    many = len(p)
    order = np.argsort(p, kind="stable")
    ranks = np.arange(1, many + 1)
    if step_up:
        scaled = np.minimum.accumulate((p[order] * many / ranks)[::-1])[::-1]
    else:
        scaled = np.maximum.accumulate(p[order] * (many - ranks + 1))
    adjusted: list[float | None] = [None] * len(values)
    for i, value in zip(order, np.minimum(scaled, 1.0), strict=True):
        adjusted[at[i]] = float(value)
    return adjusted
