"""The command line: parse, call, print. No logic; heavy modules are imported by the command that needs them.

A command is one file of `commands/`.
"""

from __future__ import annotations

import errno
import importlib
import os
import pkgutil
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from crosswind.cli import commands
from crosswind.cli.app import app as app
from crosswind.errors import UserError
from crosswind.output import use_utf8
from crosswind.run.folders import FULL
from crosswind.run.outcome import StepFailed
from crosswind.run.stop import Stopped, stoppable

for _command in sorted(info.name for info in pkgutil.iter_modules(commands.__path__)):
    importlib.import_module(f"{commands.__name__}.{_command}")

# What the owner of a disk refuses, and what lies in the place of a file or folder, is a mistake that the user can mend.
_REFUSED = (
    *(errno.EROFS, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP, errno.ENOENT, errno.EINVAL),
    *(errno.ENXIO, errno.ENODEV, errno.EBUSY, errno.ETXTBSY, errno.EOPNOTSUPP, errno.ESTALE, errno.EXDEV),
)
# These keep all that they have done in the store.
_RESUMABLE = ("demo", "run", "evaluate", "attack", "pretrain")


def main() -> None:
    """The entry point: exit code 0; 1 if something ran and failed; 2 for a mistake in the input; 130 after Ctrl-C."""
    # Before any library starts its threads: one thread a step (results depend on it, and spinning
    # threads of several processes take the cores from each other).
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # CPU kernels are kept by shape, and a run sees many shapes: 1,024 (the default) or 128 of them hold up to a
    # gigabyte, 16 cost no measurable time more.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    use_utf8()
    try:
        with stoppable():
            app()
    except UserError as error:
        print(f"crosswind: {error}", file=sys.stderr)
        sys.exit(2)
    except StepFailed as error:
        print(f"crosswind: {error}", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if error.errno not in (*FULL, *_REFUSED):
            raise
        print(f"crosswind: {error.filename or 'a file'}: {error.strerror}", file=sys.stderr)
        sys.exit(1 if error.errno in FULL else 2)
    except SystemExit as ended:
        where = _user_code(ended)
        if where is None:
            raise
        print(f"crosswind: {where}: ends the program (SystemExit: {ended.code})", file=sys.stderr)
        print("  code that Crosswind calls returns or raises an error: mend it", file=sys.stderr)
        sys.exit(2)
    except Stopped as stopped:
        print(f"crosswind: {_farewell(stopped, sys.argv[1:])}", file=sys.stderr)
        sys.exit(stopped.code)


def _user_code(ended: SystemExit) -> str | None:
    """`file:line` of somebody's code that ended the program; `None` where the command line did."""
    frame = traceback.extract_tb(ended.__traceback__)[-1]
    file = Path(frame.filename).resolve()
    ours = file.is_relative_to(Path(__file__).parent.parent) or file.parent.name in ("click", "typer")
    return None if ours else f"{frame.filename}:{frame.lineno}"


def _farewell(stopped: Stopped, arguments: Sequence[str]) -> str:
    """What a stopped command says: what is kept, and how to go on."""
    what = "stopped" if stopped.name == "SIGINT" else f"stopped by {stopped.name}"
    if not arguments or arguments[0] not in _RESUMABLE:
        return what
    command = shlex.join(["crosswind", *arguments])
    return f"{what}; everything that was done is kept, and the same command goes on from there:\n  {command}"
