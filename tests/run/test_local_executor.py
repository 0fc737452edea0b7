"""The local executor, with real processes and a toy kind of step."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import pytest
import toys
from toys import computed, family, run, step, texts

from crosswind.run.progress import Silent
from crosswind.run.store import Store

# What a cell's file holds follows from the toy kind: the words on the path to it.
CELL_A_DE = b"encoder\nmodel-a\ncell-a-de\n"
EVERYTHING = sorted(s.label for s in family())


@pytest.fixture
def trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "trace"
    folder.mkdir()
    monkeypatch.setenv("TOY_TRACE", str(folder))
    return folder


def in_a_process(folder: Path, workers: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, toys.__file__, str(folder), str(workers)], stderr=subprocess.PIPE)


@pytest.mark.parametrize("workers", [1, 2])
def test_every_wanted_step_is_published_and_a_second_run_computes_nothing(
    workers: int, tmp_path: Path, trace: Path
) -> None:
    outcome = run(family(), tmp_path, workers)
    assert outcome.complete
    assert sorted(outcome.done) == sorted(s.key for s in family())
    assert texts(family(), tmp_path)["cell-a-de"] == CELL_A_DE
    assert computed(trace) == EVERYTHING

    again = run(family(), tmp_path, workers)
    assert (again.done, len(again.cached)) == ([], 6)
    assert computed(trace) == EVERYTHING


def test_one_and_two_workers_write_the_same_bytes(tmp_path: Path, trace: Path) -> None:
    run(family(), tmp_path / "one", 1)
    run(family(), tmp_path / "two", 2)
    assert texts(family(), tmp_path / "one") == texts(family(), tmp_path / "two")


def test_a_worker_process_has_one_thread(tmp_path: Path, trace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    run([step("cell")], tmp_path, 2)
    assert Store(tmp_path / "store").manifest(step("cell").key)["meta"]["threads"] == "1"


def test_what_only_dropped_weights_lack_is_not_trained_again(tmp_path: Path, trace: Path) -> None:
    run(family(), tmp_path)
    store = Store(tmp_path / "store")
    for made in family()[:3]:
        store.drop(made.key, ["out.txt"])
    assert run(family(), tmp_path).done == []

    more = [*family(), step("cell-b-ar", family()[2], affinity="model-b")]
    outcome = run(more, tmp_path)
    assert [Store(tmp_path / "store").manifest(k)["step"]["label"] for k in outcome.done] == [
        "encoder",
        "model-b",
        "cell-b-ar",
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_step_loses_only_what_needs_it(workers: int, tmp_path: Path, trace: Path) -> None:
    bad = step("bad", affinity="g", fault="user")
    good = step("good", affinity="g")
    steps = [bad, good, step("lost", bad, affinity="g"), step("lost-too", bad), step("fine", good)]
    outcome = run(steps, tmp_path, workers)
    label = {s.key: s.label for s in steps}
    assert sorted(label[k] for k in outcome.done) == ["fine", "good"]
    assert {label[k]: r for k, r in outcome.skipped.items()} == {
        "lost": "needs bad, which failed",
        "lost-too": "needs bad, which failed",
    }
    failure = outcome.failed[bad.key]
    assert failure.message == "targets.languages: no such language\n  name another"
    assert failure.traceback is None
    assert not (tmp_path / "run" / "failures.log").exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_the_traceback_of_a_bug_goes_to_a_log_beside_the_plan(workers: int, tmp_path: Path, trace: Path) -> None:
    outcome = run([step("broken", fault="bug")], tmp_path, workers)
    assert [f.message for f in outcome.failed.values()] == ["ZeroDivisionError: division by zero"]
    log = (tmp_path / "run" / "failures.log").read_text()
    assert log.startswith("broken  ")
    assert "Traceback (most recent call last)" in log
    assert "in _fault" in log


@pytest.mark.slow
def test_the_step_of_a_killed_worker_is_run_once_more(tmp_path: Path, trace: Path) -> None:
    (trace / "cell-a-sw.kill-worker").touch()
    outcome = run(family(), tmp_path, 2)
    assert outcome.complete
    assert sorted(texts(family(), tmp_path)) == EVERYTHING
    assert computed(trace) == sorted([*EVERYTHING, "cell-a-sw"])
    assert list((tmp_path / "store" / "drafts").iterdir()) == []


@pytest.mark.slow
def test_a_step_that_kills_its_worker_twice_fails_and_the_rest_of_its_unit_goes_on(tmp_path: Path, trace: Path) -> None:
    (trace / "model-b.kill-always").touch()
    outcome = run(family(), tmp_path, 2)
    assert [f.message.split(";")[0] for f in outcome.failed.values()] == [
        "the worker process was killed by SIGKILL (out of memory?)"
    ]
    assert next(iter(outcome.failed.values())).message.endswith("(twice)")
    assert len(outcome.skipped) == 3
    assert sorted(texts(family(), tmp_path)) == ["cell-a-de", "cell-a-sw", "cell-a-zh", "encoder", "model-a"]
    (trace / "model-b.kill-always").unlink()
    assert run(family(), tmp_path, 2).complete


@pytest.mark.slow
def test_a_step_goes_on_from_what_it_kept_when_its_worker_died(tmp_path: Path, trace: Path) -> None:
    patient = step("patient", fault="partial")
    outcome = run([patient, step("other")], tmp_path, 2)
    assert outcome.complete
    assert computed(trace) == ["other", "patient", "patient"]
    assert not (tmp_path / "store" / "partial" / patient.key).exists()


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "order"), [(1, "kill-worker"), (2, "kill-parent")])
def test_a_run_that_is_killed_and_repeated_ends_with_the_same_bytes(
    workers: int, order: str, tmp_path: Path, trace: Path
) -> None:
    run(family(), tmp_path / "whole")
    (trace / f"cell-b-de.{order}").touch()
    killed = in_a_process(tmp_path, workers)
    assert killed.wait(120) == -signal.SIGKILL

    # The step that killed its parent sleeps on: the rerun gets its lock because the worker ends itself.
    assert in_a_process(tmp_path, workers).wait(120) == 0
    assert texts(family(), tmp_path) == texts(family(), tmp_path / "whole")
    assert list((tmp_path / "store" / "drafts").iterdir()) == []


@pytest.mark.slow
def test_an_interrupted_run_ends_its_workers_and_raises(tmp_path: Path, trace: Path) -> None:
    (trace / "cell-a-de.interrupt").touch()
    process = in_a_process(tmp_path, 2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGINT
    assert errors.decode().rstrip().endswith("KeyboardInterrupt")
    assert list((tmp_path / "store" / "drafts").iterdir()) == []
    assert run(family(), tmp_path).complete


def test_a_damaged_artifact_is_detected_and_computed_again(tmp_path: Path, trace: Path) -> None:
    run(family(), tmp_path)
    before = texts(family(), tmp_path)
    cell = family()[3]
    path = Store(tmp_path / "store").path(cell.key) / "out.txt"
    path.write_bytes(path.read_bytes().replace(b"e", b"E", 1))  # of the same size
    outcome = run(family(), tmp_path)
    assert outcome.done == [cell.key]
    assert texts(family(), tmp_path) == before


def test_a_damaged_input_is_computed_again_before_the_step_that_needs_it(tmp_path: Path, trace: Path) -> None:
    run(family()[:1], tmp_path)
    path = Store(tmp_path / "store").path(family()[0].key) / "out.txt"
    path.write_bytes(b"Encoder\n")
    assert run(family(), tmp_path).complete
    assert texts(family(), tmp_path)["cell-a-de"] == CELL_A_DE


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("fault", "file"), [("flip", "out.txt"), ("remove", "out.txt"), ("flip", "manifest.json")])
def test_an_input_that_is_damaged_while_the_run_goes_on_is_computed_again_in_the_same_run(
    fault: str, file: str, workers: int, tmp_path: Path, trace: Path
) -> None:
    model = step("model")
    assert run([model], tmp_path).complete
    path = Store(tmp_path / "store").path(model.key) / file
    vandal = step("vandal", fault=f"{fault} {path}")
    broken = step("broken", fault="user")
    cells = [step("cell", vandal, model), step("cell-of-broken", broken, model), step("cell-apart")]
    outcome = run([model, vandal, broken, *cells], tmp_path, workers)
    labels = {s.key: s.label for s in [model, vandal, broken, *cells]}
    assert sorted(labels[key] for key in outcome.done) == ["cell", "cell-apart", "model", "vandal"]
    assert [labels[key] for key in outcome.failed] == ["broken"]
    assert [labels[key] for key in outcome.skipped] == ["cell-of-broken"]
    assert texts([model, *cells], tmp_path)["cell"] == b"vandal\nmodel\ncell\n"
    assert computed(trace).count("broken") == 1  # what failed by itself is not tried again


def test_an_input_that_is_damaged_again_and_again_fails_the_step(tmp_path: Path, trace: Path) -> None:
    model = step("model")
    path = Store(tmp_path / "store").root / "objects" / model.key[:2] / model.key / "out.txt"
    # Its own cell flips the file before it asks for its inputs.
    cell = step("cell", model, fault=f"flip {path}")
    outcome = run([model, cell], tmp_path)
    assert [f.message for f in outcome.failed.values()] == [f"model ({model.key[:12]}) is damaged in the store"]
    assert computed(trace) == ["cell"] * 3 + ["model"] * 3


@pytest.mark.parametrize("workers", [1, 2])
def test_a_full_disk_is_told_in_a_sentence_and_is_no_mistake_of_the_users(
    workers: int, tmp_path: Path, trace: Path
) -> None:
    outcome = run([step("full", fault="full")], tmp_path, workers)
    (failure,) = outcome.failed.values()
    assert failure.message.endswith(": No space left on device")
    assert (failure.traceback, failure.mistake, outcome.mistaken) == (None, False, False)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_library_that_asks_on_standard_input_hears_nobody(workers: int, tmp_path: Path, trace: Path) -> None:
    outcome = run([step("ask", fault="ask")], tmp_path, workers)
    assert [f.message.split(":")[0] for f in outcome.failed.values()] == ["EOFError"]


def test_a_mistake_in_one_step_and_a_bug_in_another_are_no_mistake_together(tmp_path: Path, trace: Path) -> None:
    assert run([step("bad", fault="user")], tmp_path).mistaken
    assert not run([step("bad", fault="user"), step("broken", fault="bug")], tmp_path).mistaken


@pytest.mark.slow
def test_two_runs_at_once_on_one_store_compute_each_step_once(tmp_path: Path, trace: Path) -> None:
    os.mkfifo(trace / "encoder.hold")
    first = in_a_process(tmp_path, 1)
    with (trace / "encoder.hold").open("w"):  # opens when the first run is computing the encoder
        second = in_a_process(tmp_path, 1)
        watchdog = Timer(120, second.kill)
        watchdog.start()
        assert second.stderr is not None
        line = second.stderr.readline().decode()
        watchdog.cancel()
    assert line == f"waiting for another process that computes {family()[0].key[:12]}\n"
    assert [first.wait(120), second.wait(120)] == [0, 0]
    assert computed(trace) == EVERYTHING


def test_what_workers_report_arrives_at_the_parent(tmp_path: Path, trace: Path) -> None:
    heard: list[tuple[str, ...]] = []

    class Listener(Silent):
        def started(self, key: str) -> None:
            heard.append(("started", key))

        def finished(self, key: str, note: str = "") -> None:
            heard.append(("finished", key, note))

        def log(self, text: str) -> None:
            heard.append(("log", text))

    cell = step("cell", fault="warning")
    run([cell], tmp_path, 2, Listener())
    assert heard == [
        ("started", cell.key),
        ("log", "the tokenizer has no offsets"),
        ("finished", cell.key, "said cell"),
    ]
    assert (tmp_path / "run" / "worker-1.log").read_text() == "a library prints to standard output\n"


def test_what_a_dead_worker_started_ends_with_it_and_holds_nobody_up(tmp_path: Path, trace: Path) -> None:
    os.mkfifo(trace / "orphan")
    pipe = os.open(trace / "orphan", os.O_RDONLY | os.O_NONBLOCK)
    outcome = run([step("orphan", fault="orphan"), step("other")], tmp_path, 2)
    assert [f.message.split(";")[0] for f in outcome.failed.values()] == [
        "the worker process was killed by SIGKILL (out of memory?)"
    ]
    assert len(outcome.done) == 1
    select.select([pipe], [], [], 120)
    assert os.read(pipe, 1) == b""  # the end of the file: nobody has it open any more
    os.close(pipe)


def test_a_worker_imports_what_its_parent_can_import(tmp_path: Path, trace: Path) -> None:
    assert Path(toys.__file__).parent.as_posix() in [Path(p).as_posix() for p in sys.path]
    assert "toys" not in os.environ.get("PYTHONPATH", "")
    assert run([step("cell")], tmp_path, 2).complete
