"""How many queries an attack may be allowed for an example."""

from __future__ import annotations

from crosswind.errors import UserError

MOST_QUERIES = 100_000
"""The largest budget: random draws of a trigger, and tables of curves, grow with it."""


def require_budget(budget: int, where: str) -> None:
    """A `UserError` where nothing could be asked, or more than anybody would wait for."""
    if not 1 <= budget <= MOST_QUERIES:
        hint = f"give an attack from 1 to {MOST_QUERIES:,} queries an example"
        raise UserError(f"the budget is {budget:,}", where=where, hint=hint)
