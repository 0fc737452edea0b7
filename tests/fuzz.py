"""Damaged and hostile inputs for every reader: each is read, or refused in a sentence with exit code 2.

    python tests/fuzz.py --inputs 20000 --seed 1

Every input is a small right file (or none at all), changed at random: bytes, lines, JSON values, YAML words, archives,
folders and broken links in place of files. What escapes that is no `UserError`, what takes longer than `--seconds`, and
what is written outside the input's folder, is counted and shown with the number that makes the input again
(`--only READER:NUMBER`).
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import lzma
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from fuzz_readers import Reader, readers


@dataclass
class Figures:
    """What came of the inputs."""

    inputs: int = 0
    refused: int = 0
    tracebacks: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing went wrong."""
        return not (self.tracebacks or self.hangs or self.outside)


def fuzz(reader: Reader, count: int, seed: int, seconds: float = 20.0, first: int = 0) -> Figures:
    """Read `count` damaged inputs; the same seed and number give the same input."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as name, _home(Path(name)):
        base = Path(name)
        for number in range(first, first + count):
            label = f"{reader.name}:{number}"
            folder = base / "input"
            _write(folder, reader, random.Random(f"{seed} {reader.name} {number}"))
            figures.inputs += 1
            try:
                with _alarm(seconds), _quiet():
                    figures.refused += is_refused(reader, folder)
            except _Late:
                figures.hangs.append(label)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                figures.tracebacks.append(f"{label}: {type(error).__name__}: {str(error)[:200]} ({_last_line(error)})")
            strangers = sorted(path.name for path in base.iterdir() if path.name != "input")
            if strangers:
                figures.outside.append(f"{label}: {strangers}")
            _clear(base)
    return figures


def is_refused(reader: Reader, folder: Path) -> bool:
    """Whether the reader refuses the folder's files with a sentence; an exit code other than 0 and 2 is a fault."""
    from crosswind.errors import UserError

    try:
        reader.read(folder)
    except UserError as error:
        if len(str(error)) > 4000:
            raise AssertionError(f"a message of {len(str(error)):,} characters") from None
        str(error).encode()  # what is printed is text
        return True
    except SystemExit as ended:
        if ended.code not in (0, None, 2):
            raise AssertionError(f"exit code {ended.code}") from None
        return ended.code == 2
    return False


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with (
        io.TextIOWrapper(io.BytesIO(), "utf-8") as out,
        io.TextIOWrapper(io.BytesIO(), "utf-8") as err,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        yield


class _Late(BaseException):
    """An input took too long."""


@contextlib.contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    def late(number: int, frame: FrameType | None) -> None:
        raise _Late

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _home(base: Path) -> Iterator[None]:
    """Work in a folder of our own, so that what is written by a relative path or into the home folder is seen."""
    before, home = Path.cwd(), os.environ.get("HOME")
    os.chdir(base)
    os.environ["HOME"] = str(base)
    try:
        yield
    finally:
        os.chdir(before)
        if home is not None:
            os.environ["HOME"] = home


def _last_line(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "crosswind" in f.filename] or frames
    return f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else ""


def _clear(base: Path) -> None:
    for path in base.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _write(folder: Path, reader: Reader, rng: random.Random) -> None:
    """The reader's files below a folder, one or two of them damaged."""
    damaged = rng.sample(sorted(reader.files), min(len(reader.files), rng.choice((1, 1, 1, 2))))
    for name, content in reader.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name not in damaged:
            path.write_bytes(content)
        elif rng.random() < 0.06:
            _instead(path, rng)
        else:
            changed = content
            for _ in range(rng.choice((1, 1, 2, 3, 8))):
                changed = rng.choice(_CHANGES)(changed, rng)
            _packed(path, changed, rng)


def _instead(path: Path, rng: random.Random) -> None:
    """Something in place of a file."""
    match rng.randrange(4):
        case 0:
            path.mkdir()
        case 1:
            path.symlink_to("nowhere")
        case 2:
            path.symlink_to(path.name)
        case _:
            os.mkfifo(path)


def _packed(path: Path, content: bytes, rng: random.Random) -> None:
    """The content plain, or packed, the archive sound or damaged."""
    kind = rng.random()
    if kind < 0.85:
        path.write_bytes(content)
        return
    pack, suffix = rng.choice(((gzip.compress, ".gz"), (lzma.compress, ".xz")))
    archive = pack(content)
    if rng.random() < 0.7:
        archive = rng.choice((_flip, _cut, _insert))(archive, rng)
    path.with_name(path.name + (suffix if kind < 0.97 else "")).write_bytes(archive)


def _flip(content: bytes, rng: random.Random) -> bytes:
    """A byte that is another one."""
    if not content:
        return b"\xff"
    i = rng.randrange(len(content))
    return content[:i] + bytes([rng.randrange(256)]) + content[i + 1 :]


def _cut(content: bytes, rng: random.Random) -> bytes:
    """The end is missing."""
    return content[: rng.randrange(len(content) + 1)]


def _gap(content: bytes, rng: random.Random) -> bytes:
    """A part is missing."""
    i, j = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:i] + content[min(j, i + rng.choice((1, 3, 20, 500))) :]


def _insert(content: bytes, rng: random.Random) -> bytes:
    """Odd bytes somewhere."""
    i = rng.randrange(len(content) + 1)
    return content[:i] + rng.choice(_ODD_BYTES) + content[i:]


def _lines(content: bytes, rng: random.Random) -> bytes:
    """Lines that change places, come twice or lose a column."""
    rows = content.split(b"\n")
    i, j = rng.randrange(len(rows)), rng.randrange(len(rows))
    match rng.randrange(4):
        case 0:
            rows[i], rows[j] = rows[j], rows[i]
        case 1:
            rows.insert(i, rows[j])
        case 2:
            rows[i] = rows[i].rpartition(b"\t")[0]
        case _:
            rows[i] = rows[i] + b"\t" + rows[j]
    return b"\n".join(rows)


def _word(content: bytes, rng: random.Random) -> bytes:
    """A word, number or column that is an odd one."""
    parts = content.replace(b"\t", b" \t ").split(b" ")
    i = rng.randrange(len(parts))
    parts[i] = rng.choice(_ODD_WORDS)
    return b" ".join(parts).replace(b" \t ", b"\t")


def _json(content: bytes, rng: random.Random) -> bytes:
    """A JSON value, of the file or of a line, that is an odd one."""
    try:
        value = json.loads(content)
        return json.dumps(_changed_value(value, rng)).encode()
    except (ValueError, RecursionError):
        pass
    rows = content.split(b"\n")
    i = rng.randrange(len(rows))
    with contextlib.suppress(ValueError, RecursionError):
        rows[i] = json.dumps(_changed_value(json.loads(rows[i]), rng)).encode()
    return b"\n".join(rows)


def _changed_value(value: Any, rng: random.Random) -> Any:
    if rng.random() < 0.15 or not isinstance(value, dict | list) or not value:
        return rng.choice(_ODD_VALUES)
    if isinstance(value, dict):
        key = rng.choice(sorted(value))
        if rng.random() < 0.1:
            return {k: v for k, v in value.items() if k != key}
        return {**value, key: _changed_value(value[key], rng)}
    i = rng.randrange(len(value))
    return [*value[:i], _changed_value(value[i], rng), *value[i + 1 :]]


_CHANGES = (_flip, _cut, _gap, _insert, _insert, _lines, _word, _word, _json, _json, _json)
_DEEP: Any = []
for _ in range(300):
    _DEEP = [_DEEP]
_ODD_VALUES: tuple[Any, ...] = (
    None, True, False, [], {}, "", "a", 0, 1, -1, 2, 10**40, 1e308, float("inf"), float("nan"), "\ud83d", "\x00",
    [["a"]], [None], {"a": 1}, "x" * 5000, _DEEP, "\n", "\t", "café", "e\u0301", [1, 2, 3], ["a", "b"], -(10**9),
)  # fmt: skip
_ODD_BYTES = (
    b"\x00", b"\xff", b"\xfe\xff", b"\xed\xa0\xbd", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\n\n", b"\t", b'"', b"'", b"\\",
    b"{", b"}", b"[", b"]", b",", b":", b"[" * 100_000, b'{"a":' * 20_000, b"9" * 5000, b"\\ud83d", b"-", b"&a ", b"*a",
    b"!!timestamp x", b"!!python/object:os.system x", b"#", b"%", b"|", b">", b"? ", b"- ", b"\xe2\x80\xa8", b"\x85",
    "\u202e\u200d\ufe0f".encode(), "한\u0301".encode(), b"\xf0\x9f\x98\x80", b"x" * 200_000, b"PAR1",
)  # fmt: skip
_ODD_WORDS = (
    b"", b"null", b"~", b"~nouser", b".inf", b"-.inf", b".nan", b"1e999", b"1:30:00", b"010", b"0x", b"2024-13-45",
    b"1000000000", b"99999999999999999999", b"-1", b"1.5", b"[]", b"{}", b"[[a]]", b"{a: {b: c}}", b"yes", b"no",
    b"../../x", b"/dev/zero", b"/", b".", b"..", b"x" * 300, b"a\x00b", b"xx", b"zh-Hant", b"keyboard:nan",
    b"keyboard:0.1,0.1", b"0-99999999999", b"9-0", b"*", b"&x", b"!x", b"name: name", b"true", b'"\\ud83d"', b"_",
)  # fmt: skip


def run(chosen: list[Reader], inputs: int, seed: int, seconds: float) -> Figures:
    """About `inputs` damaged inputs, divided among the readers."""
    total = Figures()
    share = max(1, -(-inputs // len(chosen)))
    for reader in chosen:
        begun = time.monotonic()
        figures = fuzz(reader, share, seed, seconds)
        print(
            f"{reader.name:24} {figures.inputs:6,} inputs, {figures.refused:6,} refused, "
            f"{len(figures.tracebacks)} tracebacks, {len(figures.hangs)} hangs, {time.monotonic() - begun:.0f} s",
            flush=True,
        )
        for line in (*figures.tracebacks[:5], *figures.hangs[:5], *figures.outside[:5]):
            print(f"    {line}", flush=True)
        total.inputs += figures.inputs
        total.refused += figures.refused
        total.tracebacks += figures.tracebacks
        total.hangs += figures.hangs
        total.outside += figures.outside
    return total


def command() -> None:
    """The command line of this file."""
    parser = argparse.ArgumentParser(description="Damaged and hostile inputs for every reader.")
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="longer is a hang")
    parser.add_argument("--reader", help="only those whose names begin so")
    parser.add_argument("--only", help="READER:NUMBER, one input, its traceback shown")
    options = parser.parse_args()
    chosen = [r for r in readers() if r.name.startswith(options.reader or "")]
    if options.only:
        name, _, number = options.only.rpartition(":")
        reader = next(r for r in chosen if r.name == name)
        with tempfile.TemporaryDirectory() as folder, _home(Path(folder)):
            _write(Path("input").absolute(), reader, random.Random(f"{options.seed} {name} {number}"))
            for path in sorted(p for p in Path("input").rglob("*") if p.is_file()):
                print(f"--- {path}\n{path.read_bytes()[:1500]!r}")
            print("refused" if is_refused(reader, Path("input").absolute()) else "read")
        return
    figures = run(chosen, options.inputs, options.seed, options.seconds)
    print(
        f"{figures.inputs:,} inputs for {len(chosen)} readers: {figures.refused:,} refused with a sentence, "
        f"{len(figures.tracebacks)} tracebacks, {len(figures.hangs)} hangs, {len(figures.outside)} files outside"
    )
    sys.exit(0 if figures.sound else 1)


if __name__ == "__main__":
    command()
