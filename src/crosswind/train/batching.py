"""Which examples a step sees, and how its batch is cut: deterministic, resumable, length-grouped.

A source is an endless stream of epochs, each a permutation drawn from the seed. The stream is cut
into windows of about 50 batches; inside a window examples are sorted by length, cut into batches of
exactly the optimiser's size, and the batches shuffled. Examples may be kept together with others of their
cluster: then clusters are permuted and sorted instead. So step *i* is a function of (seed, i): to
resume needs no sampler state, and the optimiser's batch does not depend on memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from crosswind.model.offsets import Ints

WINDOW = 50  # batches a window


class BatchStream:
    """Batches of example indices by step. `lengths` `(examples,)` are tokens.

    With `clusters` `(examples,)`, examples of a cluster come one after another; only the end of a batch or window
    parts them.
    """

    def __init__(
        self, lengths: Sequence[int] | Ints, batch_size: int, seed: int, clusters: Sequence[str] | None = None
    ) -> None:
        self.lengths = np.asarray(lengths, dtype=np.int64)
        if len(self.lengths) == 0:
            raise ValueError("no examples")
        self._order_by = self.lengths
        self._members: list[Ints] | None = None
        if clusters is not None and len(set(clusters)) < len(self.lengths):
            of = np.unique(np.asarray(clusters), return_inverse=True)[1]
            by_cluster = np.argsort(of, kind="stable")
            self._members = np.split(by_cluster, np.flatnonzero(np.diff(of[by_cluster])) + 1)
            self._order_by = self.lengths.copy()
            for members in self._members:
                self._order_by[members] = self.lengths[members].max()
        self.batch_size, self.seed = batch_size, seed
        self._window: tuple[int, list[tuple[Ints, Ints]]] = (-1, [])
        self._epoch: tuple[int, Ints] = (-1, np.zeros(0, dtype=np.int64))

    def __getitem__(self, step: int) -> Ints:
        """The example indices of a step's batch, `(batch_size,)`."""
        return self.visits(step)[0]

    def visits(self, step: int) -> tuple[Ints, Ints]:
        """The example indices of a step's batch and the epoch of each, `(batch_size,)`."""
        number, position = divmod(step, WINDOW)
        if self._window[0] != number:
            self._window = (number, self._cut(number))
        return self._window[1][position]

    def _cut(self, number: int) -> list[tuple[Ints, Ints]]:
        size = WINDOW * self.batch_size
        members = self._slice(number * size, (number + 1) * size)
        epoch_of = np.arange(number * size, (number + 1) * size) // len(self.lengths)
        by_length = np.argsort(self._order_by[members], kind="stable")
        indices, epochs = (a[by_length].reshape(WINDOW, self.batch_size) for a in (members, epoch_of))
        order = np.random.default_rng((self.seed, 2, number)).permutation(WINDOW)
        return [(indices[i], epochs[i]) for i in order]

    def _slice(self, start: int, stop: int) -> Ints:
        n = len(self.lengths)
        parts: list[Ints] = []
        while start < stop:
            epoch, offset = divmod(start, n)
            if self._epoch[0] != epoch:
                self._epoch = (epoch, self._permutation(epoch))
            part = self._epoch[1][offset : offset + stop - start]
            parts.append(part)
            start += len(part)
        return np.concatenate(parts)

    def _permutation(self, epoch: int) -> Ints:
        random = np.random.default_rng((self.seed, 1, epoch))
        if self._members is None:
            return random.permutation(len(self.lengths))
        return np.concatenate([self._members[i] for i in random.permutation(len(self._members))])


def micro_batches(lengths: Sequence[int], heights: Sequence[int], tokens: int) -> list[list[int]]:
    """Cut a batch into micro-batches of similar length: rows × longest row ≤ `tokens`.

    `lengths` and `heights` are each example's longest row and number of rows; the result lists
    positions in the batch, shortest first. An example beyond the budget stands alone.
    """
    order = sorted(range(len(lengths)), key=lambda i: (lengths[i], i))
    parts: list[list[int]] = []
    rows = 0
    for i in order:
        if parts and (rows + heights[i]) * lengths[i] <= tokens:
            parts[-1].append(i)
            rows += heights[i]
        else:
            parts.append([i])
            rows = heights[i]
    return parts


def padded_length(longest: int) -> int:
    """The length that a micro-batch is padded to: 16 steps an octave (33 to 34, 65 to 68, 129 to 136).

    CPU kernels are compiled and kept by shape, and the memory of a training that sees every length
    grows by hundreds of MiB; steps that grow with the length waste at most 6 %.
    """
    step = 1 << max(longest.bit_length() - 5, 0)
    return -(-longest // step) * step
