"""Estimated work: examples and tokens, from declarations alone (nothing is read)."""

from __future__ import annotations

from crosswind.data.examples import Kind, Rows
from crosswind.study.resolve import PhasePlan
from crosswind.tasks.refs import DataRef

# Typical tokens of an example with XLM-R's pieces, for time estimates only.
_TOKENS: dict[Kind, int] = {"pair": 50, "choice": 60, "tagging": 40, "span": 250, "query": 25}
_UNKNOWN = 5000  # examples of a split whose size is not declared


def examples_of(ref: DataRef) -> int:
    """The number of examples that a reference selects, as far as it can be known without reading."""
    if ref.rows:
        n = sum(high - low + 1 for low, high in Rows.parse(ref.rows).ranges)
    else:
        n = ref.declaration.counts.get((ref.language, ref.split), _UNKNOWN)
    return min(n, ref.limit) if ref.limit else n


def tokens_of(what: DataRef | PhasePlan) -> float:
    """Estimated tokens of predicting a reference, or of training a phase."""
    if isinstance(what, DataRef):
        return float(examples_of(what) * _TOKENS[what.declaration.kind])
    refs = [d for h in what.heads for d in h.data]
    size = sum(examples_of(r) for r in refs)
    each = sum(examples_of(r) * _TOKENS[r.declaration.kind] for r in refs) / size if size else 60.0
    share = what.mlm.share if what.mlm and refs else 0.0
    tokens = float(what.budget.tokens) if what.budget.tokens else labelled_of(what) * each
    return tokens / (1 - share)


def labelled_of(phase: PhasePlan) -> float:
    """The examples that a phase is trained on, repetitions included (masked-LM lines where it has no task)."""
    budget, refs = phase.budget, [d for h in phase.heads for d in h.data]
    size = sum(examples_of(r) for r in refs)
    if budget.examples or budget.steps:
        return float(budget.examples or (budget.steps or 0) * phase.training.batch_size)
    if budget.tokens:
        each = sum(examples_of(r) * _TOKENS[r.declaration.kind] for r in refs) / size if size else 60.0
        return budget.tokens / each
    return float(budget.epochs or 1) * size
