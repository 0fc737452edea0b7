"""Runs that are stopped, and runs whose workers are killed, as processes of their own."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crosswind.run.store import Store

# Sentences are found at once; training goes on for hours.
STUDY = """
name: small
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 4, max_length: 64}}
routes: {{none: []}}
targets:
  limit: 5
  tasks:
    tatoeba: {{languages: [jv], train: []}}
    udpos: {{languages: [en], train: {{tasks: [udpos], budget: {{steps: {steps}}}}}}}
"""
MAIN = "from crosswind.cli import main; main()"

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs Linux's /proc")


class Run:
    """`crosswind run` of the study in a process."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.store, self.out = folder / "store", folder / "run"
        self.arguments = ["run", str(folder / "a study.yaml"), "--out", str(self.out), "--store", str(self.store)]
        self.arguments += ["--workers", str(workers)]
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, *self.arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def published(self) -> list[Path]:
        return [*self.store.glob("objects/*/*/manifest.json")]

    def workers(self) -> list[int]:
        return [int(p.name) for p in Path("/proc").iterdir() if p.name.isdigit() and self._is_worker(p)]

    def _is_worker(self, folder: Path) -> bool:
        try:
            command = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return b"crosswind.run.worker" in command and str(self.store).encode() in command

    def wait_for(self, done: int, partial: bool) -> None:
        """Wait until steps are published, and training has begun."""
        while self.process.poll() is None:
            begun = not partial or any(self.store.glob("partial/*"))
            if len(self.published()) >= done and begun:
                return
            time.sleep(0.05)
        pytest.fail(self.process.communicate()[1])


@pytest.fixture
def folder(tmp_path: Path, small_data: Path, tiny_encoder: Path) -> Path:
    text = STUDY.format(encoder=tiny_encoder, data=small_data, steps=1_000_000)
    (tmp_path / "a study.yaml").write_text(text)
    return tmp_path


@pytest.fixture
def short(folder: Path) -> Path:
    path = folder / "a study.yaml"
    path.write_text(path.read_text().replace("1000000", "2"))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "number"), [(1, signal.SIGINT), (2, signal.SIGINT), (2, signal.SIGTERM)])
def test_a_run_that_is_stopped_keeps_what_is_done_and_says_how_to_go_on(
    workers: int, number: signal.Signals, folder: Path
) -> None:
    run = Run(folder, workers)
    run.wait_for(2 if workers == 2 else 0, partial=True)
    done = len(run.published())
    run.process.send_signal(number)
    out, err = run.process.communicate(timeout=60)
    assert run.process.returncode == 128 + number
    assert out == ""
    what = "stopped" if number == signal.SIGINT else "stopped by SIGTERM"
    command = shlex.join(["crosswind", *run.arguments])
    assert err.endswith(
        f"crosswind: {what}; everything that was done is kept, and the same command goes on from there:\n  {command}\n"
    )
    assert "'" in command  # a name with a space can be pasted
    assert "Traceback" not in err
    assert run.workers() == []
    assert len(run.published()) >= done
    assert Store(run.store).verify() == []
    assert not [*(run.store / "drafts").iterdir()]


def test_a_command_that_keeps_nothing_says_only_that_it_was_stopped() -> None:
    command = [sys.executable, "-c", MAIN, "perturb", "keyboard:0.1"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    # More than is buffered, less than a pipe holds: it answers, and waits for more.
    process.stdin.write(b"a line\n" * 5_000)
    process.stdin.flush()
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"crosswind: stopped\n")


@pytest.mark.slow
def test_a_study_goes_on_with_a_new_worker_when_one_is_killed(short: Path) -> None:
    run = Run(short, 2)
    while len(run.workers()) < 2 and run.process.poll() is None:
        time.sleep(0.02)
    victim = run.workers()[0]
    os.kill(victim, signal.SIGKILL)
    _, err = run.process.communicate(timeout=300)
    assert run.process.returncode == 0, err
    assert "the worker process was killed by SIGKILL (out of memory?)" in err
    assert "; once more" in err
    assert "computed 8 steps" in err
    assert run.workers() == []
    assert (run.out / "report.html").exists()
