"""The research question answered in a sentence, as far as the study's contrasts go."""

from __future__ import annotations

from collections.abc import Sequence

from crosswind.analysis.contrast import BASE, PRIMARY
from crosswind.analysis.contrasted import Contrast, Measure
from crosswind.analysis.summary import Summary
from crosswind.report.view import figure


def answer(summary: Summary) -> str | None:
    """Does zero-shot transfer survive the perturbations, and do the routes help? `None` if the study does not ask.

    Of the means over targets, in the other languages than English. Levels help or hurt, drops are more or less robust;
    what is not settled says so.
    """
    chosen = widest_contrasts(summary)
    if not chosen:
        return _all_floored(summary)
    base = base_of(chosen)
    parts = [_survives(chosen, base), *_pairs(chosen, base)]
    return f"{'; '.join(p for p in parts if p)} ({'; '.join(_about(summary, chosen))})."


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


def _all_floored(summary: Summary) -> str | None:
    targets = list(dict.fromkeys(c.within for c in summary.contrasts if c.scope == "target" and c.kind == "difference"))
    if not targets:
        return None
    for target in targets:
        if not _is_floored([c for c in summary.contrasts if c.scope == "target" and c.within == target]):
            return None
    return f"Every route is at its floor in {', '.join(targets)}: nothing can be said of what survives."


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


def _pairs(chosen: Sequence[Contrast], base: str) -> list[str]:
    """A clause a pair: those with the base, and English against multilingual."""
    rows: dict[tuple[str, ...], dict[Measure, Contrast]] = {}
    for c in chosen:
        if c.kind == "difference":
            rows.setdefault(c.systems, {})[c.measure] = c
    clauses = []
    for systems, of_pair in rows.items():
        if base in systems or set(systems) == {"english", "multilingual"}:
            measures: list[tuple[Measure, str]] = [("clean", "clean"), ("perturbed", "left under perturbation")]
            measures.append(("drop", "drop"))
            there = [(of_pair[m], label) for m, label in measures if m in of_pair]
            words = {c.words for c, _ in there}
            alike = f" ({words.pop()})" if len(words) == 1 else ""
            clause = [
                f"{label} {figure(c.estimate, signed=True)}{'' if alike else f' ({c.words})'}" for c, label in there
            ]
            clauses.append(f"{' − '.join(systems)}: {', '.join(clause)}{alike}")
    return clauses


def _about(summary: Summary, chosen: Sequence[Contrast]) -> list[str]:
    """Over what: targets, languages, what was random, the family, and what is not in it."""
    last = next((c for c in chosen if c.measure == "drop"), chosen[0])
    what = last.targets[0] if len(last.targets) == 1 else f"means of {len(last.targets)} targets"
    tested = [c for c in summary.contrasts if c.family == PRIMARY and c.adjusted is not None]
    parts = [f"{what}, other languages than English", random_factors(chosen)]
    if tested:
        parts.append(f"verdicts by Holm over {len(tested)} comparisons, given this encoder")
    excluded = list(dict.fromkeys(x for c in chosen if c.kind == "level" for x in c.excluded))
    return [*parts, *([f"not in it: {', '.join(excluded)}"] if excluded else [])]


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
