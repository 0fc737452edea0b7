"""Where two texts differ, word by word: scripts stay whole, so that letters join and marks combine as they should."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Literal

from crosswind.report.inert import JOINERS, code_point, is_unseen
from crosswind.report.parts import Run

LONGEST_WORD = 120
"""Characters of a word that are shown; of a longer one its beginning, and how long it is."""
_CONTEXT = 12  # words that are shown around what differs
_SKIPPED = 40  # unchanged words in a row from which on they are skipped
_MOST = 4000  # words of a text that are compared

_Kind = Literal["same", "cut", "new"]


@cache
def _words() -> Any:
    import regex

    # Scripts without blanks between words are compared character by character, Thai and its like by syllable signs.
    return regex.compile(
        r"\s+|[\p{Han}\p{Hiragana}\p{Katakana}]\p{M}*|[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*"
        r"|[\p{L}\p{M}\p{N}'’\u200c\u200d]+|\X",
    )


def differing_runs(before: str, after: str) -> tuple[tuple[Run, ...], tuple[Run, ...]]:
    """Both texts as stretches: what is the same, what was cut, what is new."""
    from rapidfuzz.distance import Indel

    old, new = _cut(before), _cut(after)
    left: list[tuple[_Kind, str]] = []
    right: list[tuple[_Kind, str]] = []
    for op in Indel.opcodes(old, new):
        a, b = old[op.src_start : op.src_end], new[op.dest_start : op.dest_end]
        if op.tag == "equal":
            left += [("same", word) for word in a]
            right += [("same", word) for word in b]
        else:
            left += [("cut", word) for word in a]
            right += [("new", word) for word in b]
    return tuple(_runs(left)), tuple(_runs(right))


def plain_runs(text: str) -> tuple[Run, ...]:
    """A text that did not change."""
    return tuple(_runs([("same", word) for word in _cut(text)]))


def _cut(text: str) -> list[str]:
    words = [m.group() for m in _words().finditer(text[: 40 * _MOST])]
    if len(words) > _MOST or len(text) > 40 * _MOST:
        words = [*words[:_MOST], f" … ({len(text):,} characters)"]
    return words


def _runs(words: Sequence[tuple[_Kind, str]]) -> Iterator[Run]:
    """Stretches of one kind; long ones of unchanged words are skipped but for their ends."""
    groups: list[tuple[_Kind, list[str]]] = []
    for kind, word in words:
        if groups and groups[-1][0] == kind:
            groups[-1][1].append(word)
        else:
            groups.append((kind, [word]))
    for number, (kind, members) in enumerate(groups):
        if kind == "same" and len(members) > _SKIPPED + 2 * _CONTEXT and len(groups) > 1:
            head = members[:_CONTEXT] if number else []
            tail = members[-_CONTEXT:] if number < len(groups) - 1 else []
            middle = members[len(head) : len(members) - len(tail)]
            yield from _shown(kind, head)
            yield Run("skipped", f"{len(''.join(middle)):,} characters")
            yield from _shown(kind, tail)
        elif kind == "same" and len(groups) == 1 and len(members) > 160:
            yield from _shown(kind, members[:100])
            yield Run("skipped", f"{len(''.join(members[100:])):,} characters")
        else:
            yield from _shown(kind, members)


def _shown(kind: _Kind, words: Sequence[str]) -> Iterator[Run]:
    """A stretch, long words cut, unseen characters apart; in what differs, blanks of other kinds and joiners too."""
    text = ""
    for word in words:
        if len(word) > LONGEST_WORD:
            word = f"{word[:LONGEST_WORD]}…({len(word):,} characters)"
        for character in word:
            hidden = is_unseen(character) and character not in "\n\t"
            odd = kind != "same" and (character in JOINERS or (character.isspace() and character not in " \n\t"))
            if hidden or odd:
                if text:
                    yield Run(kind, text)
                    text = ""
                yield Run("unseen", code_point(character))
            else:
                text += character
    if text:
        yield Run(kind, text)
