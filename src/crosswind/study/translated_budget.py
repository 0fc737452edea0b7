"""What translations add to the budget of a target's training, said beside the routes that are trained without them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from crosswind.steps.parameters import examples_of
from crosswind.study.target_plans import PhasePlan, TargetPlan


def translated_budgets(route: str, before: TargetPlan, after: TargetPlan) -> Iterator[str]:
    """A sentence for each phase that its translations make longer, with the examples and the steps of both.

    A budget of examples, steps or tokens stays what it is; one of epochs grows with the data.
    """
    for number, (plain, longer) in enumerate(zip(before.chain, after.chain, strict=True), 1):
        added = longer.translations[len(plain.translations) :]
        budget = plain.budget
        if not added or budget.examples or budget.steps or budget.tokens:
            continue
        what = before.task.name + (f", phase {number}" if len(before.chain) > 1 else "")
        sources = [ref for head in plain.heads for ref in head.data]
        if budget.items or any(ref.size is None for ref in (*sources, *(t.params.ref for t in added))):
            yield (
                f"{route} trains {what} on {len(added)} translations beside the data of the other routes: an epoch has "
                "more examples and steps by theirs."
            )
            continue
        size = sum(map(examples_of, sources))
        more = size + sum(examples_of(translation.params.ref) for translation in added)
        yield (
            f"{route} trains {what} on up to {_counted(plain, more)}, {more / size:.3g} times the "
            f"{_counted(plain, size)} of the other routes: an epoch has the translations as well."
        )


def _counted(phase: PhasePlan, size: int) -> str:
    examples = size * (phase.budget.epochs or 1)
    batch = phase.training.batch_size
    return f"{examples:,.0f} examples ({math.ceil(examples / batch):,} steps of {batch})"
