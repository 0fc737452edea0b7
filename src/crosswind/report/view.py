"""A summary arranged for reading: a block a target, a row a route and condition. Terminal and page share it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from crosswind.analysis.contrasted import Contrast
from crosswind.analysis.estimate import Estimate
from crosswind.analysis.multiplicity import ALPHA
from crosswind.analysis.results import NONE
from crosswind.analysis.summary import Scope, Summary, SummaryLine, UnchangedLine

FLOOR_MARK = "†"
TRAINED_MARK = "‡"
SHOWN_MARK = "*"


def figure(estimate: Estimate | None, *, signed: bool = False, negated: bool = False, tight: bool = False) -> str:
    """`61.2 [58.0, 64.4]`; with its sign, with the sign turned, or without the blank. Says so where there is no
    interval."""
    if estimate is None:
        return ""
    score, low, high = estimate.score, estimate.low, estimate.high
    if negated:
        score, low, high = -score, None if high is None else -high, None if low is None else -low
    # Rounded here, so that nothing is shown as minus nothing.
    score = round(score, 1) + 0.0
    low, high = (None if x is None else round(x, 1) + 0.0 for x in (low, high))
    form = "+.1f" if signed else ".1f"
    if low is None or high is None:
        text = f"{score:{form}} (no interval)"
    else:
        text = f"{score:{form}} [{low:{form}},{'' if tight else ' '}{high:{form}}]"
    return text.replace("-", "−")


def cut_words(estimates: Iterable[Estimate | None]) -> str:
    """A sentence where intervals were cut at what can be; empty where none was."""
    number = sum(e is not None and e.cut for e in estimates)
    if not number:
        return ""
    return (
        "Intervals end where what they are of does (a score at 0 and 100, a difference of two at −100 and +100):"
        f" {number:,} {'was' if number == 1 else 'were'} cut there, which loses nothing of the coverage."
    )


def drop_mark(line: SummaryLine | None) -> str:
    """* where the drop differs from 0 after adjusting over all drops of the target."""
    if line is None or line.drop_adjusted is None:
        return ""
    return SHOWN_MARK if line.drop_adjusted < ALPHA else ""


@dataclass(frozen=True)
class ViewRow:
    """One route under one condition; `None` where a scope was not scored, `blank` where it is n/a."""

    route: str
    condition: str
    clean: bool
    english: SummaryLine | None
    others: SummaryLine | None
    trained: SummaryLine | None
    blank: Mapping[Scope, UnchangedLine] = field(default_factory=dict)


@dataclass(frozen=True)
class Block:
    """One target: its rows in reading order, and its lines of single languages."""

    target: str
    split: str
    metric: str
    chance: float | None
    rows: tuple[ViewRow, ...]
    languages: tuple[SummaryLine, ...]
    unchanged: tuple[UnchangedLine, ...] = ()
    source: str = "English"  # the name of its source language

    @property
    def title(self) -> str:
        """Its heading."""
        chance = "" if self.chance is None else f", chance {self.chance:.1f}"
        return f"{self.target} {self.split} ({self.metric}{chance})"

    @property
    def has_trained(self) -> bool:
        """Whether a line of it was trained on the target's labelled data."""
        return any(row.trained for row in self.rows)


def blocks(summary: Summary) -> tuple[Block, ...]:
    """The summary by target."""
    targets = dict.fromkeys((x.target, x.split, x.key, x.chance) for x in summary.lines)
    several = len({x.encoder for x in summary.lines}) > 1
    made = []
    for key in targets:
        lines = [x for x in summary.lines if (x.target, x.split, x.key, x.chance) == key]
        blank = [x for x in summary.unchanged if (x.target, x.split, x.key) == key[:3]]
        made.append(
            Block(
                *key,
                rows=tuple(_rows(lines, blank, several)),
                languages=tuple(x for x in lines if x.scope == "language"),
                unchanged=tuple(x for x in blank if x.scope == "language"),
                source=summary.source_language(key[:1]),
            )
        )
    return tuple(made)


def series(line: SummaryLine | UnchangedLine, several_encoders: bool) -> str:
    """The name of what is compared: the route, with its encoder and defence where they tell apart."""
    parts = [line.encoder] if several_encoders else []
    parts.append(line.route)
    if line.defence != NONE:
        parts.append(line.defence)
    return " · ".join(parts)


def systems_of(summary: Summary) -> list[str]:
    """What is compared, in the order of the study: figures give each its colour by its place here."""
    several = len({x.encoder for x in summary.lines}) > 1
    names = [series(line, several) for line in summary.lines]
    names += [c.systems[0] for c in summary.contrasts if c.kind == "level"]
    return list(dict.fromkeys(names))


def marks(line: SummaryLine) -> str:
    """† where the mean, or one of its languages, is at the floor; ‡ where the route was trained on one."""
    floor = FLOOR_MARK if line.at_floor or line.floor_languages else ""
    return floor + (TRAINED_MARK if line.scope == "translate-train" and line.trained_on else "")


def changed(line: SummaryLine | Contrast | UnchangedLine | None) -> str:
    """`96/41 %`: the shares of items and of tokens that the condition changed; empty for clean lines."""
    if line is None or line.changed_items is None:
        return ""
    tokens = "" if isinstance(line, UnchangedLine) else f"/{_percent(line.changed_tokens or 0.0)}"
    return f"{_percent(line.changed_items)}{tokens} %"


def _percent(share: float) -> str:
    """A whole number, but for small shares, which must not look like none."""
    return f"{100 * share:.0f}" if share >= 0.1 or share == 0 else f"{100 * share:.1f}"


def legend(summary: Summary) -> tuple[str, ...]:
    """What brackets and marks mean, as far as they occur."""
    percent = f"{100 * summary.level:g} %"
    text = [f"Points, with {percent} intervals {intervals_over(summary)} in brackets."]
    if any(line.drop for line in summary.lines):
        text.append("Drop: clean minus perturbed, over the same languages and items, which are paired.")
        text.append(f"{SHOWN_MARK} the drop differs from 0 at a false discovery rate of 5 % over all drops of its"
                    " target (Benjamini and Hochberg); intervals are not adjusted.")  # fmt: skip
        if any(line.better == "lower" for line in summary.lines):
            text.append("Where a lower score is better, the drop is perturbed minus clean.")
        text.append("The clean score beside a perturbed mean is over the languages and items of that mean.")
        text.append("Changed: the share of the items whose text differs, and of the tokens that differ for the model's"
                    " tokenizer.")  # fmt: skip
    if pairs := sorted({line.target for line in summary.lines if line.scope == "pairs"}):
        text.append(f"{', '.join(pairs)}: pairs of a passage's and a question's language have a mean of their own; it"
                    " stands under others where a target has nothing else.")  # fmt: skip
    if summary.unchanged or any(part.cause == "unchanged" for part in summary.left_out):
        text.append("n/a: too few items changed (their share stands beside it); in no mean, drop or contrast.")
    if cut := cut_words(x for line in summary.lines for x in (line.estimate, line.clean, line.drop)):
        text.append(cut)
    floors = [line for line in summary.lines if line.at_floor or line.floor_languages]
    if floors:
        at_floor = sorted({x for line in floors for x in line.floor_languages})
        text.append(f"{FLOOR_MARK} the mean or a language ({', '.join(at_floor)}) reaches chance (one-sided, 5 %):"
                    " what is at the floor cannot fall and does not count as robust.")  # fmt: skip
    if any(TRAINED_MARK in marks(line) for line in summary.lines):
        text.append(f"{TRAINED_MARK} translate-train: this route was trained on labelled data of the task in the"
                    " language; it is no zero-shot transfer.")  # fmt: skip
    return (*text, *summary.notes)


def intervals_over(summary: Summary) -> str:
    """What the intervals of the lines are over."""
    return basis_words(line.basis for line in summary.lines)


def basis_words(of: Iterable[str]) -> str:
    """What intervals of some bases (`IntervalBasis`) are over."""
    bases = set(of)
    if "items" in bases and "items and seeds" in bases:
        return "over items, and over pipeline seeds where there are several,"
    if "items and seeds" in bases:
        return "over items and pipeline seeds"
    if "one model" in bases and "items" not in bases:
        return "over items, of a model that was given,"
    return "over items alone (one pipeline seed: they say nothing of another training)"


def _rows(lines: list[SummaryLine], blank: list[UnchangedLine], several: bool) -> Iterator[ViewRow]:
    grouped: dict[tuple[str, str], dict[Scope, SummaryLine]] = {}
    blanks: dict[tuple[str, str], dict[Scope, UnchangedLine]] = {}
    for line in (x for x in lines if x.scope != "language"):
        grouped.setdefault((series(line, several), line.condition.label), {})[line.scope] = line
    for gap in (x for x in blank if x.scope != "language"):
        blanks.setdefault((series(gap, several), gap.condition.label), {})[gap.scope] = gap
    routes = [*dict.fromkeys(route for route, _ in (*grouped, *blanks))]
    for key in sorted(dict.fromkeys((*grouped, *blanks)), key=lambda key: routes.index(key[0])):
        cells, gaps = grouped.get(key, {}), blanks.get(key, {})
        clean = all(line.condition.clean for line in cells.values()) and not gaps
        others = cells.get("others") or (None if "english" in cells else cells.get("pairs"))
        yield ViewRow(*key, clean, cells.get("english"), others, cells.get("translate-train"), gaps)
