"""A toy kind of step: its file holds its word and the files of its inputs.

Each computation leaves a file in the folder TOY_TRACE. A file `LABEL.kill-worker` or
`LABEL.kill-parent` there makes the step of that label do so, once (`LABEL.kill-always`: each time); a pipe
`LABEL.hold` holds it until the pipe is closed. `LABEL.slow` in the trace makes it keep a count in `partial`
and die at every second one.
"""

from __future__ import annotations

import errno
import logging
import os
import signal
import uuid
from dataclasses import dataclass
from pathlib import Path

from crosswind.errors import UserError
from crosswind.run.job import Job, Worker
from crosswind.run.kinds import StepKind


@dataclass(frozen=True)
class ToyParams:
    word: str
    fault: str = ""


def _run(job: Job[ToyParams], worker: Worker) -> str:
    trace = Path(os.environ["TOY_TRACE"])
    (trace / f"{job.step.label}.{uuid.uuid4().hex}.computed").touch()
    print("a library prints to standard output")
    _fault(job, trace)
    inputs = [(job.inputs[role].path / "out.txt").read_text() for role in sorted(job.inputs)]
    (job.draft.path / "out.txt").write_text("".join([*inputs, job.params.word, "\n"]))
    job.fact("threads", os.environ.get("OMP_NUM_THREADS", ""))
    return f"said {job.params.word}"


def _fault(job: Job[ToyParams], trace: Path) -> None:
    label, fault = job.step.label, job.params.fault
    for action, pid in (("kill-worker", os.getpid()), ("kill-parent", os.getppid())):
        _die(trace / f"{label}.{action}", pid)
    if (trace / f"{label}.kill-always").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if (trace / f"{label}.interrupt").exists():
        (trace / f"{label}.interrupt").unlink()
        os.kill(os.getppid(), signal.SIGINT)
        signal.pause()
    if (trace / f"{label}.hold").exists():
        (trace / f"{label}.hold").read_text()
    if fault.startswith("flip "):
        path = Path(fault.removeprefix("flip "))
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    if fault.startswith("remove "):
        Path(fault.removeprefix("remove ")).unlink()
    if fault == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(job.draft.path))
    if fault == "ask":
        input("do you trust this code? ")
    if fault == "warning":
        logging.getLogger("crosswind.toy").warning("the tokenizer has no offsets")
    if fault == "orphan":
        if os.fork() == 0:
            with (trace / "orphan").open("w"):
                signal.pause()
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "partial":
        count = job.partial / "count"
        so_far = int(count.read_text()) if count.exists() else 0
        count.write_text(str(so_far + 1))
        if so_far == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    if fault == "user":
        raise UserError("no such language", where="targets.languages", hint="name another")
    if fault == "bug":
        raise ZeroDivisionError("division by zero")


def _die(order: Path, pid: int) -> None:
    if order.exists():
        order.unlink()
        os.kill(pid, signal.SIGKILL)
        signal.pause()


TOY = StepKind("toy", 1, ToyParams, _run)
