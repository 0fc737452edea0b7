"""What a study of attacks says first: what each attack leaves of each target, what its random draws do, and whether
routes differ under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crosswind.analysis.attack_gains import attack_of
from crosswind.analysis.condition import is_control, is_transferred
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.results import NONE
from crosswind.analysis.summary import Summary
from crosswind.report.view import figure


def attacks_answered(summary: Summary, system: str, most: int = 8) -> list[str]:
    """A sentence for each attack on each target, of one system; nothing where nothing was attacked."""
    sentences = list(_attacked(summary.contrasts, system))
    more = [f"and {len(sentences) - most} more attacks, below"] if len(sentences) > most else []
    return [*sentences[:most], *more]


def compared_under_attack(summary: Summary) -> list[Contrast]:
    """The comparisons of what routes and defences lose, an attack each."""
    return [c for c in summary.contrasts if (c.kind, c.measure, c.scope) == _DIFFERENCES and _is_attack(c)]


_DIFFERENCES = ("difference", "drop", "condition")


def _attacked(contrasts: Sequence[Contrast], system: str) -> Iterator[str]:
    of_system = [c for c in contrasts if c.systems == (system,)]
    levels = [c for c in of_system if c.kind == "level" and c.scope == "condition" and _is_attack(c)]
    gains = [c for c in of_system if c.kind == "attack"]
    for left in (c for c in levels if c.measure == "perturbed"):
        beside = [c for c in levels if c.conditions == left.conditions and c.targets == left.targets]
        had = next((c for c in beside if c.measure == "clean"), None)
        text = f"{system}, {', '.join(left.targets)} under {left.within}: {figure(left.estimate)} left"
        text += "" if had is None else f" of {had.estimate.score:.1f}"
        gain = next((c for c in gains if c.targets == left.targets and set(left.conditions) <= set(c.conditions)), None)
        yield text if gain is None else f"{text}; {_drawn(gain)}"
    said = {target for c in levels for target in c.targets}
    for gain in gains:
        if gain.scope == "target" and gain.within not in said:
            yield f"{system}, {', '.join(gain.targets)} under {attack_of(gain)}: {_drawn(gain)}"


def _drawn(gain: Contrast) -> str:
    """What random draws from the same alternatives do at the same budget, beside the search."""
    if gain.estimate.score < 0:
        taken = f"take {figure(gain.estimate, negated=True)} more"
    else:
        taken = f"take {figure(gain.estimate)} less"
    return f"random draws at this budget {taken} ({gain.words})"


def _is_attack(contrast: Contrast) -> bool:
    """Whether it is of attacks that search, on the model itself."""
    attacks = [c.attack for c in contrast.conditions]
    return bool(attacks) and not any(a == NONE or is_control(a) or is_transferred(a) for a in attacks)
