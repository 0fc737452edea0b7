"""What must run, what runs together, and in which order."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from crosswind.run.demand import needed
from crosswind.run.outcome import Failure
from crosswind.run.schedule import Schedule
from crosswind.run.step import Graph, Step
from crosswind.run.store import Store


def step(label: str, *inputs: Step, affinity: str = "", cost: float = 0.0) -> Step:
    return Step(
        "toy", 1, {"label": label}, inputs={s.label: s.key for s in inputs}, label=label, affinity=affinity, cost=cost
    )


def labels(graph: Graph, keys: list[str]) -> list[str]:
    return [graph[key].label for key in keys]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Up to 12 steps of up to 4 affinities ("" is none), each with any earlier steps as inputs."""
    steps: list[Step] = []
    for number in range(draw(st.integers(1, 12))):
        inputs = draw(st.sets(st.sampled_from(steps), max_size=3)) if steps else set()
        affinity = draw(st.sampled_from(["", "a", "b", "c"]))
        steps.append(step(str(number), *sorted(inputs, key=lambda s: s.label), affinity=affinity))
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


def handed_out(graph: Graph, slots: int = 1) -> list[list[str]]:
    """The labels of the units, each settled before the next is asked for."""
    schedule, units = Schedule(graph, [*graph]), []
    while (steps := schedule.take(slots)) is not None:
        units.append([s.label for s in steps])
        schedule.settle(steps, [s.key for s in steps], {})
    assert schedule.finished
    return units


def test_steps_of_an_affinity_and_what_they_make_ready_are_one_unit() -> None:
    model = step("model", affinity="g")
    cells = [step(f"cell-{i}", model, affinity="g") for i in (1, 2)]
    judged = [step(f"judged-{i}", cell, affinity="g") for i, cell in enumerate(cells, 1)]
    assert handed_out(Graph([model, *cells, *judged])) == [["model", "cell-1", "cell-2", "judged-1", "judged-2"]]


def test_what_waits_for_another_affinity_comes_in_a_later_unit() -> None:
    first = step("first", affinity="a")
    between = step("between", first, affinity="b")
    graph = Graph([first, between, step("last", between, affinity="a"), step("beside", first, affinity="a")])
    assert handed_out(graph) == [["first", "beside"], ["between"], ["last"]]


def test_a_unit_is_worth_ten_loads_of_a_model_and_no_more_where_others_wait_for_work() -> None:
    steps = [step(f"cell-{i}", affinity="g", cost=20_000) for i in range(8)]
    assert [len(unit) for unit in handed_out(Graph(steps), slots=2)] == [2, 2, 2, 2]
    cheap = [step(f"cell-{i}", affinity="g", cost=100) for i in range(8)]
    assert [len(unit) for unit in handed_out(Graph(cheap), slots=2)] == [8]


def test_who_holds_a_model_gets_its_steps_unless_others_have_twice_the_work_behind_them() -> None:
    graph = Graph([step(name, affinity=name, cost=cost) for name, cost in (("a", 10), ("b", 15), ("c", 30))])
    assert [s.label for s in Schedule(graph, [*graph]).take(prefer="b") or []] == ["b"]
    assert [s.label for s in Schedule(graph, [*graph]).take(prefer="a") or []] == ["c"]


def test_steps_of_a_lost_unit_are_handed_out_again() -> None:
    model = step("model", affinity="g")
    graph = Graph([model, step("cell", model, affinity="g")])
    schedule = Schedule(graph, [*graph])
    steps = schedule.take() or []
    assert schedule.take() is None
    schedule.settle(steps[:1], [steps[0].key], {})
    schedule.again(steps[1:])
    assert [s.label for s in schedule.take() or []] == ["cell"]


def test_steps_that_run_elsewhere_are_not_handed_out() -> None:
    graph = Graph([step("here"), step("there")])
    schedule = Schedule(graph, [*graph])
    there = [key for key in graph if graph[key].label == "there"]
    assert [s.label for s in schedule.claim(there)] == ["there"]
    assert [s.label for s in schedule.take() or []] == ["here"]
    assert schedule.take() is None


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


def test_what_a_step_of_one_kind_needs_does_not_hold_up_another_kind() -> None:
    gpu = Step("train", 1, {}, label="train", cost=9)
    cpu = Step("rewrite", 1, {}, label="rewrite", cost=1)
    graph = Graph([gpu, cpu])
    taken = Schedule(graph, [*graph]).take(fits=lambda s: s.kind == "rewrite")
    assert [s.label for s in taken or []] == ["rewrite"]
