"""What is said first of attacks: what each leaves of each target, whether its search or random draws did more, and
whether routes differ under it."""

from __future__ import annotations

from collections.abc import Iterator

from crosswind.analysis.condition import is_searched
from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.summary import Scope, Summary, SummaryLine
from crosswind.report.spent import untried_words
from crosswind.report.view import figure, series


def attacks_answered(summary: Summary, system: str | None = None) -> list[str]:
    """A sentence for each target and attack, of one system or (None) of each; nothing where nothing was attacked."""
    several = len({line.encoder for line in summary.lines}) > 1
    return [
        _sentence(line, name, summary)
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


def _sentence(line: SummaryLine, system: str, summary: Summary) -> str:
    languages = ", ".join(line.languages)
    text = f"{line.target} with {system}, {languages}, under {line.condition.label}: "
    if line.clean is not None:
        text += f"from {line.clean.score:.1f} "
    text += f"to {figure(line.estimate)}"
    if _began_at_chance(line, summary):
        text += ", at chance before any attack, so that nothing follows from what is left"
    if said := untried_words(summary.untried.get((line.target, line.condition.attack, line.condition.budget), 0.0)):
        text += f"; {said}"
    gain = next((c for c in summary.contrasts if _is_gain(c, line, system)), None)
    return text if gain is None else f"{text}; {_gained(gain)}"


def _began_at_chance(line: SummaryLine, summary: Summary) -> bool:
    """Whether the model is at chance in all of these languages when they are clean: none can lose anything."""

    def of(one: SummaryLine) -> tuple[object, ...]:
        model = one.encoder, one.defence, one.route, one.condition.selection
        return *model, one.target, one.split, one.key, one.scope

    clean = [x for x in summary.lines if x.condition.clean and of(x) == of(line)]
    return any(x.at_floor or {*x.floor_languages} >= {*line.languages} for x in clean)


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
    words = gain.words
    if gain.verdict in ("not settled", "not tested") and gain.verdict not in words:
        words = f"{gain.verdict}: {words}"
    less = gain.estimate.score < 0
    size = figure(gain.estimate, negated=less)
    if not round(gain.estimate.score, 1):
        return f"neither {search} nor {draws} did more, the difference being {size} ({words})"
    more, other = (draws, search) if less else (search, draws)
    return f"{more} did more than {other}, by {size} ({words})"
