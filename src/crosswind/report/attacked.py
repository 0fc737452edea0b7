"""Attacks in the terminal: a line for each language, and the most convincing examples."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.analysis.attacked import AttackedExample, AttackLine
from crosswind.analysis.estimate import Estimate
from crosswind.report.spent import spent_words


def render_attacks(lines: Sequence[AttackLine], examples: Sequence[AttackedExample]) -> str:
    """Plain text: figures with their intervals, curves, examples with what changed."""
    parts = [*map(_line, lines), *map(_example, examples)]
    return "\n\n".join(parts) if parts else "no attack was run"


def _line(line: AttackLine) -> str:
    rows = [f"{line.target} {line.language}  {line.attack}, budget {line.budget}, {line.n:,} of {line.of:,} examples"]
    rows.append(f"  before A              {_estimate(line.before)}")
    rows.append(f"  after A'              {_estimate(line.after)}")
    if line.success is not None:
        rows.append(f"  success               {_estimate(line.success)} % of those right before")
    if line.control is not None and line.gain is not None:
        rows.append(f"  after random draws    {_estimate(line.control)}")
        rows.append(f"  gain over them        {_estimate(line.gain)}")
    if line.gain_at_used is not None:
        rows.append(f"  gain, equal queries   {_estimate(line.gain_at_used)} (draws end where the search has ended)")
    rows.append(f"  queries               median {line.queries[0]:g}, 90th percentile {line.queries[1]:g}")
    median, high = line.before_change
    rows.append(f"  before a change       median {median:g}, 90th percentile {high:g} of {line.budget} queries")
    if line.refused[1]:
        median, high = line.refused
        ended = f"; {line.given_up:.0f} % of examples ended there" if line.given_up else ""
        rows.append(f"  refused by limits     median {median:g}, 90th percentile {high:g} texts{ended}")
    if remark := spent_words(line.untried, line.budget, line.positions):
        rows.append(f"  note: {remark}")
    if line.control_queries is not None:
        median, high = line.control_queries
        rows.append(f"  queries of draws      median {median:g}, 90th percentile {high:g}")
    rows.append(f"  unique passes         median {line.passes[0]:g}, 90th percentile {line.passes[1]:g}")
    if line.edit_rate is not None:
        rows.append(f"  edits per word        {_estimate(line.edit_rate, 2)} where it changed something")
    if line.chrf is not None:
        rows.append(f"  chrF of changed texts {_estimate(line.chrf)}")
    if line.similarity is not None:
        rows.append(f"  cosine of them        {_estimate(line.similarity, 3)}")
    each = "" if line.budget_per_position is None else f" (budget {line.budget_per_position:.1f} for each)"
    rows.append(f"  positions             median {line.positions:g}{each}")
    rows.append(
        f"  search ended early    {line.exhausted:.0f} % of attacked examples; no site: {line.without_site:.0f} %"
    )
    for name, curve in (
        ("A' over the budget", line.over_budget),
        ("  of random draws", line.control_over_budget),
        ("A' over the edit rate", line.over_edit_rate),
        ("  of random draws", line.control_over_edit_rate),
        ("success over budget", line.success_over_budget),
        ("  of random draws", line.control_success_over_budget),
        ("success over edits", line.success_over_edit_rate),
        ("  of random draws", line.control_success_over_edit_rate),
    ):
        if curve is not None:
            rows.append(f"  {name:21} " + "  ".join(f"{at:g}: {v:.1f}" for at, v in curve))
    return "\n".join(rows)


def _estimate(estimate: Estimate, digits: int = 1) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.score:5.{digits}f} ({estimate.note or 'no interval'})"
    return f"{estimate.score:5.{digits}f} [{estimate.low:.{digits}f}, {estimate.high:.{digits}f}]"


def _example(example: AttackedExample) -> str:
    rows = [f"{example.id} ({example.language}, {example.attack}, query {example.queries})"]
    for field, text in example.before.items():
        if field in example.after:
            rows += [f"  {field:10} {_short(text)}", f"  {'->':>10} {_short(example.after[field])}"]
        elif text:
            rows.append(f"  {field:10} {_short(text)}")
    rows += [f"  {field:10} {_short(text)}" for field, text in example.after.items() if field not in example.before]
    rows.append(
        f"  gold {_short(example.gold, 60)}; said {_short(example.predicted_before, 60)}, now "
        f"{_short(example.predicted_after, 60)}"
    )
    return "\n".join(rows)


def _short(text: str, most: int = 300) -> str:
    """A text on one line, invisible characters written out."""
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
