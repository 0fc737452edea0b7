"""Examples that an attack made stand in the place of those they were made of, by chance anew in every epoch."""

from __future__ import annotations

from dataclasses import replace

from crosswind.data.examples import PairExample
from crosswind.train.mined import MinedExamples, with_mined

EXAMPLES = [PairExample(f"x/{i}", f"x/{i}", "en", f"text {i}", "other", i % 3) for i in range(400)]
FOUND = {("en", e.id): replace(e, first=e.first.upper()) for e in EXAMPLES[:300]}


def shouted(epoch: int, *, share: float, seed: int = 1, task: str = "xnli") -> set[int]:
    """The numbers of the examples that an epoch sees in the form that was mined."""
    shown = with_mined(EXAMPLES, [MinedExamples(FOUND, share)], task=task, seed=seed, epoch=epoch)
    assert [(e.id, e.label) for e in shown] == [(e.id, e.label) for e in EXAMPLES]
    assert all(e.first in (f"text {i}", f"TEXT {i}") for i, e in enumerate(shown))
    return {i for i, e in enumerate(shown) if e.first.isupper()}


def test_all_that_was_mined_is_seen_with_a_share_of_one_and_nothing_else() -> None:
    assert shouted(0, share=1.0) == set(range(300))


def test_a_share_of_the_visits_sees_them_and_each_epoch_others() -> None:
    first, second = shouted(0, share=0.25), shouted(1, share=0.25)
    assert all(50 < len(numbers) < 100 for numbers in (first, second))  # 75 expected, 7.5 its standard deviation
    assert first != second
    assert first == shouted(0, share=0.25)
    assert first != shouted(0, share=0.25, seed=2)


def test_of_two_attacks_the_first_that_is_drawn_stands_there() -> None:
    others = {key: replace(e, first="?") for key, e in FOUND.items()}
    sources = [MinedExamples(FOUND, 1.0), MinedExamples(others, 1.0)]
    shown = with_mined(EXAMPLES, sources, task="xnli", seed=1, epoch=0)
    assert not any(e.first == "?" for e in shown)
    half = with_mined(EXAMPLES, [replace(sources[0], share=0.5), sources[1]], task="xnli", seed=1, epoch=0)
    assert {e.first[0] for e in half[:300]} == {"T", "?"}
    assert {e.first[0] for e in half[300:]} == {"t"}
