"""Which task each step trains: examples-proportional mixing with a cap and a temperature.

p(task) ∝ min(n, cap)^(1/T) (Raffel et al. 2020, §3.5.2; Phang et al. 2020, §2.2 with T = 1); a
masked-LM share is set apart first: that share of the *steps* is masked LM.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def proportions(sizes: Sequence[int], *, cap: int | None = None, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Sampling probabilities `(tasks,)` from example counts."""
    capped = np.minimum(np.asarray(sizes, dtype=np.float64), cap if cap else np.inf)
    weights = capped ** (1.0 / temperature)
    return np.asarray(weights / weights.sum())


def schedule(probabilities: Sequence[float] | npt.NDArray[np.float64], steps: int, seed: int) -> npt.NDArray[np.int64]:
    """The task of each step, `(steps,)`: exact shares up to rounding, in random order.

    Largest remainders settle the rounding, so a small task is not left out by chance.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    exact = p * steps
    counts = np.floor(exact).astype(np.int64)
    rest = steps - int(counts.sum())
    counts[np.argsort(-(exact - counts), kind="stable")[:rest]] += 1
    tasks = np.repeat(np.arange(len(p)), counts)
    return np.asarray(np.random.default_rng((seed, 3)).permutation(tasks))
