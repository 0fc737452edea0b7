"""Changes of a passage: which are permitted, which go together, and what the passage becomes.

All of it is pure, and the same for noise and attacks.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from crosswind.data.examples import ChoiceExample, Span
from crosswind.perturb.alternatives import Option, Sites
from crosswind.perturb.form import in_form, keeps_form, normal_form
from crosswind.perturb.passage import SEPARATOR, Passage, Written
from crosswind.perturb.pieces import Keep, New, Placement
from crosswind.perturb.retag import retagged
from crosswind.perturb.rewrite import Rewrite

Change = tuple[int, int, Option, float]
"""A change of a passage: start, end, what the region becomes, and u, by which changes are ordered."""

by_u = itemgetter(3)
region = itemgetter(0, 1)
_rewriting: Callable[[Change], tuple[int, int, Option]] = itemgetter(0, 1, 2)


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint has one of two forms.

    * `mask(passage, sites)` says of each site whether it may change at all.
    * `check(pairs)` says of (a passage, what it was written to) whether the pair is acceptable. Of the
      changes in ascending u those up to the first that violates it are made, so that levels nest.

    What is not done because of it is counted under `name`. `asks_model`: the check asks a model, so that it is asked
    about no more texts than need be.
    """

    name: str
    mask: Callable[[Passage, Sites], Sequence[bool]] | None = None
    check: Callable[[Sequence[tuple[Passage, Passage]]], Sequence[bool]] | None = None
    asks_model: bool = False


def permitted(passage: Passage, sites: Sites, masks: Sequence[Constraint] = ()) -> list[int]:
    """The indices of the sites that may change: those that touch no locked span and that no mask forbids."""
    free = [i for i in range(len(sites)) if not touches_lock(passage, sites.starts[i], sites.ends[i])]
    for constraint in masks:
        if constraint.mask is not None:
            allowed = constraint.mask(passage, sites)
            free = [i for i in free if allowed[i]]
    return free


def touches_lock(passage: Passage, start: int, end: int) -> bool:
    """Whether a region changes a locked span, or is put into one."""
    return any(start < s.end and end > s.start for s in passage.locked)


def without_overlaps(changes: list[Change]) -> list[Change]:
    """The changes that do not overlap, taken greedily in ascending u; `changes` ascend by start.

    What a lower severity changes therefore stays changed at a higher one.
    """
    end = -1
    for start, after, _, _ in changes:
        if start < end:
            break
        end = after
    else:
        return changes
    kept: list[Change] = []
    for some in _touching(changes):
        free: list[Change] = []
        for change in sorted(some, key=by_u):
            start, end = change[:2]
            at = bisect_left(free, (start, end), key=region)
            if (at == 0 or free[at - 1][1] <= start) and (at == len(free) or end <= free[at][0]):
                free.insert(at, change)
        kept += free
    return sorted(kept, key=lambda change: (change[0], change[1], -change[3]))


def _touching(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Runs of changes of which none overlaps one of another run: a long text has many short ones."""
    run: list[Change] = []
    reach = 0
    for change in changes:
        if run and change[0] >= reach:
            yield run
            run = []
        reach = max(reach, change[1]) if run else change[1]
        run.append(change)
    if run:
        yield run


class Liberties(NamedTuple):
    """What changes may do to a passage beyond writing its words anew.

    `words`: the words of a tagged sentence may come and go. `form`: the text may leave its normal form and
    its grapheme clusters may be torn.
    """

    words: bool = False
    form: bool = False


NO_LIBERTIES = Liberties()


def applied(passage: Passage, changes: Iterable[Change], liberties: Liberties = NO_LIBERTIES) -> Written | None:
    """The passage after `changes` (in ascending order, without overlaps).

    What they bring is put into the normal form of the text. `None` if a label, the normal form or a
    grapheme cluster does not survive.
    """
    edits: Iterable[tuple[int, int, Option]] = map(_rewriting, changes)
    form = None if liberties.form else normal_form(passage.text)
    if form is not None:
        edits = ((start, end, in_form(option, form)) for start, end, option in edits)
    rewrite = Rewrite.from_changes(len(passage.text), edits)
    written = rewritten(passage, rewrite, changes_words=liberties.words)
    if written is None or liberties.form or keeps_form(passage.text, rewrite.pieces, written.passage.text, form):
        return written
    return None


def rewritten(passage: Passage, rewrite: Rewrite, *, changes_words: bool = False) -> Written | None:
    """The passage after a rewrite; `None` if a label, a locked span, a word or a part does not survive."""
    p = passage
    text = rewrite.apply(p.text)
    if not (p.labels or p.locked or p.words or p.parts):
        new = Passage(p.id, p.task, p.field, p.kind, p.language, text, (), (), (), p.tags, (), p.example)
        return Written(new, rewrite)
    layout = Placement(rewrite.pieces)
    labels, locked = layout.carry(p.labels), layout.carry(p.locked)
    if labels is None or locked is None or any(text[s.start : s.end].isspace() for s in labels):
        return None
    words, tags, parts = p.words, p.tags, p.parts
    if words and changes_words:
        resolved = retagged(text, words, tags, labels, rewrite)
        if resolved is None:
            return None
        words, tags = resolved
        rewrite = _untagged(rewrite)
    elif words:
        carried = layout.carry(words)
        if carried is None or not _separated(carried, len(text)):
            return None
        words = carried
    elif parts:
        parts = _parts(text)
        if not _parts_fit(passage, parts):
            return None
    new = Passage(p.id, p.task, p.field, p.kind, p.language, text, labels, locked, words, tags, parts, p.example)
    return Written(new, rewrite, retagged=changes_words and bool(p.words))


def compatible(passage: Passage, changes: Sequence[Change], liberties: Liberties = NO_LIBERTIES) -> list[Change]:
    """The changes that the labels, the form and the clusters survive together, taken greedily in ascending u."""

    def survives(some: Sequence[Change]) -> bool:
        return applied(passage, some, liberties) is not None

    alone = [c for c in changes if survives([c])]
    if survives(alone):
        return alone
    kept: list[Change] = []
    for change in sorted(alone, key=by_u):
        trial = sorted([*kept, change], key=region)
        if survives(trial):
            kept = trial
    return kept


def _separated(words: Sequence[Span], length: int) -> bool:
    """Whether single spaces and nothing else stand between the words of a text."""
    order = sorted(words, key=lambda s: s.start)
    return (
        order[0].start == 0
        and order[-1].end == length
        and all(a.end + 1 == b.start for a, b in itertools.pairwise(order))
    )


def _untagged(rewrite: Rewrite) -> Rewrite:
    """The rewrite without the tags of what it inserts: they are in the passage now."""
    if not any(isinstance(p, New) and p.tag for p in rewrite.pieces):
        return rewrite
    bare = (p if isinstance(p, Keep) else New(p.text, p.over) for p in rewrite.pieces)
    return Rewrite.of(bare, rewrite.length)


def _parts(text: str) -> tuple[Span, ...]:
    spans, at = [], 0
    for part in text.split(SEPARATOR):
        spans.append(Span(at, at + len(part)))
        at += len(part) + 1
    return tuple(spans)


def _parts_fit(passage: Passage, parts: Sequence[Span]) -> bool:
    """Whether the parts are as many as they were; the options of a choice question may become more."""
    if isinstance(passage.example, ChoiceExample):
        return len(parts) >= len(passage.parts) and all(p.start < p.end for p in parts[2:])
    return len(parts) == len(passage.parts)
