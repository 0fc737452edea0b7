"""What sort of edits lead from one text to another: how natural noise is compared with what perturbations draw.

Words are laid side by side first (`diff.py`). Of a word that became another one the letters are counted, by the fewest
deletions, insertions, replacements and exchanges of neighbours; beyond half of its letters it counts as a word.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import regex
from rapidfuzz.distance import OSA, Levenshtein

EDIT_TYPES = ("diacritic", "case", "space", "punctuation", "exchange", "deletion", "insertion", "replacement", "word")
"""In the order in which an edit is tried to be one: a mark, a capital, white space, a sign, letters, whole words."""

_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}]+|(?!\s)\X")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]")
_FARTHEST = 0.5  # edits for each letter


def edit_types(before: str, after: str) -> Counter[str]:
    """How many edits of each type lead from `before` to `after`."""
    counts: Counter[str] = Counter()
    old, new = [*_TOKEN.finditer(before)], [*_TOKEN.finditer(after)]
    for (low, high), (start, end) in _blocks([m[0] for m in old], [m[0] for m in new]):
        if high - low == end - start:
            for one, other in zip(old[low:high], new[start:end], strict=True):
                counts += _of_tokens(one[0], other[0])
        else:
            a = before[old[low].start() : old[high - 1].end()] if low < high else ""
            b = after[new[start].start() : new[end - 1].end()] if start < end else ""
            counts += _of_tokens(a, b)
    if not counts and before != after:
        counts["space"] = 1
    return counts


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """The share of each type, in [0, 1]."""
    total = sum(counts.values())
    return {name: counts.get(name, 0) / total if total else 0.0 for name in EDIT_TYPES}


def distance(one: Mapping[str, int], other: Mapping[str, int]) -> float:
    """The total variation distance of two distributions over types of edits: 0 the same, 1 nothing in common."""
    a, b = shares(one), shares(other)
    return sum(abs(a[name] - b[name]) for name in EDIT_TYPES) / 2


def counted(pairs: Iterable[tuple[str, str]]) -> Counter[str]:
    """The edits of many pairs of texts."""
    total: Counter[str] = Counter()
    for before, after in pairs:
        if before != after:
            total += edit_types(before, after)
    return total


def _blocks(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    """The stretches of both that differ, between what is equal."""
    low = start = 0
    for code in Levenshtein.opcodes(old, new):
        if code.tag == "equal":
            if low < code.src_start or start < code.dest_start:
                yield (low, code.src_start), (start, code.dest_start)
            low, start = code.src_end, code.dest_end
    if low < len(old) or start < len(new):
        yield (low, len(old)), (start, len(new))


def _of_tokens(a: str, b: str) -> Counter[str]:
    if a == b:
        return Counter()
    if "".join(a.split()) == "".join(b.split()):
        return Counter({"space": abs(len(a) - len(b)) or 1})
    if not _WORD.search(a + b):
        return Counter({"punctuation": max(1, OSA.distance(a.strip(), b.strip()))})
    if _folded(a) == _folded(b):
        return Counter({"case": sum(x != y for x, y in zip(a, b, strict=False)) or 1})
    if _bare(a) == _bare(b):
        return Counter({"diacritic": 1})
    if OSA.distance(_folded(a), _folded(b)) > _FARTHEST * max(len(a), len(b)):
        return Counter({"word": 1})
    counts: Counter[str] = Counter()
    edits = OSA.distance(a, b)
    for code in Levenshtein.opcodes(a, b):
        match code.tag:
            case "delete":
                counts["deletion"] += code.src_end - code.src_start
            case "insert":
                counts["insertion"] += code.dest_end - code.dest_start
            case "replace":
                counts["replacement"] += code.src_end - code.src_start
            case _:
                continue
    # An exchange of neighbours is two of Levenshtein's edits and one of optimal string alignment.
    exchanged = sum(counts.values()) - edits
    for _ in range(exchanged):
        counts["exchange"] += 1
        if counts["replacement"] >= 2:
            counts["replacement"] -= 2
        else:
            counts["deletion"] -= 1
            counts["insertion"] -= 1
    return +counts


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", _folded(text)) if not unicodedata.combining(c))


def _folded(text: str) -> str:
    """The text without capitals, letter by letter: ß is another letter than ss, not its capital."""
    return "".join(folded if len(folded := c.casefold()) == 1 else c.lower() for c in text)
