"""Which cells systems are compared on: those that all of them have, in languages that none was trained on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import inf
from typing import assert_never

import numpy as np

from crosswind.analysis.condition import APART, Condition
from crosswind.analysis.contrasted import Measure
from crosswind.analysis.influence import Influence, mean_influence, quotient, weighted_sum
from crosswind.analysis.results import FAMILIARITIES, NONE
from crosswind.analysis.scored import RowDict, Scored, System, condition_of, language_of, under_common_seeds
from crosswind.errors import UserError
from crosswind.evaluate.metrics.base import parse_signature, require_comparable, unfitted

DAMAGE_COLUMNS = ("changed_items", "changed_tokens", "words_hit", "edits", "chrf", "unknown_tokens")
"""The columns of results that say how much a condition changed."""
Key = tuple[Condition, str]  # a condition in a language


@dataclass(frozen=True, eq=False)
class SharedCells:
    """The cells of one target that all `systems` have: `rows[system][condition, language]`, of all seeds and draws.

    `floored` are the systems at their floor when clean. `english` has the same for the source language, `whole` the
    clean cells of every language, those that some system was trained on with them.
    """

    cells: Scored
    systems: tuple[System, ...]
    rows: Mapping[System, Mapping[Key, list[int]]]
    english: Mapping[System, Mapping[Key, list[int]]]
    floored: frozenset[System]
    diagnostic: Collection[str]
    whole: Mapping[System, Mapping[Key, list[int]]] = field(default_factory=dict)
    _cache: dict[tuple[object, ...], Influence] = field(default_factory=dict)
    _shares: dict[tuple[object, ...], tuple[float, float]] = field(default_factory=dict)
    _damage: dict[tuple[object, ...], dict[str, float]] = field(default_factory=dict)

    @property
    def keys(self) -> frozenset[Key]:
        """The conditions and languages that all systems have."""
        return frozenset(next(iter(self.rows.values())))

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The noise that keeps labels, in order."""
        return tuple(sorted({c for c, _ in self.keys if not c.clean and c.attack == NONE}))

    @property
    def attacks(self) -> tuple[Condition, ...]:
        """The conditions with an attack, in order."""
        return tuple(sorted({c for c, _ in self.keys if c.attack != NONE}))

    def languages(self, conditions: Iterable[Condition] = ()) -> tuple[str, ...]:
        """The languages that have all of these conditions; without conditions, those of the clean cells."""
        asked = list(conditions) or [c for c in {c for c, _ in self.keys} if c.clean]
        sets = [{language for c, language in self.keys if c == condition} for condition in asked]
        return tuple(sorted(set.intersection(*sets))) if sets else ()

    def familiarity(self, system: System, condition: Condition) -> str:
        """Whether a system's defence was made for a condition: held-out as soon as it is so in some language."""
        rows = self.rows[system]
        values = {self.cells.rows[i]["familiarity"] for (c, _), cells in rows.items() if c == condition for i in cells}
        return max(values, key=FAMILIARITIES.index, default=NONE)

    @property
    def official_languages(self) -> tuple[str, ...]:
        """The languages of the clean cells, the source language and those that some system was trained on with them."""
        return tuple(sorted({language for _, language in next(iter(self.whole.values()), {})}))

    def seeds(self, system: System) -> set[int]:
        """The pipeline seeds of a system."""
        return {self.cells.rows[i]["pipeline_seed"] for rows in self.rows[system].values() for i in rows}

    def influence(
        self,
        system: System,
        measure: Measure,
        languages: Sequence[str],
        conditions: Sequence[Condition],
        *,
        english: bool = False,
    ) -> Influence:
        """A measure of one system: the mean over draws, then languages, then conditions."""
        name = (system, measure, tuple(languages), tuple(conditions), english)
        if name not in self._cache:
            self._cache[name] = self._influence(system, measure, languages, conditions, english)
        return self._cache[name]

    def _influence(
        self, system: System, measure: Measure, languages: Sequence[str], conditions: Sequence[Condition], english: bool
    ) -> Influence:
        numbers = self.cells.numbers

        def of(which: Measure) -> Influence:
            return self.influence(system, which, languages, conditions, english=english)

        match measure:
            case "everywhere":
                clean = [c for c in {c for c, _ in self.keys} if c.clean]
                return self._mean(system, clean, languages, english=english, clean=False)
            case "clean" | "before":
                if not conditions:
                    return of("everywhere")
                return self._mean(system, conditions, languages, english=english, clean=True)
            case "perturbed":
                return self._mean(system, conditions, languages, english=english, clean=False)
            case "drop":
                sign = self.cells.gain
                before, after = under_common_seeds([of("before"), of("perturbed")])
                return weighted_sum([(sign, before), (-sign, after)], numbers)
            case "relative-drop":
                drop, before = under_common_seeds([of("drop"), of("before")])
                # At most all of a clean score is lost; of one that is better when lower, at most all of it won.
                return quotient(drop, before, numbers, (-inf, 100.0) if self.cells.gain > 0 else (-100.0, inf))
            case "normalised-drop":
                rows = (self.english if english else self.rows)[system]
                tables = [[rows[c, x] for x in languages if (c, x) in rows] for c in conditions]
                above = [x for table in tables if (x := self.cells.above_chance(table, clean=True)) is not None]
                if not above:
                    return of("relative-drop")
                drop, *parts = under_common_seeds([of("drop"), *above])
                return quotient(drop, mean_influence(parts, numbers), numbers)
            case "consistency":
                rows = (self.english if english else self.rows)[system]
                shares = [self.cells.consistency(rows[c, x]) for c in conditions for x in languages if (c, x) in rows]
                if not shares or any(x is None for x in shares):
                    raise LookupError("no consistency")
                return mean_influence(under_common_seeds([x for x in shares if x is not None]), numbers)
            case "official":
                rows = self.whole[system]
                parts = [self.cells.influence(members) for (_, x), members in rows.items() if x in languages]
                return mean_influence(under_common_seeds(parts), numbers)
            case "right-drop":
                rows = (self.english if english else self.rows)[system]
                kept = [self.cells.where_right(rows[c, x]) for c in conditions for x in languages if (c, x) in rows]
                if not kept or any(x is None or not np.isfinite(x.theta).all() for x in kept):
                    raise LookupError("nothing is known of the items that all had right")
                left = mean_influence(under_common_seeds([x for x in kept if x is not None]), numbers)
                best = 100.0 if self.cells.gain > 0 else 0.0
                return replace(left, theta=self.cells.gain * (best - left.theta), values=-self.cells.gain * left.values)
            case "residual" | "error":
                raise ValueError(f"{measure} is made of several systems")
            case _:
                assert_never(measure)

    def _mean(
        self, system: System, conditions: Sequence[Condition], languages: Sequence[str], *, english: bool, clean: bool
    ) -> Influence:
        rows = (self.english if english else self.rows)[system]
        parts = [
            self.cells.average([rows[condition, x] for x in languages if (condition, x) in rows], clean=clean)
            for condition in conditions
        ]
        return mean_influence(under_common_seeds(parts), self.cells.numbers)

    def shares(self, system: System, languages: Sequence[str], conditions: Sequence[Condition]) -> tuple[float, float]:
        """The mean shares of items and tokens that these conditions changed."""
        name = system, tuple(languages), tuple(conditions)
        if name not in self._shares:
            rows = self.rows[system]
            groups = [[i for x in languages for i in rows.get((c, x), ())] for c in conditions]
            groups = [g for g in groups if g]
            shares = self.cells.mean_of("changed_items", groups), self.cells.mean_of("changed_tokens", groups)
            self._shares[name] = shares
        return self._shares[name]

    def damage(self, system: System, condition: Condition, language: str, *, english: bool = False) -> dict[str, float]:
        """The columns that say how much a condition changed in a language, each the mean over seeds and draws; none
        where it was not scored."""
        name = system, condition, language, english
        if name not in self._damage:
            rows = (self.english if english else self.rows)[system].get((condition, language), ())
            self._damage[name] = {c: self.cells.mean_of(c, [rows]) for c in DAMAGE_COLUMNS} if rows else {}
        return self._damage[name]

    @cached_property
    def draws(self) -> int:
        """How many draws its perturbed cells have."""
        used = {self.cells.rows[i]["draw"] for table in self.rows.values() for rows in table.values() for i in rows}
        return max(1, len(used - {0}))


def shared_cells(
    cells: Scored, systems: Sequence[System], diagnostic: Collection[str], notes: list[str]
) -> SharedCells | None:
    """The cells of a target that all of the systems that have it share; `None` if fewer than two do.

    What some system or seed lacks, and what cannot be compared, is left out and noted.
    """
    others: dict[tuple[System, int], dict[Key, list[int]]] = {}
    english: dict[tuple[System, int], dict[Key, list[int]]] = {}
    every: dict[tuple[System, int], dict[Key, list[int]]] = {}
    for i, row in enumerate(cells.rows):
        system = system_of(row)
        if system not in systems or row["selection"] in APART or not keeps_label(row, diagnostic):
            continue
        key = condition_of(row), language_of(row)
        if key[0].clean:
            every.setdefault((system, row["pipeline_seed"]), {}).setdefault(key, []).append(i)
        if row["language"] == cells.source:
            english.setdefault((system, row["pipeline_seed"]), {}).setdefault(key, []).append(i)
        elif row["language"] not in cells.trained:
            others.setdefault((system, row["pipeline_seed"]), {}).setdefault(key, []).append(i)
    keys = set.intersection(*(set(x) for x in others.values())) if others else set()
    if any(set(x) != keys for x in others.values()):
        notes.append(f"{cells.target}: some routes or seeds lack some cells; the routes are compared on what all have.")
    present = tuple(s for s in systems if any(system == s for system, _ in others))
    if not any(condition.clean for condition, _ in keys):
        return None
    rows = {s: _merged(others, s, keys) for s in present}
    refused = _incomparable(cells, rows)
    if refused is not None:
        notes.append(f"{cells.target}: {refused}")
        return None
    of_english = [set(x) for x in english.values()]
    common = set.intersection(*of_english) if len(english) == len(others) else set()
    sources = {s: _merged(english, s, common) for s in present}
    clean = set.intersection(*(set(x) for (s, _), x in every.items() if s in present))
    whole = {s: _merged(every, s, clean) for s in present}
    shared = SharedCells(cells, present, rows, sources, frozenset(), diagnostic, whole)
    return replace(shared, floored=frozenset(s for s in present if _at_floor(shared, s)))


def _at_floor(shared: SharedCells, system: System) -> bool:
    rows = shared.rows[system]
    return shared.cells.is_floor([rows[key] for key in rows if key[0].clean])


def _merged(
    table: Mapping[tuple[System, int], Mapping[Key, list[int]]], system: System, keys: Collection[Key]
) -> dict[Key, list[int]]:
    """The rows of a system under all of its seeds, of these keys."""
    seeds = [cells for (s, _), cells in sorted(table.items()) if s == system]
    return {key: [i for cells in seeds for i in cells[key]] for key in sorted(keys)}


def _incomparable(cells: Scored, rows: Mapping[System, Mapping[Key, list[int]]]) -> str | None:
    """Why the systems' scores cannot be compared: settings that differ, or other items; `None` if they can."""
    first, *others = rows.values()
    for key, members in first.items():
        expected = cells.rows[members[0]]
        for i in [*members[1:], *(i for table in others for i in table[key])]:
            row = cells.rows[i]
            # Which rows a sparse metric has depends on the predictions: they say nothing of the items.
            unequal = not cells.metric.sparse and row["clusters"] != expected["clusters"]
            if row["n"] != expected["n"] or unequal:
                return (
                    f"the routes were scored on unequal items ({row['route']}: {row['n']:,}, {expected['route']}:"
                    f" {expected['n']:,} in {key[1]}, {key[0].label}), and are not compared."
                )
            try:
                require_comparable(*_common_settings(expected["signature"], row["signature"]))
            except UserError as error:
                return f"{expected['route']} and {row['route']}: {error.what}"
    return None


def _common_settings(a: str, b: str) -> tuple[str, str]:
    """What both signatures speak of, but for what was fitted to a model: an untuned encoder has no training to sign."""
    if a == b:
        return "", ""
    x, y = parse_signature(unfitted(a)), parse_signature(unfitted(b))
    shared = [k for k in x if k in y]
    return "|".join(f"{k}={x[k]}" for k in shared), "|".join(f"{k}={y[k]}" for k in shared)


def keeps_label(row: RowDict, diagnostic: Collection[str]) -> bool:
    """Whether a row is of one language, unprotected, and its label holds."""
    same = row["context_language"] in ("", row["language"])
    return same and row["perturbation"] not in diagnostic and row["protection"] == NONE


def system_of(row: RowDict) -> System:
    """The system that a row is of."""
    return System(row["encoder"], row["defence"], row["route"])


def mean_over(parts: Sequence[Influence], shared: SharedCells) -> Influence:
    """The mean over targets, under the seeds that all have."""
    return mean_influence(under_common_seeds(parts), shared.cells.numbers)


def mean_shares(shares: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The mean of shares of items and tokens."""
    items, tokens = np.mean(shares, axis=0)
    return float(items), float(tokens)
