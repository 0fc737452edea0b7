"""Making the spaces of examples: the alternatives of a recipe, cut to what may change and what the victim sees."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crosswind.attack.recipe import AttackSetting, Recipe, atoms_of
from crosswind.attack.space import AttackSite, GoalVerdict, Origin, Space, word_numbers
from crosswind.data.examples import Example, Span
from crosswind.perturb.alternatives import Alternatives, Option, Sites, Traced
from crosswind.perturb.applied import Constraint, Liberties, permitted
from crosswind.perturb.example import Protection, passages
from crosswind.perturb.passage import WHOLE, Passage
from crosswind.perturb.spec import Atom, Resolved

OPTIONS = 256  # alternatives of a site at most, the likeliest first

Reach = Callable[[Any], Mapping[str, Span]]
"""Of each text of an example that the victim cuts, the characters that it sees."""


@dataclass(frozen=True)
class _Prepared:
    atom: Atom
    alternatives: Alternatives
    liberties: Liberties
    masks: tuple[Constraint, ...]
    origins: Callable[[Sites, int, Option], tuple[Origin, ...]] | None = None


class SpaceMaker:
    """Makes the spaces of examples of one task and language for a recipe.

    A space depends on its own example alone. `reach` says what of a text the victim sees: positions beyond it are not
    attacked and are counted as `beyond the window`. `probe` stands in for that of the recipe.
    """

    def __init__(
        self,
        recipe: Recipe,
        setting: AttackSetting,
        *,
        resolved: Resolved | None = None,
        protect: Protection = "none",
        constraints: Sequence[Constraint] = (),
        reach: Reach | None = None,
        most: int = OPTIONS,
        probe: str | None = None,
    ) -> None:
        self.recipe, self.setting, self.protect, self.reach, self.most = recipe, setting, protect, reach, most
        self.probe = recipe.probe if probe is None else probe
        self.fields = recipe.attacked(setting)
        scope = setting.scope(self.fields)
        self.prepared: list[_Prepared] = []
        for atom in atoms_of(recipe, setting):
            if atom.applies(scope) is not None:
                continue
            perturbation = atom.perturbation
            every = (*perturbation.constraints, *recipe.constraints(setting), *constraints)
            limits = tuple(c for c in every if c.mask is not None)
            free = Liberties(perturbation.changes_words, perturbation.changes_form)
            alternatives = atom.prepare(scope, resolved)
            origins = _origins_of(alternatives) if recipe.forward and isinstance(alternatives, Traced) else None
            self.prepared.append(_Prepared(atom, alternatives, free, limits, origins))
        self.whole = any(p.atom.perturbation.whole for p in self.prepared)
        if self.whole and not all(p.atom.perturbation.whole for p in self.prepared):
            raise ValueError(f"{recipe.name} joins perturbations of fields and of whole examples")

    @property
    def checks(self) -> tuple[Constraint, ...]:
        """The checks that the perturbations themselves declare."""
        every = (c for p in self.prepared for c in p.atom.perturbation.constraints if c.check is not None)
        return tuple(dict.fromkeys(every))

    def __call__(self, examples: Sequence[tuple[int, Example, GoalVerdict]]) -> list[Space]:
        """The spaces of (number, example, clean verdict), made together."""
        task = self.setting.task.name
        cut = [passages(e, self.fields, task=task, protect=self.protect, whole=self.whole) for _, e, _ in examples]
        flat = [p for some in cut for p in some]
        every = [self._sites(prepared, flat) for prepared in self.prepared]
        spaces, at = [], 0
        for (_, example, clean), cuts in zip(examples, cut, strict=True):
            refused: Counter[str] = Counter()
            seen = self.reach(example) if self.reach is not None and cuts else {}
            sites: list[AttackSite] = []
            borders = word_numbers(cuts)
            for number, passage in enumerate(cuts):
                mine: list[AttackSite] = []
                for which, (prepared, of_atom) in enumerate(zip(self.prepared, every, strict=True)):
                    listed, options = of_atom[at + number]
                    mine += _attackable(
                        prepared, which, number, passage, listed, options, borders[number], seen, refused
                    )
                sites += sorted(mine, key=lambda s: (s.start, s.end))
            at += len(cuts)
            recipe, setting = self.recipe, self.setting
            limits = recipe.most_edits(setting), recipe.most_changes(setting)
            spaces.append(Space(example, tuple(cuts), tuple(sites), clean, *limits, self.probe, refused))
        return spaces

    def _sites(self, prepared: _Prepared, flat: Sequence[Passage]) -> list[tuple[Sites, dict[int, Sequence[Any]]]]:
        """The sites of each passage with the options of those that may change."""
        sites = prepared.alternatives.sites(flat)
        asked = [(s, i) for p, s in zip(flat, sites, strict=True) for i in permitted(p, s, prepared.masks)]
        options = prepared.alternatives.all(asked, self.most)
        by_passage: dict[int, dict[int, Sequence[Any]]] = {}
        for (of_passage, index), some in zip(asked, options, strict=True):
            by_passage.setdefault(id(of_passage), {})[index] = some
        return [(s, by_passage.get(id(s), {})) for s in sites]


def _origins_of(alternatives: Traced) -> Callable[[Sites, int, Option], tuple[Origin, ...]]:
    return lambda sites, index, option: tuple(Origin(*o) for o in alternatives.origins(sites, index)[option])


def _attackable(
    prepared: _Prepared,
    which: int,
    number: int,
    passage: Passage,
    sites: Sites,
    options: Mapping[int, Sequence[Any]],
    borders: Sequence[tuple[int, int]],
    seen: Mapping[str, Span],
    refused: Counter[str],
) -> list[AttackSite]:
    text = passage.text
    limit = None if passage.field == WHOLE else seen.get(passage.field)
    origins_of = prepared.origins
    made = []
    if len(sites) > len(options):
        refused["protected"] += len(sites) - len(options)
    starts = [start for start, _ in borders]
    for index in options:
        start, end = sites.starts[index], sites.ends[index]
        if limit is not None and not (limit.start <= start and max(end, start + 1) <= limit.end):
            refused["beyond the window"] += 1
            continue
        before = text[start:end]
        some = tuple(dict.fromkeys(o for o in options[index] if o != before))
        if not some:
            refused["no option"] += 1
            continue
        group = None if sites.groups is None else (which, number, sites.groups[index])
        word = _word_at(starts, borders, start)
        origins = () if origins_of is None else tuple(origins_of(sites, index, option) for option in some)
        made.append(AttackSite(number, start, end, some, prepared.liberties, word, group, sites.most, origins))
    return made


def _word_at(starts: Sequence[int], borders: Sequence[tuple[int, int]], start: int) -> int:
    """The number of the word that a site begins in, or that stands before it."""
    if not borders:
        return 0
    return borders[max(0, bisect_right(starts, start) - 1)][1]
