"""What is said first of attacks: what each leaves of each target, whether its search or random draws did more, and
whether routes differ under it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from crosswind.analysis.condition import is_searched
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.summary import Scope, Summary, SummaryLine
from crosswind.report.view import figure, series


def attacks_answered(summary: Summary, system: str | None = None) -> list[str]:
    """A sentence for each target and attack, of one system or (None) of each; nothing where nothing was attacked."""
    several = len({line.encoder for line in summary.lines}) > 1
    return [
        _sentence(line, name, summary.contrasts)
        for line in _attacked(summary)
        if (name := series(line, several)) == system or system is None
    ]


def compared_under_attack(summary: Summary) -> list[Contrast]:
    """The comparisons of what routes and defences lose, an attack each."""
    return [
        c
        for c in summary.contrasts
        if (c.kind, c.measure, c.scope) == ("difference", "drop", "condition")
        and all(is_searched(condition.attack) for condition in c.conditions)
    ]


_ZERO_SHOT: tuple[Scope, ...] = ("others", "pairs")


def _attacked(summary: Summary) -> Iterator[SummaryLine]:
    """The lines of attacks over the languages other than the source; over the source language where there are none."""
    lines = [line for line in summary.select("english", *_ZERO_SHOT) if is_searched(line.condition.attack)]
    elsewhere = {line.target for line in lines if line.scope in _ZERO_SHOT}
    yield from (line for line in lines if line.scope in _ZERO_SHOT or line.target not in elsewhere)


def _sentence(line: SummaryLine, system: str, contrasts: Sequence[Contrast]) -> str:
    languages = ", ".join(line.languages)
    text = f"{line.target} with {system}, {languages}, under {line.condition.label}: "
    if line.clean is not None:
        text += f"from {line.clean.score:.1f} "
    text += f"to {figure(line.estimate)}"
    gain = next((c for c in contrasts if _is_gain(c, line, system)), None)
    return text if gain is None else f"{text}; {_gained(gain)}"


def _is_gain(contrast: Contrast, line: SummaryLine, system: str) -> bool:
    """Whether it says what this attack gains over random draws, on the same items."""
    return (
        (contrast.kind, contrast.scope, contrast.within, contrast.systems)
        == ("attack", "target", line.target, (system,))
        and contrast.conditions == (line.condition,)
        and set(contrast.languages) == set(line.languages)
    )


def _gained(gain: Contrast) -> str:
    draws, search = "random draws at the same budget", "the search"
    less = gain.estimate.score < 0
    more, other = (draws, search) if less else (search, draws)
    return f"{more} did more than {other}, by {figure(gain.estimate, negated=less)} ({gain.words})"
