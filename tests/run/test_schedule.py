"""What must run, what runs together, and in which order."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from crosswind.run.demand import needed, units
from crosswind.run.outcome import Failure
from crosswind.run.schedule import Schedule
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store


def step(label: str, *inputs: Step, group: str = "", cost: float = 0.0) -> Step:
    return Step(
        "toy", 1, {"label": label}, inputs={s.label: s.key for s in inputs}, label=label, group=group, cost=cost
    )


def labels(graph: Graph, keys: list[str]) -> list[str]:
    return [graph[key].label for key in keys]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to 12 steps in up to 4 groups ("" is none), each with any earlier steps as inputs."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 12))):
        inputs = draw(st.sets(st.sampled_from(steps), max_size=3)) if steps else set()
        group = draw(st.sampled_from(["", "a", "b", "c"]))
        steps.append(step(str(number), *sorted(inputs, key=lambda s: s.label), group=group))
    return Graph(steps)


def test_only_the_missing_steps_on_the_way_to_a_missing_wanted_step_are_needed(tmp_path: Path) -> None:
    encoder = step("encoder")
    model = step("model", encoder)
    old, new, unwanted = step("old", model), step("new", model), step("unwanted", model)
    graph, store = Graph([encoder, model, old, new, unwanted]), Store(tmp_path)
    with store.write(old):
        pass
    assert labels(graph, needed(graph, [old.key], store)) == []
    assert labels(graph, needed(graph, [old.key, new.key], store)) == ["encoder", "model", "new"]
    with store.write(model):
        pass
    assert labels(graph, needed(graph, [old.key, new.key], store)) == ["new"]


def test_a_group_is_one_unit_and_a_step_without_a_group_is_its_own() -> None:
    data, more = step("data"), step("more")
    model = step("model", data, group="g")
    graph = Graph([data, more, model, step("cell-1", model, group="g"), step("cell-2", model, more, group="g")])
    assert [labels(graph, u) for u in units(graph, [*graph])] == [["data"], ["more"], ["model", "cell-1", "cell-2"]]


def test_a_group_that_needs_itself_through_another_group_is_cut() -> None:
    first = step("first", group="a")
    between = step("between", first, group="b")
    graph = Graph([first, between, step("last", between, group="a"), step("beside", first, group="a")])
    assert [labels(graph, u) for u in units(graph, [*graph])] == [["first", "beside"], ["between"], ["last"]]


def test_groups_that_need_each_other_through_different_steps_are_cut() -> None:
    a1, b2 = step("a1", group="a"), step("b2", group="b")
    graph = Graph([a1, b2, step("b1", a1, group="b"), step("a2", b2, group="a")])
    assert [labels(graph, u) for u in units(graph, [*graph])] == [["a1"], ["b2"], ["b1"], ["a2"]]


@given(graphs())
def test_every_step_is_handed_out_once_and_after_its_inputs(graph: Graph) -> None:
    schedule = Schedule(graph, [*graph])
    seen: set[str] = set()
    while (steps := schedule.take()) is not None:
        for s in steps:
            assert s.key not in seen
            assert seen.issuperset(s.inputs.values())
            seen.add(s.key)
        schedule.settle(steps, [s.key for s in steps], {})
    assert schedule.finished
    assert seen == set(graph)


@given(graphs(), st.randoms(use_true_random=False))
def test_whatever_fails_every_step_ends_done_failed_or_skipped_because_of_a_failed_one(graph: Graph, random) -> None:  # type: ignore[no-untyped-def]
    schedule = Schedule(graph, [*graph])
    bad = {key for key in graph if random.random() < 0.3}
    lost: set[str] = set()
    for key, s in graph.items():
        if key in bad or lost.intersection(s.inputs.values()):
            lost.add(key)
    while (steps := schedule.take()) is not None:
        failures = {s.key: Failure("bad") for s in steps if s.key in bad and not lost.intersection(s.inputs.values())}
        schedule.settle(steps, [s.key for s in steps if s.key not in lost], failures)
    outcome = schedule.outcome
    assert schedule.finished
    assert set(outcome.done) == set(graph) - lost
    assert outcome.failed.keys() | outcome.skipped.keys() == lost
    assert outcome.failed.keys().isdisjoint(outcome.skipped)
    assert outcome.failed.keys() <= bad


def test_the_longest_remaining_path_of_cost_is_started_first() -> None:
    cheap = step("cheap", cost=1)
    dear = step("dear", cost=5)
    graph = Graph([dear, cheap, step("last", cheap, cost=9)])
    schedule = Schedule(graph, [*graph])
    order = []
    while (steps := schedule.take()) is not None:
        order += [s.label for s in steps]
        schedule.settle(steps, [s.key for s in steps], {})
    assert order == ["cheap", "last", "dear"]


def test_a_step_that_ends_without_a_result_counts_as_failed() -> None:
    graph = Graph([step("silent")])
    schedule = Schedule(graph, [*graph])
    schedule.settle(schedule.take() or [], [], {})
    assert [f.message for f in schedule.outcome.failed.values()] == ["ended without publishing its result"]
