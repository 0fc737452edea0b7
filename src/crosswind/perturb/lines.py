"""Perturbing plain lines: the core of the Unix filter `crosswind perturb`.

LF ends a line, and nothing else does. A CR before it belongs to the line's end, so that a file with
CRLF has the same draws as one with LF and keeps its bytes; a CR within a line is a part of its text.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from crosswind.perturb.noise import BATCH, numbered, perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Resolved, Spec, TextScope
from crosswind.reading import stream_lines


class EndedLine(NamedTuple):
    """The text of a line and what ends it: LF, CRLF, or nothing at the end of a file."""

    text: str
    end: str


def read_lines(stream: IO[bytes], name: str) -> Iterator[EndedLine]:
    """The lines of a stream of UTF-8, read as they come; texts and ends joined are its bytes.

    Raises a `UserError` that names the stream and the line for bytes that are not UTF-8.
    """
    for _, line in stream_lines(stream, name):
        text = line.removesuffix("\n").rstrip("\r")
        yield EndedLine(text, line[len(text) :])


def line_ids(lines: Iterable[str]) -> Iterator[str]:
    """The id of each line: the hash of its text and its occurrence number."""
    seen: Counter[bytes] = Counter()
    for line in lines:
        mark = hashlib.blake2b(line.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        yield f"{mark.hex()}-{seen[mark]}"
        seen[mark] += 1


def perturb_lines(
    lines: Iterable[str],
    spec: Spec,
    language: str,
    *,
    draw: int = 0,
    environment: Environment | None = None,
    resolved: Resolved | None = None,
) -> Iterator[str]:
    """Each line after noise, in order, read as they come.

    Line ends are the caller's. What a line becomes depends on its text and on how often it came
    before, so the result is the same set of lines whatever their order.
    """
    scope = TextScope(language, environment=environment or Environment())
    prepared = {(a, language, scope.kind): a.prepare(scope, resolved) for a in spec.atoms}
    atoms = list(numbered(spec.atoms))
    copies = itertools.tee(lines)
    pairs = zip(copies[0], line_ids(copies[1]), strict=True)
    while batch := [Passage.line(line, language, id) for line, id in itertools.islice(pairs, BATCH)]:
        noised = perturb_passages(batch, atoms, draw_number=draw, prepared=prepared)
        yield from ((w.passage if w else p).text for p, w in zip(batch, noised.written, strict=True))


def perturb_stream(
    source: Iterable[EndedLine],
    spec: Spec,
    language: str,
    *,
    draw: int = 0,
    environment: Environment | None = None,
) -> Iterator[tuple[EndedLine, bool]]:
    """Each line after noise with the end that it had, and whether its text has changed."""
    before, texts = itertools.tee(source)
    noised = perturb_lines((line.text for line in texts), spec, language, draw=draw, environment=environment)
    for line, text in zip(before, noised, strict=True):
        yield EndedLine(text, line.end), text != line.text
