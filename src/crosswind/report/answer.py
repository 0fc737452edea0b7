"""The research question answered in a sentence, as far as the study's contrasts go."""

from __future__ import annotations

from crosswind.analysis.summary import Contrast, Estimate, Summary


def answer(summary: Summary) -> str | None:
    """Does zero-shot transfer survive the perturbations, and do the routes help? `None` if the study does not ask.

    Of the contrasts over most targets: the means over them, in the other languages than English.
    """
    most = max((len(c.targets) for c in summary.contrasts), default=0)
    found = [c for c in summary.contrasts if len(c.targets) == most]
    if not found or len({c.targets for c in found}) > 1:
        return None
    base, *others = found
    parts = [_survives(base), _helps(base, others)]
    what = base.targets[0] if most == 1 else f"means of {most} targets"
    seeds = f"{base.pipeline_seeds} pipeline seeds" if base.pipeline_seeds > 1 else "one pipeline seed"
    return f"{'; '.join(p for p in parts if p)} ({what}, other languages than English, {seeds})."


def _survives(base: Contrast) -> str:
    if base.drop is None or base.perturbed is None:
        return f"Without intermediate training, zero-shot transfer reaches {_level(base.clean)}"
    had = base.perturbed.score + base.drop.score
    verb = "loses" if base.drop.low > 0 else "changes by"
    size = base.drop if verb == "loses" else Estimate(-base.drop.score, -base.drop.high, -base.drop.low)
    number = _level(size) if verb == "loses" else _change(size)
    return f"Under perturbation zero-shot transfer {verb} {number} of {had:.1f} points"


def _helps(base: Contrast, others: list[Contrast]) -> str:
    perturbed = base.perturbed is not None
    what = "what is left under perturbation" if perturbed else "it"
    changes = [(c.route, c.perturbed if perturbed else c.clean) for c in others]
    listed = [f"{_change(e)} with {name} ({_verdict(e)})" for name, e in changes if e is not None]
    return f"against {base.route}, {what} changes by {', '.join(listed)}" if listed else ""


def _verdict(estimate: Estimate) -> str:
    if estimate.low > 0:
        return "helps"
    return "hurts" if estimate.high < 0 else "no difference shown"


def _level(e: Estimate) -> str:
    return f"{e.score:.1f} [{e.low:.1f}, {e.high:.1f}]"


def _change(e: Estimate) -> str:
    return f"{e.score:+.1f} [{e.low:+.1f}, {e.high:+.1f}]".replace("-", "−")
