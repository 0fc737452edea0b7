"""Parameters that several kinds of steps share: plain frozen data, no part of a study file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from crosswind.data.examples import Kind, Rows
from crosswind.tasks.base import TASKS
from crosswind.tasks.refs import DataRef

# Typical tokens of an example with XLM-R's pieces, for estimates of time only.
TOKENS_OF_KIND: dict[Kind, int] = {"pair": 50, "choice": 60, "tagging": 40, "span": 250, "query": 25}
UNKNOWN_SIZE = 5000  # examples of a split whose size is not declared


@dataclass(frozen=True)
class PoolingParams:
    """How a text becomes a vector, as asked for; what is None is the checkpoint's own.

    A `layer` below 1 is a share of the encoder's depth. `prefix` goes before every query and candidate.
    """

    mode: Literal["mean", "cls", "pooler"] | None = None
    layer: int | float | None = None
    prefix: str | None = None


@dataclass(frozen=True)
class SamplingParams:
    """How tasks of a phase are mixed (see `train.mixing.proportions`)."""

    cap: int | None = None
    temperature: float = 1.0


def examples_of(ref: DataRef) -> int:
    """The number of examples that a reference selects, as far as it can be known without reading."""
    if ref.rows:
        n = sum(high - low + 1 for low, high in Rows.parse(ref.rows).ranges)
    else:
        n = UNKNOWN_SIZE if ref.size is None else ref.size
    return min(most for most in (n, ref.limit, ref.sample) if most is not None)


@lru_cache(maxsize=4096)
def tokens_of(ref: DataRef) -> float:
    """Estimated tokens of predicting what a reference selects."""
    return float(examples_of(ref) * TOKENS_OF_KIND[TASKS[ref.task].kind])
