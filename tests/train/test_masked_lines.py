"""Single lines and pairs of translations, in the share that was asked for."""

from __future__ import annotations

import pytest

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.train.masked import training_lines

PARALLEL = [ParallelLine(f"p{i}", (("en", f"en {i}"), ("de", f"de {i}"), ("sw", f"sw {i}"))) for i in range(100)]
TEXT = [TextLine(f"t{i}", "fr", f"fr {i}") for i in range(60)]


@pytest.mark.parametrize(("share", "pairs"), [(0.0, 0), (0.25, 100), (0.4, 200), (0.5, 300)])
def test_pairs_are_the_share_of_all_lines_beside_every_text_once(share: float, pairs: int) -> None:
    lines = training_lines([PARALLEL], share, seed=1)
    single = [line for line in lines if isinstance(line, TextLine)]
    assert len(lines) - len(single) == pairs
    assert [line.text for line in single] == [f"{code} {i}" for code in ("en", "de", "sw") for i in range(100)]


def test_the_share_counts_the_lines_of_every_corpus() -> None:
    lines = training_lines([PARALLEL, TEXT], 0.5, seed=1)
    assert [type(line) for line in lines] == [TextLine] * 360 + [ParallelLine] * 360


def test_pairs_alone_are_as_many_as_the_single_lines_would_be() -> None:
    assert [type(line) for line in training_lines([PARALLEL], 1.0, seed=1)] == [ParallelLine] * 300


def test_pairs_are_drawn_from_the_seed() -> None:
    first, again, other = (training_lines([PARALLEL], 0.5, seed) for seed in (1, 1, 2))
    assert first == again != other


def test_text_that_is_not_parallel_stays_as_it_is() -> None:
    alone = [ParallelLine("p", (("en", "one"),))]
    assert training_lines([TEXT], 0.5, seed=1) == TEXT
    assert training_lines([alone], 1.0, seed=1) == [TextLine("p", "en", "one")]
