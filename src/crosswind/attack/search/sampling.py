"""Drawing from a space: random states, mutations and crossings, shared by the searches that draw."""

from __future__ import annotations

import random

from crosswind.attack.space import Space, State

DRAW_TRIES = 32  # draws in a row that bring nothing new before a search gives up


def drawn_state(space: Space, rng: random.Random, share: float | None = None) -> State:
    """A random set of changes, its sites in random order while they fit together and the edit rate allows.

    How many is uniform, up to all sites; with `share` every site changes with that probability. Options are uniform.
    """
    sites = len(space.sites)
    if share is None:
        words = max(1, len(space.words))
        limit = sites if space.most_edits >= 1 else min(sites, int(space.most_edits * words))
        if space.most_changes is not None:
            limit = min(limit, space.most_changes)
        many = rng.randint(1, max(1, limit))
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
