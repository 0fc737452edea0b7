"""Gold answers that are not where a SQuAD file says: moved to where their text stands, kept as text, or left out."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import regex

from crosswind.data.examples import Span
from crosswind.errors import UserError, shown

BadAnswers = Literal["repair", "drop", "refuse"]
"""What becomes of an answer that is not at its offset.

`repair`: it is moved to where its text stands; where that is nowhere, or unclear, its text stays gold without a
span, unless that is so for more than `BAD_SHARE` of the questions. `drop`: it is moved, or left out, however many
there are. `refuse`: the first one is an error.
"""
BAD_SHARE = 0.05
"""The share of questions with answers that stand nowhere, above which a file is rather of another kind."""
NEAR = 100
"""Characters around the offset in which the text is looked for first."""
NAMED = 3
"""Ids that a note names."""


@dataclass(frozen=True, slots=True)
class Gold:
    """The gold of a question: spans of its passage, and texts that stand nowhere in it (`unplaced`)."""

    spans: tuple[Span, ...]
    unplaced: tuple[str, ...] = ()
    moved: bool = False


@dataclass
class Repairs:
    """Which questions of a file were changed, by what was done; `count` is that of all questions."""

    count: int = 0
    moved: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    bad: list[tuple[str, str]] = field(default_factory=list)  # (where, what) of answers that stand nowhere

    def check(self, bad_answers: BadAnswers) -> None:
        """A `UserError` where more than `BAD_SHARE` of the questions have answers that stand nowhere."""
        questions = len({where for where, _ in self.bad})
        if bad_answers != "repair" or questions <= BAD_SHARE * self.count:
            return
        where, what = self.bad[0]
        share = 100 * questions / self.count
        raise UserError(
            f"{what}; so it is for {questions:,} of {self.count:,} questions ({share:.0f} %)",
            where=where,
            hint=f"{OFFSETS} To read the file without such answers: bad_answers: drop",
        )

    def notes(self) -> tuple[str, ...]:
        """What was done, a sentence each."""
        done = (
            (self.moved, "had answers beside their offsets, which were moved to where their text stands"),
            (self.unplaced, "have gold answers that stand nowhere in the passage, whose texts count without a place"),
            (self.left_out, "without any gold answer were left out"),
        )
        return tuple(f"{len(ids):,} of {self.count:,} questions {what}: {_first(ids)}" for ids, what in done if ids)


def placed_gold(context: str, answers: Sequence[tuple[str, int]], where: str, bad_answers: BadAnswers) -> Gold:
    """Where the answers, as (text, offset), stand in a passage. `where` names the question in errors."""
    spans: list[Span] = []
    unplaced: list[str] = []
    moved = False
    for text, start in answers:
        end = start + len(text)
        if text and start >= 0 and context[start:end] == text:
            spans.append(Span(start, end))
            continue
        if bad_answers == "refuse":
            raise UserError(misplaced(context, text, start), where=where, hint=OFFSETS)
        span = find_answer(context, text, start) if text.strip() else None
        if span is not None:
            spans.append(span)
            moved = True
        elif text.strip():
            unplaced.append(text)
    return Gold(tuple(spans), tuple(unplaced), moved)


def find_answer(context: str, text: str, start: int) -> Span | None:
    """The one place near `start`, or else in the whole passage, where an answer's text stands; None without one.

    First the text as it is, then without regard to case, white space and normal form; a place begins and ends
    between graphemes.
    """
    exact = [Span(i, i + len(text)) for i in _all(context, text)]
    for spans in (exact, [] if exact else _folded_places(context, text)):
        near = [span for span in spans if abs(span.start - start) <= NEAR]
        for few in (near, spans):
            if len(few) == 1:
                return few[0]
    return None


def misplaced(context: str, text: str, start: int) -> str:
    """What is wrong with an answer that is not at its offset."""
    end = start + len(text)
    if not text or start < 0 or end > len(context):
        return f"the answer {shown(text)} at {start}-{end} lies outside the context of {len(context)} characters"
    return f"the answer is {shown(text)}, but the context has {shown(context[start:end])} at {start}"


OFFSETS = "offsets count characters (code points), not bytes; was the context edited or normalised?"

_CLUSTER = regex.compile(r"\s+|\X")


def _all(text: str, part: str) -> list[int]:
    places, at = [], text.find(part)
    while at >= 0:
        places.append(at)
        at = text.find(part, at + 1)
    return places


def _folded_places(context: str, text: str) -> list[Span]:
    """Where the folded text stands in the folded passage, from border to border of clusters."""
    pieces = [(match.start(), match.end(), _folded(match[0])) for match in _CLUSTER.finditer(context)]
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    length = 0
    for start, end, piece in pieces:
        begins[length] = start
        length += len(piece)
        ends[length] = end
    whole = "".join(piece for _, _, piece in pieces)
    part = "".join(_folded(match[0]) for match in _CLUSTER.finditer(text.strip()))
    places = ((at, at + len(part)) for at in _all(whole, part))
    return [Span(begins[a], ends[b]) for a, b in places if a in begins and b in ends]


def _folded(cluster: str) -> str:
    return " " if cluster.isspace() else unicodedata.normalize("NFD", unicodedata.normalize("NFD", cluster).casefold())


def _first(ids: Sequence[str]) -> str:
    return ", ".join(ids[:NAMED]) + (", …" if len(ids) > NAMED else "")
