"""Claims about ranks: which route is best, what gains most, what gains consistently, what is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.analysis.claimed_differences import (
    Adjusted,
    gain_sign,
    helping,
    interval_as_gain,
    missing_finding,
    pair_of,
    versus_all,
)
from crosswind.analysis.claims import (
    BestCheck,
    ChosenCheck,
    ClaimVerdict,
    ConsistentCheck,
    Finding,
    MostCheck,
    RouteRef,
    RunFacts,
    has_split,
)
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.estimate import within_limits
from crosswind.analysis.influence import Limits, limits_of_sum


def best_finding(check: BestCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Adjusted) -> Finding:
    """Whether a route is better than every other."""
    matching = check.route.matches(run.routes, run.facts)
    if len(matching) != 1:
        return missing_finding("route", run, check.route)
    chosen = [(c, sign * gain_sign(c)) for c, sign in versus_all(matching[0], check, contrasts, run)]
    tested = [(c, sign) for c, sign in chosen if c.verdict != "not tested"]
    if not tested:
        why = chosen[0][0].words if chosen else "the run has one route"
        return Finding("not tested", why, tuple(c for c, _ in chosen))
    better = [c for c, sign in tested if sign * c.estimate.score > 0 and adjusted.shows(c)]
    worse = [c for c, sign in tested if sign * c.estimate.score < 0 and adjusted.shows(c)]
    others = len(run.routes) - 1
    text = f"better than {len(better)}, worse than {len(worse)} of {others} other routes"
    text += f", with {len(tested)} of which it is compared" if len(tested) < others else ""
    verdict: ClaimVerdict = "refuted" if worse else "supported" if len(better) == others else "undecided"
    return Finding(verdict, text, tuple(c for c, _ in tested))


def most_finding(check: MostCheck, contrasts: Sequence[Contrast], run: RunFacts) -> Finding:
    """Whether some targets gain more than all others, by their intervals."""
    gains: dict[str, tuple[float, float]] = {}
    used = []
    for target in run.targets:
        for c, sign in pair_of(check.route, check.against, check.measure, contrasts, run, target):
            if c.verdict != "not tested":
                gains[target] = interval_as_gain(c, sign * gain_sign(c))
                used.append(c)
    missing = [t for t in check.targets if t not in gains]
    others = [t for t in gains if t not in check.targets]
    if missing or not others:
        what = f"no gain of {', '.join(missing)}" if missing else "no other target"
        return Finding("not tested", f"the run has {what}")
    least = min(gains[t][0] for t in check.targets)
    most = max(gains[t][1] for t in check.targets)
    text = "; ".join(f"{t} [{low:+.1f}, {high:+.1f}]" for t, (low, high) in gains.items())
    if least > max(gains[t][1] for t in others):
        return Finding("supported", text, tuple(used))
    verdict: ClaimVerdict = "refuted" if any(gains[t][0] > most for t in others) else "undecided"
    return Finding(verdict, text, tuple(used))


def consistent_finding(
    check: ConsistentCheck, contrasts: Sequence[Contrast], run: RunFacts, adjusted: Adjusted
) -> Finding:
    """Whether so many routes help a target."""
    chosen = [(c, s * gain_sign(c)) for c, s in helping(check, contrasts, run) if c.verdict != "not tested"]
    if len(chosen) < check.at_least:
        return Finding("not tested", f"the run has {len(chosen)} routes to compare, of {check.at_least}")
    helped = [c for c, sign in chosen if sign * c.estimate.score > 0 and adjusted.shows(c)]
    open_ = [c for c, sign in chosen if c not in helped and interval_as_gain(c, sign)[1] > 0]
    text = f"{len(helped)} of {len(chosen)} routes help, {len(open_)} more may"
    verdict: ClaimVerdict
    if check.fails:
        verdict = "refuted" if len(helped) >= check.at_least else "undecided" if open_ else "supported"
    else:
        most = len(helped) + len(open_)
        verdict = "supported" if len(helped) >= check.at_least else "refuted" if most < check.at_least else "undecided"
    return Finding(verdict, text, tuple(c for c, _ in chosen))


def _add_dev(targets: Sequence[str]) -> str:
    """What has to be added for a choice: the same models on development data."""
    splits = " ".join(f"--set targets.tasks.{target}.split=dev" for target in targets)
    return f"run its study into another folder with {splits}, and name that folder beside the run's"


def chosen_finding(check: ChosenCheck, contrasts: Sequence[Contrast], run: RunFacts) -> Finding:
    """The mean over targets of the chosen routes' gains; its half width is at most the mean of theirs.

    Of an interval that was cut where a gain can be no larger it is that of the longer side.

    A target that has no development data besides those that it is measured on is not in the mean, and named.
    """
    scored = {target for _, target in run.development}
    measured = [t for t in run.targets if run.splits.get(t) == ("dev",)]
    without = [t for t in run.targets if not has_split(t, "dev")]
    if lacking := [t for t in run.targets if t not in {*scored, *measured, *without}]:
        what = f"{', '.join(lacking)} has" if scored else "the run has"
        return Finding("not tested", f"{what} no scores on development data to choose on: {_add_dev(lacking)}")
    left = [f"{', '.join(without)} (no development data)"] if without else []
    left += [f"{', '.join(measured)} (measured on development data)"] if measured else []
    if not scored:
        return Finding("not tested", f"nothing is left to choose on: {'; '.join(left)}")
    gains: list[tuple[float, float]] = []
    limits: list[Limits] = []
    used = []
    for target in (t for t in run.targets if t in scored and t not in measured):
        scores = {route: score for (route, of), score in run.development.items() if of == target}
        best = max(scores, key=lambda route: scores[route])
        if best in check.against.matches(run.routes, run.facts):
            gains.append((0.0, 0.0))
            limits.append((0.0, 0.0))
            continue
        pairs = pair_of(RouteRef(best), check.against, check.measure, contrasts, run, target)
        if not pairs or pairs[0][0].verdict == "not tested":
            return Finding("not tested", f"{best} is not compared in {target}")
        contrast, sign = pairs[0]
        orientation = sign * gain_sign(contrast)
        low, high = interval_as_gain(contrast, orientation)
        gain = orientation * contrast.estimate.score
        gains.append((gain, max(high - gain, gain - low)))
        limits.append(limits_of_sum([(orientation, contrast.estimate.limits)]))
        used.append(contrast)
    mean = sum(gain for gain, _ in gains) / len(gains)
    half = sum(width for _, width in gains) / len(gains)
    low, high = within_limits(mean, half, limits_of_sum([(1 / len(gains), ends) for ends in limits]))
    text = f"{mean:+.1f} [{low:+.1f}, {high:+.1f}] over {len(gains)} targets"
    text += f"; not among them: {'; '.join(left)}" if left else ""
    if high < check.size - check.tolerance or low > check.size + check.tolerance:
        return Finding("refuted", text, tuple(used))
    inside = check.size - check.tolerance <= low and high <= check.size + check.tolerance
    return Finding("supported" if inside else "undecided", text, tuple(used))
