"""Noise on passages: draw sites, resolve conflicts, keep labels intact, write.

What is drawn and not done is counted by reason:

* `protected`: the site touches a locked span;
* the name of a constraint: its mask forbids the site, or its check ended the changes of the passage;
* `group`: more sites of a group were drawn than may change;
* `no option`: the perturbation had nothing for the site;
* `same text`: after its changes the passage reads as it did;
* `white space`: the option would have added a word without a tag to a tagged sentence;
* `overlap`: a site that lies over it has a lower u;
* `label`: a label, a word, a part, the normal form or a grapheme cluster would not have survived.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress

import numpy as np

from crosswind.data.languages import one_spelling
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, Sites, breaks_words
from crosswind.perturb.applied import (
    Change,
    Constraint,
    Liberties,
    applied,
    by_u,
    compatible,
    region,
    touches_lock,
    without_overlaps,
)
from crosswind.perturb.codes import TextBatch, keep_heap
from crosswind.perturb.columns import Columnar, is_columnar
from crosswind.perturb.draw import BETWEEN_PARTS, Drawn, Sieve, Words, draw, draw_one, keys_of
from crosswind.perturb.form import normal_form, uncomposed
from crosswind.perturb.passage import Passage, PassageKind, Written
from crosswind.perturb.plain import plain_noise
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import Atom

BATCH = 1024  # passages whose hashes are computed at once; the result does not depend on it

FEW = 4  # passages below which writing on arrays costs more than it saves; the result does not depend on it
_LONG = 4096  # characters of a passage for which it saves much, be it alone

Prepared = Mapping[tuple[Atom, str, PassageKind], Alternatives]
"""The alternatives of each (atom, language, kind of passage)."""


@dataclass(slots=True)
class Noised:
    """Passages under noise: how each reads now, by which rewrite (`None`: it is unchanged), and what was not done."""

    passages: Sequence[Passage]
    texts: list[str] = field(init=False)
    rewrites: list[Rewrite | None] = field(init=False)
    counts: dict[int, Counter[str]] = field(default_factory=dict)
    _written: dict[int, Written] = field(default_factory=dict)  # of those that were written with what is known of them

    def __post_init__(self) -> None:
        self.texts = [p.text for p in self.passages]
        self.rewrites = [None] * len(self.texts)

    @property
    def written(self) -> list[Written | None]:
        """What each passage has become; `None` while it is unchanged."""
        return [self.written_of(i) for i in range(len(self.passages))]

    def written_of(self, index: int) -> Written | None:
        """What a passage has become; `None` while it is unchanged."""
        rewrite = self.rewrites[index]
        if rewrite is None:
            return None
        known = self._written.get(index)
        if known is None:
            p = self.passages[index]
            text = self.texts[index]
            plain = Passage(p.id, p.task, p.field, p.kind, p.language, text, (), (), (), p.tags, (), p.example)
            return Written(plain, rewrite)
        return known

    def now(self, index: int) -> Passage:
        """A passage as it reads now."""
        written = self.written_of(index)
        return self.passages[index] if written is None else written.passage

    def put(self, indices: Iterable[int], texts: Iterable[str], rewrites: Iterable[Rewrite]) -> None:
        """Plain passages become texts, by rewrites of what they were."""
        now, known, written = self.texts, self.rewrites, self._written
        for index, text, rewrite in zip(indices, texts, rewrites, strict=True):
            first = known[index]
            now[index] = text
            known[index] = rewrite if first is None else first.then(rewrite)
            if written:
                written.pop(index, None)

    def put_written(self, index: int, result: Written) -> None:
        """A passage becomes what was written of what it was."""
        self._written[index] = whole = result.after(self.written_of(index))
        self.texts[index], self.rewrites[index] = result.passage.text, whole.rewrite

    def count(self, index: int, reason: str, n: int = 1) -> None:
        """Count `n` drawn changes of a passage that are not made."""
        if n:
            known = self.counts.get(index)
            if known is None:  # made without its `__init__`, which takes longer than the rest
                known = self.counts[index] = Counter.__new__(Counter)
            known[reason] += n


def perturb_passages(
    passages: Sequence[Passage],
    atoms: Sequence[tuple[Atom, str]],
    *,
    draw_number: int,
    prepared: Prepared,
    constraints: Sequence[Constraint] = (),
) -> Noised:
    """Apply atoms, one after another, to every passage; beside each atom stands its identity in the draw."""
    if len(passages) > BATCH // 2:
        keep_heap()
    noised = Noised(passages)
    now = passages
    scopes = [(p.language, p.kind) for p in passages]
    groups: dict[tuple[str, PassageKind], list[int]] = {scope: [] for scope in dict.fromkeys(scopes)}
    for i, scope in enumerate(scopes):
        groups[scope].append(i)
    for number, (atom, identity) in enumerate(atoms):
        if number:
            now = [noised.now(i) for i in range(len(passages))]
        limits = (*atom.perturbation.constraints, *constraints)
        for (language, kind), members in groups.items():
            alternatives = prepared[atom, language, kind]
            for start in range(0, len(members), BATCH):
                batch = members[start : start + BATCH]
                _perturb(noised, now, batch, alternatives, atom, (str(draw_number), identity), limits)
    return noised


def numbered(atoms: Sequence[Atom]) -> Iterator[tuple[Atom, str]]:
    """Each atom with its identity in the draw: `swap+swap` draws twice, not the same twice."""
    seen: Counter[str] = Counter()
    for atom in atoms:
        identity = atom.identity
        yield atom, f"{identity}#{seen[identity]}" if seen[identity] else identity
        seen[identity] += 1


def _perturb(
    noised: Noised,
    now: Sequence[Passage],
    batch: Sequence[int],
    alternatives: Alternatives,
    atom: Atom,
    identity: tuple[str, str],
    constraints: Sequence[Constraint],
) -> None:
    passages = [now[i] for i in batch]
    sep = BETWEEN_PARTS
    language = one_spelling(passages[0].language)  # they are of one
    keys = keys_of(identity, [f"{p.task}{sep}{language}{sep}{p.id}{sep}{p.field}" for p in passages])
    if not constraints and not atom.perturbation.changes_form and is_columnar(alternatives):
        many = len(batch) >= FEW or any(len(p.text) >= _LONG for p in passages)
        perturb = _perturb_plain if many else _perturb_few
        left = perturb(noised, now, batch, alternatives, keys, atom)
        if not left:
            return
        batch, passages, keys = [batch[i] for i in left], [passages[i] for i in left], keys[left]
    sites = alternatives.sites(passages)
    drawn = draw(keys.tolist(), [s.counters for s in sites], atom.severity)
    masks = [c for c in constraints if c.mask is not None]
    at: list[DrawnSite] = []
    chosen: list[tuple[int, Sites, Sequence[Drawn]]] = []
    for i, passage, of_passage, hits in zip(batch, passages, sites, drawn, strict=True):
        if not hits:
            continue
        some: Sequence[Drawn] = hits
        if passage.locked or masks or of_passage.groups is not None:
            some = _allowed(noised, i, passage, of_passage, hits, masks)
        at += [(of_passage, index, bits) for index, _, bits in some]
        chosen.append((i, of_passage, some))
    options = iter(alternatives.draw(at))
    free = Liberties(atom.perturbation.changes_words, atom.perturbation.changes_form)
    checks = [c for c in constraints if c.check is not None]
    # Without checks each passage is written before the options of the next are made: they stay in the cache.
    pending: Iterable[tuple[int, list[Change]]] = _pending(noised, now, chosen, options)
    if checks:
        pending = _checked(noised, now, list(pending), checks, free)
    for i, changes in pending:
        _write(noised, now, i, changes, free)


def _perturb_plain(
    noised: Noised, now: Sequence[Passage], batch: Sequence[int], alternatives: Columnar, keys: Words, atom: Atom
) -> list[int]:
    """Noise on the plain passages of a batch; the positions in the batch of those that are left, those in NFD too."""
    severity = atom.severity
    some = [now[i] for i in batch]
    left = [n for n, p in enumerate(some) if p.labels or p.locked or p.words or p.parts]
    plain = [n for n, p in enumerate(some) if _is_plain(p)] if left else list(range(len(some)))
    joined = TextBatch([some[n].text for n in plain], Sieve(keys[plain], severity))
    stretches = uncomposed(joined.codes, joined.text)
    formless: list[int] | None = None
    if len(stretches):
        others = np.unique(np.searchsorted(joined.first, stretches, side="right") - 1).tolist()
        formless = [n for n in others if not unicodedata.is_normalized("NFD", joined.texts[n])]
        if len(formless) < len(others):
            decomposed = set(others).difference(formless)
            left += (plain[n] for n in decomposed)
            plain = [at for n, at in enumerate(plain) if n not in decomposed]
            formless = [n - bisect_left(others, n) + i for i, n in enumerate(formless)]
            joined = TextBatch([some[n].text for n in plain], Sieve(keys[plain], severity))
    if not plain:
        return left
    columns = alternatives.columns(joined)
    result = plain_noise(joined, columns, keys[plain], severity, None if formless is None else np.array(formless, int))
    for at, n in result.overlaps.items():
        noised.count(batch[plain[at]], "overlap", n)
    noised.put([batch[plain[at]] for at in result.changed], result.texts, result.rewrites)
    return left + [plain[at] for at in result.refused]


def _perturb_few(
    noised: Noised, now: Sequence[Passage], batch: Sequence[int], alternatives: Columnar, keys: Words, atom: Atom
) -> list[int]:
    """As `_perturb_plain`, for few passages: only the draw is on arrays, and what is drawn is written site by site."""
    plain: list[int] = []
    left: list[int] = []
    for n, i in enumerate(batch):
        (plain if _is_plain(now[i]) and normal_form(now[i].text) != "NFD" else left).append(n)
    if not plain:
        return left
    joined = TextBatch([now[batch[n]].text for n in plain])
    columns = alternatives.columns(joined)
    shifts, most = joined.first.tolist(), columns.most
    bounds = np.searchsorted(columns.starts, joined.first).tolist()
    free = Liberties(atom.perturbation.changes_words)
    for owner, n in enumerate(plain):
        i, low, shift = batch[n], bounds[owner], shifts[owner]
        starts = columns.starts[low : bounds[owner + 1]] - shift
        at, every_u, every_bits = draw_one(int(keys[n]), starts, atom.severity)
        if most is not None and len(at) > most[owner]:
            left.append(n)
            continue
        changes: list[Change] = []
        for site, u, bits in zip(at, every_u, every_bits, strict=True):
            site += low
            start, end = int(columns.starts[site]) - shift, int(columns.ends[site]) - shift
            changes.append((start, end, columns.option(site, shift, bits), u))
        if changes:
            apart = without_overlaps(changes)
            noised.count(i, "overlap", len(changes) - len(apart))
            _write(noised, now, i, apart, free)
    return left


def _is_plain(passage: Passage) -> bool:
    return not (passage.labels or passage.locked or passage.words or passage.parts)


def _pending(
    noised: Noised,
    now: Sequence[Passage],
    chosen: Iterable[tuple[int, Sites, Sequence[Drawn]]],
    options: Iterator[Option | None],
) -> Iterator[tuple[int, list[Change]]]:
    """The changes of each passage, without those that have no option or lie over another."""
    for i, sites, some in chosen:
        starts, ends = sites.starts, sites.ends
        tagged = bool(now[i].words)
        changes: list[Change] = []
        for (index, u, _), option in zip(some, options, strict=False):
            if option is None:
                noised.count(i, "no option")
            elif tagged and breaks_words(option):
                noised.count(i, "white space")
            else:
                changes.append((starts[index], ends[index], option, u))
        if changes:
            apart = without_overlaps(changes)
            noised.count(i, "overlap", len(changes) - len(apart))
            yield i, apart


def _write(noised: Noised, now: Sequence[Passage], i: int, changes: list[Change], free: Liberties) -> None:
    passage = now[i]
    result = applied(passage, changes, free)
    if result is None:
        kept = compatible(passage, changes, free)
        noised.count(i, "label", len(changes) - len(kept))
        changes = kept
        result = applied(passage, kept, free) if kept else None
    if result is None:
        return
    if result.passage.text == passage.text:
        noised.count(i, "same text", len(changes))
        return
    noised.put_written(i, result)


def _allowed(
    noised: Noised, i: int, passage: Passage, sites: Sites, hits: Sequence[Drawn], masks: Sequence[Constraint]
) -> Sequence[Drawn]:
    """The drawn sites that are neither protected nor masked, of each group those of lowest u."""
    starts, ends = sites.starts, sites.ends
    allowed = [h for h in hits if not touches_lock(passage, starts[h[0]], ends[h[0]])]
    noised.count(i, "protected", len(hits) - len(allowed))
    for constraint in masks:
        if constraint.mask is not None and allowed:
            mask = constraint.mask(passage, sites)
            left = [h for h in allowed if mask[h[0]]]
            noised.count(i, constraint.name, len(allowed) - len(left))
            allowed = left
    if sites.groups is None:
        return allowed
    used: Counter[int] = Counter()
    keep = dict.fromkeys((h[0] for h in allowed), False)
    for index, _, _ in sorted(allowed, key=lambda h: h[1]):
        group = sites.groups[index]
        keep[index] = used[group] < sites.most
        used[group] += 1
    left = [h for h in allowed if keep[h[0]]]
    noised.count(i, "group", len(allowed) - len(left))
    return left


def _checked(
    noised: Noised,
    now: Sequence[Passage],
    pending: list[tuple[int, list[Change]]],
    checks: Sequence[Constraint],
    free: Liberties,
) -> list[tuple[int, list[Change]]]:
    """The changes of each passage in ascending u up to the first that a check refuses.

    The passages are checked together, one more change in every round.
    """
    ordered = [(i, sorted(changes, key=by_u)) for i, changes in pending]
    kept = [0] * len(ordered)
    alive = list(range(len(ordered)))
    while alive:
        alive = [n for n in alive if kept[n] < len(ordered[n][1])]
        trials = []
        for n in alive:
            i, changes = ordered[n]
            some = sorted(changes[: kept[n] + 1], key=region)
            result = applied(now[i], some, free)
            if result is None:
                result = applied(now[i], compatible(now[i], some, free), free)
            trials.append((now[i], now[i] if result is None else result.passage))
        good = [True] * len(alive)
        for constraint in checks:
            if constraint.check is not None and any(good):
                verdicts = iter(constraint.check(list(compress(trials, good))))
                for at, n in enumerate(alive):
                    if good[at] and not next(verdicts):
                        good[at] = False
                        noised.count(ordered[n][0], constraint.name, len(ordered[n][1]) - kept[n])
        for n in compress(alive, good):
            kept[n] += 1
        alive = list(compress(alive, good))
    return [(i, sorted(changes[: kept[n]], key=region)) for n, (i, changes) in enumerate(ordered) if kept[n]]
