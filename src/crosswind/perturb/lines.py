"""Perturbing plain lines: the core of the Unix filter `crosswind perturb`.

LF ends a line, and nothing else does. A CR before it belongs to the line's end, so that a file with
CRLF has the same draws as one with LF and keeps its bytes; a CR within a line is a part of its text. A byte order mark
before the first line is no part of it either, and stays where it is.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, NamedTuple, Protocol

from crosswind.errors import UserError
from crosswind.perturb.applied import Constraint
from crosswind.perturb.noise import BATCH, numbered, perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Resolved, Spec, TextScope
from crosswind.reading import stream_lines

LINES_COUNTED = 1 << 16
"""Lines within which the occurrences of a line are counted; then the count begins anew, so that memory is bounded."""

SKIPS_NAMED = 5
"""Of lines that are skipped so many are named; the others are counted."""

_CHUNK = 1 << 17  # bytes


_BYTE_ORDER_MARK = "\ufeff"


class EndedLine(NamedTuple):
    """The text of a line and what ends it: LF, CRLF, or nothing at the end of a file.

    Before the first line of a file there may be a `mark`, its byte order mark.

    A line that was skipped has no text, and all of it is its end, bytes that are not UTF-8 as lone surrogates.
    """

    text: str
    end: str
    mark: str = ""

    @property
    def whole(self) -> str:
        """All that stands in the file."""
        return self.mark + self.text + self.end


class _Chunks(Protocol):
    """A buffered stream of bytes."""

    def read1(self, size: int, /) -> bytes:
        """What there is, at most `size` bytes; it waits only where there is nothing."""
        ...


class _Arrived:
    """Lines of a stream in the bytes that have come; it waits only for the end of a line that has begun."""

    def __init__(self, stream: _Chunks) -> None:
        self._stream, self._bytes, self._at = stream, b"", 0

    def readline(self, limit: int) -> bytes:
        """The next line with its end, at most `limit` bytes of it; empty at the end of the stream."""
        end = self._bytes.find(b"\n", self._at, self._at + limit) + 1
        if not end:
            parts, size = [self._bytes[self._at :]], len(self._bytes) - self._at
            while not end and size < limit:
                chunk = self._stream.read1(_CHUNK)
                if not chunk:
                    break
                parts.append(chunk)
                end = size + chunk.find(b"\n") + 1 if b"\n" in chunk else 0
                size += len(chunk)
            self._bytes, self._at = b"".join(parts), 0
            end = min(end or size, limit)
        line = self._bytes[self._at : end]
        self._at = end
        return line

    def has_line(self) -> bool:
        """Whether a whole line has come that was not read."""
        return self._bytes.find(b"\n", self._at) >= 0


class ArrivingLines:
    """The lines of a stream of UTF-8, in batches of those that have come; the `whole` of each, joined, is its bytes.

    With `skip` a line that is not UTF-8 stays as it is and stands in `skipped`, which says what is wrong with the first
    of them; `skip_count` counts all.
    """

    def __init__(self, stream: IO[bytes], name: str, *, skip: bool = False) -> None:
        self._bytes = _Arrived(stream)  # type: ignore[arg-type]
        self._lines = stream_lines(self._bytes, name, self._skip if skip else None)  # type: ignore[arg-type]
        self._fault: UserError | None = None
        self.skipped: list[UserError] = []
        self.skip_count = 0

    def _skip(self, fault: UserError) -> None:
        self.skip_count += 1
        if len(self.skipped) < SKIPS_NAMED:
            self.skipped.append(fault)

    def __iter__(self) -> Iterator[list[EndedLine]]:
        """Batches of lines. A `UserError` that names stream and line comes after the lines before it."""
        while batch := self._batch():
            yield batch
        if self._fault is not None:
            raise self._fault

    def _batch(self) -> list[EndedLine]:
        batch: list[EndedLine] = []
        while self._fault is None and (not batch or (len(batch) < BATCH and self._bytes.has_line())):
            before = self.skip_count
            try:
                number, line = next(self._lines)
            except StopIteration:
                break
            except UserError as fault:
                self._fault = fault
                break
            mark = _BYTE_ORDER_MARK if number == 1 and line.startswith(_BYTE_ORDER_MARK) else ""
            line = line.removeprefix(mark)
            text = "" if self.skip_count > before else line.removesuffix("\n").rstrip("\r")
            batch.append(EndedLine(text, line[len(text) :], mark))
        return batch


class LineNoise:
    """A perturbation of lines that come one after another.

    What a line becomes depends on its text and on how often it came among the lines counted (`LINES_COUNTED`), so the
    result of as many is the same set of lines whatever their order.
    """

    def __init__(
        self,
        spec: Spec,
        language: str,
        *,
        draw: int = 0,
        environment: Environment | None = None,
        resolved: Resolved | None = None,
        constraints: Sequence[Constraint] = (),
    ) -> None:
        scope = TextScope(language, environment=environment or Environment())
        self._prepared = {(a, language, scope.kind): a.prepare(scope, resolved) for a in spec.atoms}
        self._atoms = list(numbered(spec.atoms))
        self._language, self._draw, self._constraints = language, draw, constraints
        self._ids = _Occurrences()

    def perturbed(self, texts: Sequence[str]) -> list[str]:
        """Lines after noise."""
        batch = [Passage.line(text, self._language, self._ids.of(text)) for text in texts]
        noised = perturb_passages(
            batch, self._atoms, draw_number=self._draw, prepared=self._prepared, constraints=self._constraints
        )
        return noised.texts


class _Occurrences:
    """The ids of lines, with a count of each that is forgotten after `LINES_COUNTED` lines."""

    def __init__(self) -> None:
        self._seen: Counter[bytes] = Counter()
        self._lines = 0

    def of(self, line: str) -> str:
        """The id of the next line: the hash of its text and its occurrence number."""
        if self._lines == LINES_COUNTED:
            self._seen.clear()
            self._lines = 0
        self._lines += 1
        mark = hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        number = self._seen[mark]
        self._seen[mark] = number + 1
        return f"{mark.hex()}-{number}"


def line_ids(lines: Iterable[str]) -> Iterator[str]:
    """The id of each line: the hash of its text and its occurrence number among the lines counted."""
    return map(_Occurrences().of, lines)


def perturb_lines(
    lines: Iterable[str],
    spec: Spec,
    language: str,
    *,
    draw: int = 0,
    environment: Environment | None = None,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
) -> Iterator[str]:
    """Each line after noise, in order, read as they come; line ends are the caller's. See `LineNoise`."""
    noise = LineNoise(spec, language, draw=draw, environment=environment, resolved=resolved, constraints=constraints)
    remaining = iter(lines)
    while batch := list(itertools.islice(remaining, BATCH)):
        yield from noise.perturbed(batch)


def perturb_stream(
    batches: Iterable[Sequence[EndedLine]],
    spec: Spec,
    language: str,
    *,
    draw: int = 0,
    environment: Environment | None = None,
    resolved: Resolved | None = None,
    constraints: Sequence[Constraint] = (),
) -> Iterator[list[tuple[EndedLine, bool]]]:
    """Batches of lines after noise, each with the end that it had, and whether its text has changed.

    A batch is answered before the next one is read.
    """
    noise = LineNoise(spec, language, draw=draw, environment=environment, resolved=resolved, constraints=constraints)
    for batch in batches:
        texts = noise.perturbed([line.text for line in batch])
        pairs = zip(batch, texts, strict=True)
        yield [(EndedLine(text, line.end, line.mark), text != line.text) for line, text in pairs]
