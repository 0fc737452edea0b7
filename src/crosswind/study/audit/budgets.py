"""Whether compared routes had equal budgets."""

from __future__ import annotations

from collections.abc import Mapping

from crosswind.study.audit import AuditedRun, Review, Shown

_ALIKE = 0.01  # the last batch of a phase may be a part of one


def _look(run: AuditedRun) -> Shown:
    examples, steps, tokens = (run.facts(what) for what in ("labelled examples", "steps", "tokens"))
    if len({*examples, *steps}) < 2:
        return Shown(None, "fewer than two routes have a phase")
    unlike = [what for what, of in (("labelled examples", examples), ("steps", steps)) if not _alike(of)]
    # Tokens follow from tasks and languages: as many examples in another language have more of them.
    parts = [("labelled examples", examples), ("optimiser steps, estimated", steps), ("tokens, estimated", tokens)]
    text = "; ".join(f"{what}: {_said(of)}" for what, of in parts if of)
    return Shown(not unlike, f"unequal {' and '.join(unlike)}: {text}" if unlike else text)


def _alike(of: Mapping[str, str]) -> bool:
    """Whether routes that have some have equally many."""
    numbers = [float(text.replace(",", "")) for text in of.values()]
    return not numbers or max(numbers) <= (1 + _ALIKE) * min(numbers)


def _said(of: Mapping[str, str]) -> str:
    return ", ".join(f"{route} {count}" for route, count in of.items())


BUDGETS = Review("budgets", "Were the compared routes trained on equally many examples, for as many steps?", _look)
