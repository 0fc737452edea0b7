"""A summary arranged for reading: a block a target, a row a route and condition. Terminal and page share it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crosswind.analysis.results import NONE
from crosswind.analysis.summary import Summary, SummaryLine

FLOOR_MARK = "†"
TRAINED_MARK = "‡"


@dataclass(frozen=True)
class ViewRow:
    """One route under one condition; `None` where a scope was not scored."""

    route: str
    condition: str
    clean: bool
    english: SummaryLine | None
    others: SummaryLine | None
    trained: SummaryLine | None


@dataclass(frozen=True)
class Block:
    """One target: its rows in reading order, and its lines of single languages."""

    target: str
    split: str
    metric: str
    chance: float | None
    rows: tuple[ViewRow, ...]
    languages: tuple[SummaryLine, ...]

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
    return tuple(
        Block(
            *key,
            rows=tuple(_rows([x for x in summary.lines if (x.target, x.split, x.key, x.chance) == key], several)),
            languages=tuple(x for x in summary.select("language") if (x.target, x.split, x.key, x.chance) == key),
        )
        for key in targets
    )


def series(line: SummaryLine, several_encoders: bool) -> str:
    """The name of what is compared: the route, with its encoder and defence where they tell apart."""
    parts = [line.encoder] if several_encoders else []
    parts.append(line.route)
    if line.defence != NONE:
        parts.append(line.defence)
    return " · ".join(parts)


def marks(line: SummaryLine) -> str:
    """† where the mean, or one of its languages, is at the floor; ‡ where the route was trained on one."""
    floor = FLOOR_MARK if line.at_floor or line.floor_languages else ""
    return floor + (TRAINED_MARK if line.scope == "translate-train" and line.trained_on else "")


def legend(summary: Summary) -> tuple[str, ...]:
    """What brackets and marks mean, as far as they occur."""
    percent = f"{100 * summary.level:g} %"
    text = [f"Points, with {percent} cluster-bootstrap intervals ({summary.replicates} replicates) in brackets."]
    if any(line.drop for line in summary.lines):
        text.append("Drop: clean minus perturbed, over the same languages and items, resampled together.")
        if any(line.better == "lower" for line in summary.lines):
            text.append("Where a lower score is better, the drop is perturbed minus clean.")
        text.append("The clean score beside a perturbed mean is over the languages and items of that mean.")
    floors = [line for line in summary.lines if line.at_floor or line.floor_languages]
    if floors:
        at_floor = sorted({x for line in floors for x in line.floor_languages})
        text.append(f"{FLOOR_MARK} the interval of the mean or of a language ({', '.join(at_floor)}) reaches chance:"
                    " what is at the floor cannot fall and does not count as robust.")  # fmt: skip
    if any(TRAINED_MARK in marks(line) for line in summary.lines):
        text.append(f"{TRAINED_MARK} translate-train: this route was trained on labelled data of the task in the"
                    " language; it is no zero-shot transfer.")  # fmt: skip
    return (*text, *summary.notes)


def _rows(lines: list[SummaryLine], several: bool) -> Iterator[ViewRow]:
    grouped: dict[tuple[str, str], dict[str, SummaryLine]] = {}
    for line in lines:
        if line.scope != "language":
            grouped.setdefault((series(line, several), line.condition.label), {})[line.scope] = line
    for (route, condition), cells in grouped.items():
        any_line = next(iter(cells.values()))
        yield ViewRow(
            route,
            condition,
            any_line.condition.clean,
            cells.get("english"),
            cells.get("others"),
            cells.get("translate-train"),
        )
