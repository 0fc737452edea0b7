"""Noise on texts: draw sites, resolve conflicts, keep labels intact, rewrite.

Works on batches of `Text`, the unit that a draw is keyed by; `example.py` cuts examples into texts
and puts them together again.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import regex

from crosswind.data.examples import Span
from crosswind.perturb.draw import Drawn, choose, draw, key
from crosswind.perturb.perturbation import Alternatives, Option, Sites
from crosswind.perturb.pieces import New
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import Atom, Spec

BATCH = 1024  # texts whose hashes are computed at once; the result does not depend on it

_u = itemgetter(3)
_SPACE = regex.compile(r"\s")


@dataclass(slots=True)
class Text:
    """A text under perturbation; the fields after `labels` are what has become of it.

    `labels` are spans that must survive; sites that touch one of the first `locked` of them stay as
    they are. `words`: the labels after the locked ones are the words of a tagging example, which
    single spaces separate: their number is fixed.
    """

    id: str
    field: str
    language: str
    text: str
    labels: tuple[Span, ...] = ()
    locked: tuple[Span, ...] = ()
    words: tuple[Span, ...] = ()
    rewrite: Rewrite | None = None
    rejected: int = 0
    original: str = ""

    def __post_init__(self) -> None:
        self.original = self.text

    @property
    def changed(self) -> bool:
        return self.text != self.original


_Change = tuple[int, int, Option, float]  # start, end, what it becomes, u


Prepared = Mapping[tuple[Atom, str], Alternatives]


def perturb_texts(texts: Sequence[Text], spec: Spec, *, task: str, draw_number: int, prepared: Prepared) -> None:
    """Apply `spec` to every text, in place.

    `prepared` holds the alternatives of each (atom, language).
    """
    for atom, identity in zip(spec.atoms, _identities(spec), strict=True):
        for batch in _batches(texts):
            sites = [prepared[atom, t.language](t.text) for t in batch]
            keys = [key(str(draw_number), identity, task, t.language, t.id, t.field) for t in batch]
            drawn = draw(keys, [s.starts for s in sites], atom.severity)
            for text, found, chosen in zip(batch, sites, drawn, strict=True):
                if chosen:
                    _apply(text, found, chosen)


def _identities(spec: Spec) -> Iterator[str]:
    seen: Counter[str] = Counter()
    for atom in spec.atoms:
        identity = atom.identity
        # `swap+swap` draws twice, not the same twice.
        yield f"{identity}#{seen[identity]}" if seen[identity] else identity
        seen[identity] += 1


def _batches(texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
    for start in range(0, len(texts), BATCH):
        yield texts[start : start + BATCH]


def _apply(text: Text, sites: Sites, drawn: Sequence[Drawn]) -> None:
    changes = _without_overlaps(_permitted(text, sites, drawn))
    rewrite = Rewrite.from_changes(len(text.text), (c[:3] for c in changes))
    carried = _carry(text, rewrite)
    if carried is None:
        kept = _compatible(text, changes)
        text.rejected += len(changes) - len(kept)
        rewrite = Rewrite.from_changes(len(text.text), (c[:3] for c in kept))
        carried = _carry(text, rewrite)
    if carried is None or rewrite.is_identity:
        return
    changed = rewrite.apply(text.text)
    if changed == text.text:  # two equal words changed places
        return
    text.text = changed
    text.rewrite = rewrite if text.rewrite is None else text.rewrite.then(rewrite)
    text.labels, text.locked, text.words = carried


def _permitted(text: Text, sites: Sites, drawn: Sequence[Drawn]) -> list[_Change]:
    changes = []
    starts, ends, options_of = sites.starts, sites.ends, sites.options
    for site, u, bits in drawn:
        start, end = starts[site], ends[site]
        if text.locked and any(start < s.end and end > s.start for s in text.locked):
            continue
        options = options_of(site)
        if text.words:
            options = tuple(o for o in options if not _has_space(o))
        if options:
            changes.append((start, end, options[choose(bits, len(options))], u))
    return changes


def _has_space(option: Option) -> bool:
    if isinstance(option, str):
        return bool(_SPACE.search(option))
    return any(isinstance(p, New) and _SPACE.search(p.text) for p in option)


def _without_overlaps(changes: list[_Change]) -> list[_Change]:
    """Greedily in ascending u, so that what a lower severity changes stays changed at a higher one."""
    end = -1
    for start, after, _, _ in changes:
        if start < end:
            break
        end = after
    else:
        return changes
    kept: list[_Change] = []
    for change in sorted(changes, key=_u):
        start, end = change[:2]
        at = bisect_left(kept, start, key=itemgetter(0))
        if (at == 0 or kept[at - 1][1] <= start) and (at == len(kept) or end <= kept[at][0]):
            kept.insert(at, change)
    return kept


_Carried = tuple[tuple[Span, ...], tuple[Span, ...], tuple[Span, ...]]


def _carry(text: Text, rewrite: Rewrite) -> _Carried | None:
    """Labels, locked spans and words after the rewrite; `None` if one of them does not survive."""
    if not (text.labels or text.locked or text.words):
        return (), (), ()
    groups = [rewrite.carry(group) for group in (text.labels, text.locked, text.words)]
    labels, locked, words = groups
    if labels is None or locked is None or words is None:
        return None
    if words:
        order = sorted(words, key=lambda s: s.start)
        separated = all(a.end + 1 == b.start for a, b in itertools.pairwise(order))
        changed = rewrite.apply(text.text)
        if not separated or order[0].start != 0 or order[-1].end != len(changed):
            return None
    return labels, locked, words


def _compatible(text: Text, changes: Sequence[_Change]) -> list[_Change]:
    """The changes that the labels survive together, taken greedily in ascending u."""
    length = len(text.text)
    alone = [c for c in changes if _carry(text, Rewrite.from_changes(length, [c[:3]])) is not None]
    if _carry(text, Rewrite.from_changes(length, (c[:3] for c in alone))) is not None:
        return alone
    kept: list[_Change] = []
    for change in sorted(alone, key=_u):
        trial = sorted([*kept, change], key=itemgetter(0, 1))
        if _carry(text, Rewrite.from_changes(length, (c[:3] for c in trial))) is not None:
            kept = trial
    return kept
