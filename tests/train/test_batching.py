"""The batches of a step: exact sizes, whole epochs, alike lengths, no memory of the steps before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.train.batching import WINDOW, BatchStream, micro_batches, padded_length

Sizes = st.integers(1, 130)


@given(n=Sizes, batch=st.integers(1, 9), seed=st.integers(0, 9))
def test_every_epoch_sees_every_example_once_in_batches_of_the_exact_size(n: int, batch: int, seed: int) -> None:
    lengths = np.random.default_rng(n).integers(1, 50, n)
    stream = BatchStream(lengths, batch, seed)
    batches = [stream[i] for i in range(2 * WINDOW)]
    assert {len(b) for b in batches} == {batch}
    # Windows are whole, and inside them a batch may hold members of two epochs: count by window.
    for windows in (1, 2):
        seen = np.bincount(np.concatenate(batches[: windows * WINDOW]), minlength=n)
        whole, rest = divmod(windows * WINDOW * batch, n)
        assert set(seen.tolist()) <= {whole, whole + 1}
        assert int((seen == whole + 1).sum()) == rest


@given(n=st.integers(2, 60), batch=st.integers(1, 5), order=st.permutations(range(3 * WINDOW)))
def test_a_steps_batch_does_not_depend_on_which_steps_were_asked_before(n: int, batch: int, order: list[int]) -> None:
    lengths = list(range(n))
    straight = BatchStream(lengths, batch, 1)
    expected = {i: straight[i].tolist() for i in range(3 * WINDOW)}
    jumping = BatchStream(lengths, batch, 1)
    for i in order[:20]:
        assert jumping[i].tolist() == expected[i]


def test_examples_of_a_batch_are_of_like_length() -> None:
    lengths = np.random.default_rng(0).integers(1, 500, 4000)
    stream = BatchStream(lengths, 16, 1)
    spread = [np.ptp(lengths[stream[i]]) for i in range(WINDOW)]
    assert max(spread) < 40  # of 500; 16 drawn at random spread over 440 on average
    means = [float(lengths[stream[i]].mean()) for i in range(WINDOW)]
    assert means != sorted(means)  # the batches of a window are shuffled


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=40), seed=st.integers(0, 9))
def test_examples_of_a_cluster_come_one_after_another(sizes: list[int], seed: int) -> None:
    random = np.random.default_rng(seed)
    clusters = random.permutation([f"c{i}" for i, size in enumerate(sizes) for _ in range(size)]).tolist()
    n = len(clusters)
    stream = BatchStream([7] * n, 1, seed, clusters)
    ordered = stream._slice(0, 2 * n)
    for epoch in (ordered[:n], ordered[n:]):
        assert sorted(epoch.tolist()) == list(range(n))
        names = [clusters[i] for i in epoch]
        changes = sum(a != b for a, b in pairwise(names))
        assert changes == len(sizes) - 1


def test_clusters_of_one_change_nothing() -> None:
    lengths = np.random.default_rng(0).integers(1, 50, 200)
    alone = BatchStream(lengths, 8, 1, [f"c{i}" for i in range(200)])
    assert all(np.array_equal(alone[i], BatchStream(lengths, 8, 1)[i]) for i in range(30))


def test_batches_hold_whole_clusters_where_they_fit() -> None:
    clusters = [f"c{i // 4}" for i in range(4 * 1000)]
    lengths = np.random.default_rng(0).integers(1, 50, len(clusters))
    stream = BatchStream(lengths, 16, 1, clusters)
    # A window of an epoch's first 800 examples holds 200 clusters of four, four in each batch.
    for i in range(WINDOW):
        batch = stream[i]
        assert [clusters[j] for j in batch[::4]] == [clusters[j] for j in batch[3::4]]
        assert len({clusters[j] for j in batch}) == 4
    assert max(int(np.ptp([lengths[j // 4 * 4 : j // 4 * 4 + 4].max() for j in stream[i]])) for i in range(WINDOW)) < 20


def test_epochs_and_seeds_give_other_orders() -> None:
    first, second = (BatchStream([1] * WINDOW, 1, 1), BatchStream([1] * WINDOW, 1, 2))
    epochs = [[int(first[i][0]) for i in range(e * WINDOW, (e + 1) * WINDOW)] for e in (0, 1)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(WINDOW))
    assert epochs[0] != epochs[1]
    assert epochs[0] != [int(second[i][0]) for i in range(WINDOW)]


def test_a_source_without_examples_is_refused() -> None:
    with pytest.raises(ValueError, match="no examples"):
        BatchStream([], 4, 1)


@given(
    members=st.lists(st.tuples(st.integers(1, 60), st.integers(1, 5)), min_size=1, max_size=20),
    tokens=st.integers(1, 400),
)
def test_micro_batches_cut_the_batch_within_the_token_budget(members: list[tuple[int, int]], tokens: int) -> None:
    lengths, heights = [m[0] for m in members], [m[1] for m in members]
    parts = micro_batches(lengths, heights, tokens)
    assert sorted(i for part in parts for i in part) == list(range(len(members)))
    for part in parts:
        padded = sum(heights[i] for i in part) * max(lengths[i] for i in part)
        assert padded <= tokens or len(part) == 1
    ordered = [lengths[i] for part in parts for i in part]
    assert ordered == sorted(ordered)


def test_micro_batches_of_a_small_case() -> None:
    """Rows 2 x 8 fit 16 tokens; the row of 20 stands alone though it does not fit."""
    assert micro_batches([8, 20, 8, 3], [1, 1, 1, 2], 16) == [[3], [0, 2], [1]]


def test_lengths_are_rounded_up_by_at_most_a_sixteenth_and_to_few_values() -> None:
    rounded = [padded_length(n) for n in range(1, 513)]
    assert all(n <= r <= n * 17 / 16 for n, r in enumerate(rounded, 1))
    assert len({r for r in rounded if r > 256}) == 16
    assert [padded_length(n) for n in (31, 33, 65, 129, 512)] == [31, 34, 68, 136, 512]


def test_every_example_of_a_batch_comes_with_its_epoch() -> None:
    stream = BatchStream([3, 1, 2, 5, 4], 2, seed=1)
    seen: dict[int, list[int]] = {i: [] for i in range(5)}
    for step in range(50):  # a window: 100 examples, 20 epochs
        indices, epochs = stream.visits(step)
        assert indices.tolist() == stream[step].tolist()
        for i, epoch in zip(indices.tolist(), epochs.tolist(), strict=True):
            seen[i].append(epoch)
    assert all(sorted(epochs) == list(range(20)) for epochs in seen.values())
