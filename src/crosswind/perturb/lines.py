"""Perturbing plain lines: the core of the Unix filter `crosswind perturb`."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator

from crosswind.perturb.noise import BATCH, numbered, perturb_passages
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Environment
from crosswind.perturb.spec import Resolved, Spec, TextScope


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
