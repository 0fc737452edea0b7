"""What a summary says: route x target x (clean or perturbed) x {source language, the other languages}."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import polars as pl

from crosswind.analysis.condition import Condition
from crosswind.analysis.contrasted import CONTRASTS, Contrast, flat_contrast
from crosswind.analysis.costs import DefenceCost
from crosswind.analysis.estimate import LEVEL, Estimate, IntervalBasis
from crosswind.analysis.left_out import LeftOut
from crosswind.data.languages import name_of
from crosswind.evaluate.metrics.base import Better

Scope = Literal["english", "others", "translate-train", "pairs", "language"]
"""What a figure is over; `english`: the target's source language, whichever that is; `pairs`: questions in one language
and passages in another (MLQA), in no other mean."""
USUAL_SOURCE = "en"
"""The source language of a target that nobody names another of."""
SCOPES: tuple[Scope, ...] = ("english", "others", "translate-train", "pairs", "language")


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One figure of the summary: the mean over `languages` of one route, target and condition.

    `metric` is the registered name, `key` that of its score, and `better` says whether quality is a
    `higher` or a `lower` score. `clean` and `drop` (the loss of quality: clean minus perturbed, the
    other way round where lower is better) are over the same languages and items; `None` on clean lines.
    `at_floor`: the interval reaches chance; `floor_languages` are those whose interval does.
    `trained_on` are the languages of this line that this route has seen labelled for the task.
    `n` counts items over the languages. `changed_items` and `changed_tokens` are the mean shares of what the condition
    changed, in [0, 1]; `None` on clean lines. `drop_adjusted` is the p-value of no drop, adjusted over all drops of the
    target (Benjamini and Hochberg).
    """

    encoder: str
    defence: str
    route: str
    target: str
    split: str
    metric: str
    key: str
    better: Better
    condition: Condition
    scope: Scope
    languages: tuple[str, ...]
    estimate: Estimate
    clean: Estimate | None
    drop: Estimate | None
    chance: float | None
    at_floor: bool
    floor_languages: tuple[str, ...]
    trained_on: tuple[str, ...]
    n: int
    pipeline_seeds: int
    draws: int
    changed_items: float | None = None
    changed_tokens: float | None = None
    drop_adjusted: float | None = None

    @property
    def basis(self) -> IntervalBasis:
        """What its interval is over."""
        return self.estimate.basis


@dataclass(frozen=True, slots=True)
class UnchangedLine:
    """A figure that the summary does not have, because too few items changed in all of its languages."""

    encoder: str
    defence: str
    route: str
    target: str
    split: str
    key: str
    condition: Condition
    scope: Scope
    languages: tuple[str, ...]
    changed_items: float


@dataclass(frozen=True)
class Summary:
    """The lines, in the order target, route, condition, scope; `notes` are what a reader must know.

    `contrasts` are levels, drops and what is compared, the mean over targets first. `unchanged` are the figures
    that are n/a, `left_out` all cells that are in no figure, `diagnostic` the perturbations under which labels need not
    hold, `costs` what defences took where there are several. `sources` maps a target to its source language, `untried`
    a target, an attack and its budget to the per cent of attacked examples of which no changed text was tried.
    """

    lines: tuple[SummaryLine, ...]
    contrasts: tuple[Contrast, ...] = ()
    level: float = LEVEL
    notes: tuple[str, ...] = ()
    unchanged: tuple[UnchangedLine, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    diagnostic: frozenset[str] = frozenset()
    costs: tuple[DefenceCost, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    untried: Mapping[tuple[str, str, int], float] = field(default_factory=dict)

    def table(self) -> pl.DataFrame:
        """The lines as a tidy table, for Parquet or CSV; lists of languages are joined by spaces."""
        return pl.DataFrame([_flat(line) for line in self.lines], schema=_TABLE)

    def compared(self) -> pl.DataFrame:
        """The contrasts as a tidy table, a row each; lists are joined by spaces."""
        return pl.DataFrame([flat_contrast(contrast) for contrast in self.contrasts], schema=CONTRASTS)

    def source_language(self, targets: Iterable[str]) -> str:
        """The name of the source language of these targets; of several `English or German`."""
        return (
            " or ".join(dict.fromkeys(name_of(self.sources.get(target, USUAL_SOURCE)) for target in targets))
            or "English"
        )

    def select(self, *scopes: Scope) -> tuple[SummaryLine, ...]:
        """The lines of these scopes."""
        return tuple(line for line in self.lines if line.scope in scopes)


def _flat(line: SummaryLine) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name in SummaryLine.__slots__:
        value = getattr(line, name)
        if name in ("estimate", "clean", "drop"):
            prefix = "" if name == "estimate" else f"{name}_"
            flat |= {f"{prefix}{n}": None if value is None else getattr(value, n) for n in ("score", "low", "high")}
        elif name == "condition":
            flat |= asdict(value)
        else:
            flat[name] = " ".join(value) if isinstance(value, tuple) else value
    flat["basis"] = line.basis
    return flat


_TABLE: dict[str, pl.DataType] = {
    **dict.fromkeys(("encoder", "defence", "route", "target", "split", "metric", "key", "better"), pl.String()),
    **dict.fromkeys(("perturbation",), pl.String()),
    "severity": pl.Float64(),
    **dict.fromkeys(("protection", "attack"), pl.String()),
    "budget": pl.Int64(),
    **dict.fromkeys(("rows", "selection", "scope", "languages"), pl.String()),
    **{f"{p}{n}": pl.Float64() for p in ("", "clean_", "drop_") for n in ("score", "low", "high")},
    "chance": pl.Float64(),
    "at_floor": pl.Boolean(),
    **dict.fromkeys(("floor_languages", "trained_on"), pl.String()),
    **dict.fromkeys(("n", "pipeline_seeds", "draws"), pl.Int64()),
    **dict.fromkeys(("changed_items", "changed_tokens", "drop_adjusted"), pl.Float64()),
    "basis": pl.String(),
}
