"""What a person sees of a run."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from crosswind.run.live import Live
from crosswind.run.progress import PlainLines, Silent, Tally, display, duration
from crosswind.run.step import Step

TRAIN = Step("train", 1, {}, label="train english", cost=60)
CELLS = [Step("cell", 1, {"n": n}, label=f"xnli {lang}", cost=20) for n, lang in enumerate(("de", "sw"))]


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_share_is_of_cost() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.planned([TRAIN, *CELLS])
    assert tally.seconds_left() is None
    tally.started(TRAIN.key)
    tally.advanced(TRAIN.key, 50, 100, "loss 0.71")
    clock.now = 30.0
    assert tally.share() == pytest.approx(0.3)
    tally.finished(TRAIN.key)
    tally.failed(CELLS[0].key, "no such language")
    assert tally.share() == pytest.approx(0.8)


def test_no_time_left_is_told_before_the_estimate_held_still_for_half_of_the_time() -> None:
    clock = Clock()
    tally = Tally(clock)
    tally.planned([TRAIN])
    tally.started(TRAIN.key)
    left = {}
    for second in range(1, 61):
        clock.now = float(second)
        tally.advanced(TRAIN.key, max(1, second - 10), 50, "")  # ten seconds go by before it gets under way
        left[second] = tally.seconds_left()
    told = [second for second, value in left.items() if value is not None]
    assert told[0] >= 20
    assert told[-1] == 60
    for second in told:
        assert 0.5 * (60 - second) <= left[second] <= 2 * (60 - second)


def test_the_pace_of_one_kind_of_step_is_not_taken_for_that_of_another() -> None:
    """Cells take ten times as long for their cost as the training did: all are half done before it can be known."""
    cells = [Step("cell", 1, {"n": n}, cost=1) for n in range(100)]
    train = Step("train", 1, {}, cost=100)
    clock = Clock()
    tally = Tally(clock)
    tally.planned([train, *cells])
    tally.started(train.key)
    clock.now = 10.0
    tally.finished(train.key)
    for n, cell in enumerate(cells):
        tally.started(cell.key)
        clock.now += 1.0
        tally.finished(cell.key)
        left = tally.seconds_left()
        assert n < 60 or left is None or 0.5 * (99 - n) <= left <= 2 * (99 - n)
    assert tally.seconds_left() == pytest.approx(0.0)


def test_steps_that_run_at_a_time_share_the_time_left() -> None:
    steps = [Step("cell", 1, {"n": n}, cost=10) for n in range(100)]
    clock = Clock()
    tally = Tally(clock)
    tally.planned(steps)
    for pair in zip(steps[:60:2], steps[1:60:2], strict=True):
        for step in pair:
            tally.started(step.key)
        clock.now += 2.0
        for step in pair:
            tally.finished(step.key)
        left = tally.seconds_left()
    assert left == pytest.approx(40.0)


def test_steps_that_cost_nothing_count_equally() -> None:
    free = [Step("cell", 1, {"n": n}) for n in range(4)]
    tally = Tally(Clock())
    tally.planned(free)
    tally.finished(free[0].key)
    assert tally.share() == pytest.approx(0.25)


def test_plain_lines_come_at_most_once_a_second_and_failures_at_once() -> None:
    clock, stream = Clock(), io.StringIO()
    more = [Step("cell", 1, {"n": n}, label=f"xnli {n}", cost=20) for n in (2, 3, 4)]
    with PlainLines(stream, clock) as lines:
        lines.planned([TRAIN, *CELLS, *more])  # costs 160 in all
        clock.now = 30.0
        lines.finished(TRAIN.key, "loss 0.52")
        clock.now = 30.4
        lines.finished(CELLS[0].key, "accuracy 71.2")
        lines.finished(CELLS[1].key, "accuracy 60.0")
        clock.now = 31.0
        lines.finished(more[0].key, "accuracy 50.0")
        clock.now = 31.1
        lines.failed(more[1].key, "no such language")
        lines.finished(more[2].key, "accuracy 40.0")
    assert stream.getvalue().splitlines() == [
        "6 steps to run: train 1, cell 5",
        "[ 38 %] train english  loss 0.52",
        "[ 75 %] xnli 2  accuracy 50.0  (and 2 more)",
        "FAILED xnli 3: no such language",
        "[100 %] xnli 4  accuracy 40.0",
    ]


def test_a_long_step_is_mentioned_every_half_minute() -> None:
    clock, stream = Clock(), io.StringIO()
    with PlainLines(stream, clock) as lines:
        lines.planned([TRAIN, *CELLS])
        lines.started(TRAIN.key)
        for second in range(1, 65):
            clock.now = float(second)
            lines.advanced(TRAIN.key, second, 100, f"loss 0.{second}")
    assert stream.getvalue().splitlines() == [
        "3 steps to run: train 1, cell 2",
        "[ 18 %] train english  loss 0.30",
        "[ 36 %] train english  loss 0.60  2 min left",
    ]


def test_the_live_display_shows_what_runs_what_was_found_and_the_share() -> None:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    live = Live(console)
    live.planned([TRAIN, *CELLS])
    live.finished(TRAIN.key, "loss 0.52")
    live.started(CELLS[0].key)
    live.advanced(CELLS[0].key, 3, 4, "accuracy [70]")
    console.print(live.render())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    rows = [" ".join(line.split()) for line in text.splitlines()]
    assert rows[:2] == ["✓ train english loss 0.52", "▸ xnli de 75 % accuracy [70]"]
    assert "75 % 1 of 3 steps" in rows[2]


def test_where_standard_error_is_no_terminal_there_are_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert type(display()) is PlainLines
    assert type(display(quiet=True)) is Silent


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (59.7, "1 min"), (600, "10 min"), (3599, "1 h 00 min"), (11100, "3 h 05 min")],
)
def test_durations_are_for_people(seconds: float, text: str) -> None:
    assert duration(seconds) == text
