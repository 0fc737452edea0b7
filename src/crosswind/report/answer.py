"""The research question answered in a sentence, as far as the study's contrasts go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crosswind.analysis.contrast import ALWAYS, BASE, PRIMARY
from crosswind.analysis.contrasted import Contrast, Measure
from crosswind.analysis.results import NONE
from crosswind.analysis.summary import Summary, SummaryLine
from crosswind.report.answered_attacks import attacks_answered, compared_under_attack
from crosswind.report.comparisons import measure_words
from crosswind.report.view import figure, series


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """Sentences that answer the question, and what a reader must know of them: over what, what was random, what is not
    in it."""

    sentences: tuple[str, ...]
    about: tuple[str, ...] = ()


def answer(summary: Summary) -> str | None:
    """Does zero-shot transfer survive the perturbations, and do the routes help? `None` if the study does not ask."""
    lines = answer_lines(summary)
    return "\n".join(lines) if lines else None


def answer_lines(summary: Summary) -> list[str]:
    """The answer first, then a line a comparison, then what a reader must know of them; nothing if the study does not
    ask."""
    parts = answer_parts(summary)
    if parts is None:
        return []
    first, *others = parts.sentences
    about = [f"({'; '.join(parts.about)})."] if parts.about else []
    return [f"{first}.", *(f"  {sentence}" for sentence in others), *about]


def answer_parts(summary: Summary) -> AnsweredQuestion | None:
    """The answer in parts. `None` if the study does not ask.

    Of the means over targets, in the languages other than the source language. Levels help or hurt, drops are more or
    less robust; what is not settled says so.
    """
    chosen = widest_contrasts(summary)
    if not chosen:
        return _all_floored(summary)
    base = base_of(chosen)
    pairs = _pairs(chosen, base)
    alike = {verdict for _, verdict in pairs}
    common = pairs[0][1] if len(pairs) > 1 and len(alike) == 1 else ""
    first = _survives(chosen, base)
    perturbed = level_of(chosen, base, "drop") is not None
    compared = [] if perturbed else compared_under_attack(summary)
    attacked = [] if perturbed else _under_attack(summary, base, compared)
    sentences = [first, *attacked, *(text + ("" if common else verdict) for text, verdict in pairs)]
    about = _about(summary, chosen)
    if common:  # Said once, where it holds of all.
        about.insert(0, f"{common.strip(' ()')}, all of these comparisons{' of clean scores' if attacked else ''}")
    if any(c.adjusted is not None for c in compared):
        about.append("verdicts under attack by Benjamini and Hochberg, each in its table")
    return AnsweredQuestion(tuple(s for s in sentences if s), tuple(about))


def levels_answered(summary: Summary, most: int = 8) -> AnsweredQuestion:
    """What a run says that compares no routes: each target's score, what a perturbation takes and an attack leaves."""
    sentences = _at_most([*_levels(summary), *attacks_answered(summary)], most)
    return AnsweredQuestion(tuple(sentences), ("no routes are compared", _given(summary)))


def _levels(summary: Summary) -> Iterator[str]:
    several = len({line.encoder for line in summary.lines}) > 1
    alone = len({series(line, several) for line in summary.lines}) == 1
    groups: dict[tuple[str, str, str], list[SummaryLine]] = {}
    for line in summary.select("english", "others", "pairs"):
        groups.setdefault((line.target, series(line, several), line.scope), []).append(line)
    for (target, name, scope), lines in groups.items():
        clean = next((x for x in lines if x.condition.clean), None)
        noisy = [x for x in lines if not x.condition.clean and x.condition.attack == NONE and x.drop is not None]
        many = len(lines[0].languages)
        source = summary.source_language([target])
        where = {
            "english": source,
            "others": f"the mean of {many} language{'s' if many > 1 else ''} other than {source}",
        }.get(scope, f"{many} pairs of languages")
        text = f"{target}, {where}" if alone else f"{target} with {name}, {where}"
        if clean is not None:
            text += f": {figure(clean.estimate)} clean"
        if noisy:
            worst = max(noisy, key=lambda x: x.drop.score if x.drop else 0.0)
            text += f"; {worst.condition.label} takes {figure(worst.drop)}"
            text += ", the most of its conditions" if len(noisy) > 1 else ""
        yield text


def widest_contrasts(summary: Summary) -> list[Contrast]:
    """The rows over all targets, where systems are compared; or those of the only target that is above its floor."""
    groups: dict[tuple[str, str, str], list[Contrast]] = {}
    for c in summary.contrasts:
        if c.scope in ("all", "target"):
            groups.setdefault((c.scope, c.within, c.better), []).append(c)
    compared = {k: rows for k, rows in groups.items() if any(c.kind == "difference" for c in rows)}
    over_all = [rows for (scope, _, _), rows in compared.items() if scope == "all"]
    above = [rows for (scope, _, _), rows in compared.items() if scope == "target" and not _is_floored(rows)]
    chosen = over_all or above
    return chosen[0] if len(chosen) == 1 else []


def base_of(contrasts: Sequence[Contrast]) -> str:
    """What the others are compared with: `none`, or the system that stands first."""
    levels = list(dict.fromkeys(c.systems[0] for c in contrasts if c.kind == "level"))
    return BASE if BASE in levels else levels[0]


def level_of(contrasts: Sequence[Contrast], system: str, *measures: Measure) -> Contrast | None:
    """The row of a system's level, of the first of these measures that there is."""
    for measure in measures:
        for c in contrasts:
            if c.kind == "level" and c.measure == measure and c.systems == (system,):
                return c
    return None


def _is_floored(rows: Sequence[Contrast]) -> bool:
    levels = [c for c in rows if c.kind == "level"]
    return bool(levels) and all(c.floored for c in levels)


def _all_floored(summary: Summary) -> AnsweredQuestion | None:
    targets = list(dict.fromkeys(c.within for c in summary.contrasts if c.scope == "target" and c.kind == "difference"))
    if not targets:
        return None
    for target in targets:
        if not _is_floored([c for c in summary.contrasts if c.scope == "target" and c.within == target]):
            return None
    names = ", ".join(targets)
    said = f"Every route is at its floor in {names}: nothing can be said of what survives"
    return AnsweredQuestion((said,), (_given(summary),))


def _survives(chosen: Sequence[Contrast], base: str) -> str:
    drop, had = level_of(chosen, base, "drop"), level_of(chosen, base, "before", "clean")
    route = "without intermediate training" if base == BASE else f"with {base}"
    if drop is None or had is None:
        level = level_of(chosen, base, "clean", "everywhere")
        return "" if level is None else f"{route.capitalize()}, zero-shot transfer reaches {figure(level.estimate)}"
    e = drop.estimate
    size = f"loses {figure(e)}" if e.score >= 0 else f"gains {figure(e, negated=True)}"
    unsettled = "" if drop.verdict == "differs" else f" ({drop.words})"
    return f"Under perturbation zero-shot transfer {size} of {had.estimate.score:.1f} points {route}{unsettled}"


def _under_attack(summary: Summary, base: str, compared: Sequence[Contrast]) -> list[str]:
    """What a study asks whose attacks are all that is done to its texts, or all that means can be made of; `compared`
    are its comparisons under attack."""
    said = [_verdicts(compared, "of drops under attack")] if compared else []
    return [*_at_most(attacks_answered(summary, base)), *said]


def _at_most(sentences: Sequence[str], most: int = 8) -> list[str]:
    return [*sentences[:most], *([f"and {len(sentences) - most} more"] if len(sentences) > most else [])]


def _pairs(chosen: Sequence[Contrast], base: str) -> list[tuple[str, str]]:
    """A clause a pair, those with the base and English against multilingual; with the verdict that all of its figures
    have, if they have one."""
    rows: dict[tuple[str, ...], dict[Measure, Contrast]] = {}
    for c in chosen:
        if c.kind == "difference":
            rows.setdefault(c.systems, {})[c.measure] = c
    clauses = []
    for systems, of_pair in sorted(rows.items(), key=lambda row: set(row[0]) != _QUESTION):  # the question first
        if base in systems or set(systems) == _QUESTION:
            measures: list[tuple[Measure, str]] = [("clean", "clean"), ("perturbed", "left under perturbation")]
            measures.append(("drop", "drop"))
            there = [(of_pair[m], label) for m, label in measures if m in of_pair]
            if not there:
                continue
            alike = _alike([c for c, _ in there])
            groups = [there] if alike else _groups(there)
            clause = []
            for group in groups:
                figures = ", ".join(f"{label} {figure(c.estimate, signed=True)}" for c, label in group)
                verdict = "" if alike else _alike([c for c, _ in group])
                both = verdict.replace("(", "(both ", 1) if len(group) > 1 else verdict
                clause.append(figures + both)
            clauses.append((f"{' − '.join(systems)}: {', '.join(clause)}", alike))
    return clauses


_QUESTION = set(ALWAYS)


def _groups(there: Sequence[tuple[Contrast, str]]) -> list[list[tuple[Contrast, str]]]:
    """Figures in their order, those together that follow each other and are both unsettled, or both equivalent."""
    groups: list[list[tuple[Contrast, str]]] = []
    for pair in there:
        mergeable = pair[0].verdict in ("not settled", "equivalent")
        if mergeable and groups and _alike([c for c, _ in (*groups[-1], pair)]):
            groups[-1].append(pair)
        else:
            groups.append([pair])
    return groups


def _alike(rows: Sequence[Contrast]) -> str:
    """The verdict of rows that all have the same, with what could not have been seen; else nothing."""
    if len({c.words for c in rows}) == 1:
        return f" ({rows[0].words})"
    smallest = sorted(c.estimate.detectable for c in rows if c.estimate.detectable is not None)
    if any(c.verdict != "not settled" for c in rows) or len(smallest) < len(rows):
        return ""
    if not all(c.estimate.unseen_words.startswith("effects") for c in rows):
        return ""
    limits = " to ".join(dict.fromkeys((f"{smallest[0]:.1f}", f"{smallest[-1]:.1f}")))
    return f" (not settled: effects below {limits} cannot be seen here)"


def verdicts_answered(summary: Summary, most: int = 4) -> str | None:
    """How many comparisons of the primary family are settled, and which; `None` where nothing is compared."""
    primary = [c for c in summary.contrasts if c.family == PRIMARY]
    return _verdicts(primary, "of routes", most) if primary else None


def _verdicts(compared: Sequence[Contrast], what: str, most: int = 4) -> str:
    settled = [c for c in compared if c.verdict not in ("not settled", "not tested")]
    one = len(compared) == 1
    nothing = f"The only comparison {what}" if one else f"None of {len(compared)} comparisons {what}"
    no = " not" if one else ""
    if not settled:
        tested = any(c.verdict == "not settled" for c in compared)
        return f"{nothing} is{no} settled" if tested else f"{nothing} could{no} be tested"
    alike = [c for c in settled if c.verdict == "equivalent"]
    within = f"equivalent within ±{alike[0].margin:g}" if alike else ""
    if len(alike) == len(settled):
        return f"{nothing} is {within}" if one else f"{nothing} shows a difference; {len(alike)} {_is(alike)} {within}"
    others = [c for c in settled if c.verdict != "equivalent"]
    named = [f"{c.name}, {c.within or measure_words(c.measure)} ({c.verdict})" for c in others]
    more = f"; and {len(named) - most} more" if len(named) > most else ""
    less = f". {len(alike)} more {_is(alike)} {within}" if alike else ""
    some = nothing if one else f"{len(others)} of {len(compared)} comparisons {what}"
    return f"{some} {_is(others)} settled: {'; '.join(named[:most])}{more}{less}"


def _is(rows: Sequence[Contrast]) -> str:
    return "is" if len(rows) == 1 else "are"


def _about(summary: Summary, chosen: Sequence[Contrast]) -> list[str]:
    """Over what: targets, languages, what was random, the family, and what is not in it."""
    last = next((c for c in chosen if c.measure == "drop"), chosen[0])
    what = last.targets[0] if len(last.targets) == 1 else f"means of {len(last.targets)} targets"
    # Of clean scores a target may be compared whose drops say nothing, because a route is at its floor there.
    besides = {t: None for c in chosen if (c.kind, c.measure) == ("difference", "clean") for t in c.targets}
    more = [t for t in besides if t not in last.targets]
    what += f", of clean differences with {', '.join(more)} besides" if more else ""
    tested = [c for c in summary.contrasts if c.family == PRIMARY and c.adjusted is not None]
    parts = [f"{what}, other languages than {summary.source_language(last.targets)}", random_factors(chosen)]
    verdicts = f"verdicts by Holm over {len(tested)} comparison{'' if len(tested) == 1 else 's'}, " if tested else ""
    parts.append(verdicts + _given(summary))
    excluded = list(dict.fromkeys(x for c in chosen if c.kind == "level" for x in c.excluded))
    return [*parts, *([f"not in it: {', '.join(excluded)}"] if excluded else [])]


def _given(summary: Summary) -> str:
    """What no interval is over: other encoders would answer otherwise."""
    several = len({line.encoder for line in summary.lines}) > 1
    return "given these encoders" if several else "given this encoder"


def random_factors(chosen: Sequence[Contrast]) -> str:
    """What the intervals of these rows are over, with the number of pipeline seeds."""
    bases = {c.estimate.basis for c in chosen if c.kind == "level"}
    seeds = sorted({s for c in chosen if c.kind == "level" for s in c.estimate.seeds})
    many = " to ".join(map(str, dict.fromkeys([seeds[0], seeds[-1]]))) if seeds else "no"
    if bases == {"items and seeds"}:
        return f"intervals over items and {many} pipeline seeds"
    if bases == {"one model"}:
        return "intervals over items, of a model that was given"
    if "items and seeds" in bases:
        return "intervals over items, and over pipeline seeds where a route has several"
    return "one pipeline seed, intervals over items only"
