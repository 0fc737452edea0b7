"""The research question answered in a sentence, as far as the study's contrasts go."""

from __future__ import annotations

from crosswind.analysis.summary import Contrast, Estimate, Summary
from crosswind.evaluate.metrics.base import Better


def answer(summary: Summary) -> str | None:
    """Does zero-shot transfer survive the perturbations, and do the routes help? `None` if the study does not ask.

    Of the contrasts over most targets: the means over them, in the other languages than English.
    """
    chosen = widest_contrasts(summary)
    if not chosen:
        return None
    base, *others = chosen
    if base.at_floor:
        return f"Every route is at its floor in {', '.join(base.targets)}: nothing can be said of what survives."
    parts = [_survives(base), _helps(base, others)]
    perturbed = len(base.perturbed_targets) or len(base.targets)
    what = base.targets[0] if len(base.targets) == 1 else f"means of {perturbed} targets"
    seeds = f"{base.pipeline_seeds} pipeline seeds" if base.pipeline_seeds > 1 else "one pipeline seed"
    return f"{'; '.join(p for p in parts if p)} ({what}, other languages than English, {seeds})."


def widest_contrasts(summary: Summary) -> list[Contrast]:
    """The contrasts over most targets: what the answer is of. Of single targets the one above its floor, if one is."""
    groups: dict[tuple[str, ...], list[Contrast]] = {}
    for contrast in summary.contrasts:
        groups.setdefault(contrast.targets, []).append(contrast)
    most = max(map(len, groups), default=0)
    widest = [group for targets, group in groups.items() if len(targets) == most]
    above = [group for group in widest if not group[0].at_floor]
    return (above or widest)[0] if len(above) == 1 or len(widest) == 1 else []


def _survives(base: Contrast) -> str:
    if base.drop is None or base.perturbed is None:
        route = "Without intermediate training" if base.route == "none" else f"With {base.route}"
        return f"{route}, zero-shot transfer reaches {_level(base.clean)}"
    sign = 1 if base.better == "higher" else -1
    had = base.perturbed.score + sign * base.drop.score
    verb = "loses" if base.drop.low > 0 else "changes by"
    size = base.drop if verb == "loses" or sign < 0 else Estimate(-base.drop.score, -base.drop.high, -base.drop.low)
    number = _level(size) if verb == "loses" else _change(size)
    return f"Under perturbation zero-shot transfer {verb} {number} of {had:.1f} points"


def _helps(base: Contrast, others: list[Contrast]) -> str:
    perturbed = base.perturbed is not None
    what = "what is left under perturbation" if perturbed else "it"
    changes = [(c.route, c.perturbed if perturbed else c.clean) for c in others]
    listed = [f"{_change(e)} with {name} ({_verdict(e, base.better)})" for name, e in changes if e is not None]
    return f"against {base.route}, {what} changes by {', '.join(listed)}" if listed else ""


def _verdict(estimate: Estimate, better: Better) -> str:
    if estimate.low <= 0 <= estimate.high:
        return "no difference shown"
    return "helps" if (estimate.low > 0) == (better == "higher") else "hurts"


def _level(e: Estimate) -> str:
    return f"{e.score:.1f} [{e.low:.1f}, {e.high:.1f}]"


def _change(e: Estimate) -> str:
    return f"{e.score:+.1f} [{e.low:+.1f}, {e.high:+.1f}]".replace("-", "−")
