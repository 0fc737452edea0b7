"""The loop over a schedule, with sessions that have no slot or lose their workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from toys import KINDS, step

from crosswind.registry import include
from crosswind.run import loop
from crosswind.run.executors import Executor, Opening
from crosswind.run.executors.local import InProcess
from crosswind.run.kinds import Needs
from crosswind.run.outcome import Outcome
from crosswind.run.progress import Reporter, Silent
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store
from crosswind.run.unit import Done, Unit


class Late(InProcess):
    """Has no slot the first times that it is asked."""

    refusals = 3

    def slots(self, needs: Needs) -> int:
        self.refusals -= 1
        return 0 if self.refusals >= 0 else super().slots(needs)


class Never(InProcess):
    def slots(self, needs: Needs) -> int:
        return 0


class Dying(InProcess):
    """Loses every unit before it begins."""

    submitted = 0

    def submit(self, unit: Unit, needs: Needs) -> str:
        Dying.submitted += 1
        return super().submit(unit, needs)

    def wait(self, handles: Sequence[str], timeout: float) -> list[Done]:
        handle, _ = self._units.popleft()
        return [Done(handle, lost=True, reason="no such interpreter")]


def run(session: type[InProcess], steps: Sequence[Step], folder: Path) -> Outcome:
    def begin(opening: Opening, events: Reporter) -> InProcess:
        return session(opening, events)

    include(KINDS)
    graph = Graph(steps, {"include": [str(KINDS)]})
    executor = Executor("test", "for a test", begin)
    return loop.run_graph(graph, [*graph], Store(folder), executor, reporter=Silent(), folder=folder / "logs")


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "PAUSE", 0.01)
    monkeypatch.setattr(loop, "REFUSALS", 5)
    (tmp_path / "trace").mkdir()
    monkeypatch.setenv("TOY_TRACE", str(tmp_path / "trace"))


def test_a_session_without_a_slot_for_the_moment_is_asked_again(tmp_path: Path) -> None:
    assert run(Late, [step("a")], tmp_path).complete


def test_what_is_there_is_said_at_the_start_and_counted_at_the_end(tmp_path: Path) -> None:
    class Heard(Silent):
        lines: ClassVar[list[str]] = []

        def log(self, text: str) -> None:
            self.lines.append(text)

    def run_all(steps: Sequence[Step]) -> Outcome:
        include(KINDS)
        graph = Graph(steps, {"include": [str(KINDS)]})
        executor = Executor("test", "for a test", InProcess)
        place = tmp_path / "logs"
        return loop.run_graph(
            graph, [steps[-1].key], Store(tmp_path / "store"), executor, reporter=Heard(), folder=place
        )

    first = step("first")
    second = step("second", first)
    assert run_all([first]).there == []
    assert Heard.lines == []
    resumed = run_all([first, second])
    assert (resumed.there, resumed.cached, resumed.done) == ([first.key], [], [second.key])
    assert Heard.lines == ["1 of 2 steps are there already"]


def test_steps_that_fit_nowhere_fail_by_name_and_skip_what_needs_them(tmp_path: Path) -> None:
    first = step("first")
    outcome = run(Never, [first, step("second", first)], tmp_path)
    assert [f.message.split(":")[0] for f in outcome.failed.values()] == ["the executor has had no worker for it"]
    assert [*outcome.skipped.values()] == ["needs first, which failed"]


def test_a_unit_whose_worker_dies_before_it_begins_is_tried_twice_and_no_more(tmp_path: Path) -> None:
    Dying.submitted = 0
    outcome = run(Dying, [step(f"cell-{i}", affinity="model") for i in range(20)], tmp_path)
    assert len(outcome.failed) == 20
    assert Dying.submitted == 2
    assert {f.message for f in outcome.failed.values()} == {"no such interpreter (twice)"}
