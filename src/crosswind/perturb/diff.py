"""The rewrite that leads from one text to another, where nobody recorded it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex
from rapidfuzz.distance import Levenshtein

from crosswind.perturb.graphemes import clusters
from crosswind.perturb.rewrite import Edit, Rewrite

_TOKEN = regex.compile(r"\s+|[\p{L}\p{M}\p{N}]+|\X")


def rewrite_between(before: str, after: str) -> Rewrite:
    """The rewrite of `before` to `after` with the fewest words touched, and within these the fewest characters.

    Words are laid side by side first, so that an edit does not take its letters from the next word; what was
    replaced is laid side by side by grapheme clusters, so that none is torn.
    """
    if before == after:
        return Rewrite.identity(before)
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    return Rewrite.from_edits(before, _edits(old, new, 0, deeper=True))


def _edits(old: Sequence[str], new: Sequence[str], at: int, *, deeper: bool) -> Iterator[Edit]:
    """The edits between two sequences of parts, the first of which begins at offset `at`."""
    starts = [at]
    for part in old:
        starts.append(starts[-1] + len(part))
    for code in Levenshtein.opcodes(old, new):
        kind, low, high, new_low, new_high = code.tag, code.src_start, code.src_end, code.dest_start, code.dest_end
        if kind == "equal":
            continue
        if kind == "replace" and deeper:
            a, b = "".join(old[low:high]), "".join(new[new_low:new_high])
            yield from _whole(_edits(clusters(a), clusters(b), starts[low], deeper=False))
        else:
            yield starts[low], starts[high], "".join(new[new_low:new_high])


def _whole(edits: Iterator[Edit]) -> Iterator[Edit]:
    """Edits that touch as one, so that a word that became a longer one is a word hit and not also a word put in; where
    white space is put in they stay apart, because there a word is."""
    last: Edit | None = None
    for edit in edits:
        if last is not None and last[1] == edit[0] and not any(c.isspace() for c in last[2] + edit[2]):
            last = (last[0], edit[1], last[2] + edit[2])
            continue
        if last is not None:
            yield last
        last = edit
    if last is not None:
        yield last
