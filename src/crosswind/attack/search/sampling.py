"""Drawing from a space: random states, mutations and crossings, shared by the searches that draw."""

from __future__ import annotations

import random
from collections.abc import Iterator

from crosswind.attack.space import Space, State

DRAW_TRIES = 32  # draws in a row that bring nothing new before a search gives up


def drawn_state(space: Space, rng: random.Random, share: float | None = None) -> State:
    """A random set of changes, its sites in random order while they fit together and the edit rate allows.

    How many is uniform, up to all sites; with `share` every site changes with that probability. Options are uniform.
    """
    sites = len(space.sites)
    if share is None:
        many = rng.randint(1, _most_changes(space))
    else:
        many = max(1, sum(rng.random() < share for _ in range(sites)))
    state: State = ()
    for site in rng.sample(range(sites), sites):
        extended = space.extended(state, site, rng.randrange(len(space.sites[site].options)))
        if extended is not None:
            state = extended
            if len(state) == many:
                break
    return state


def all_states(space: Space) -> Iterator[State]:
    """Every state that may be drawn, those of fewer changes first, in the order of sites and options."""

    def extensions(state: State, first: int, many: int) -> Iterator[State]:
        if not many:
            yield state
            return
        for site in range(first, len(space.sites)):
            if space.fits(state, site):
                for option in range(len(space.sites[site].options)):
                    yield from extensions((*state, (site, option)), site + 1, many - 1)

    for many in range(1, _most_changes(space) + 1):
        states = extensions((), 0, many)
        if (first := next(states, None)) is None:
            return  # where no two changes go together, no three do
        yield first
        yield from states


def _most_changes(space: Space) -> int:
    """The most sites that a draw changes: all, or as many as the edit rate and the number of changes allow."""
    sites = len(space.sites)
    limit = sites if space.most_edits >= 1 else min(sites, int(space.most_edits * max(1, len(space.words))))
    return max(1, limit if space.most_changes is None else min(limit, space.most_changes))


def mutated(space: Space, state: State, rng: random.Random) -> State:
    """The state with one site changed, changed otherwise, or changed back."""
    site = rng.randrange(len(space.sites))
    bare = space.without(state, site)
    if bare != state and rng.random() < 0.5:
        return bare
    extended = space.extended(bare, site, rng.randrange(len(space.sites[site].options)))
    return state if extended is None else extended


def crossed(space: Space, first: State, second: State, rng: random.Random) -> State:
    """Of each site the change of one of two parents, as far as they fit together."""
    a, b = dict(first), dict(second)
    child: State = ()
    for site in sorted(a.keys() | b.keys()):
        option = (a if rng.random() < 0.5 else b).get(site)
        if option is not None:
            extended = space.extended(child, site, option)
            child = child if extended is None else extended
    return child
