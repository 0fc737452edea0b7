"""What a summary says: route x target x (clean or perturbed) x {English, the other languages}."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import polars as pl

from crosswind.analysis.left_out import LeftOut
from crosswind.analysis.resample import LEVEL, REPLICATES
from crosswind.analysis.results import CLEAN, NONE
from crosswind.evaluate.metrics.base import Better

Scope = Literal["english", "others", "translate-train", "language"]
SCOPES: tuple[Scope, ...] = ("english", "others", "translate-train", "language")


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score or a difference of scores in points, with its cluster-bootstrap interval."""

    score: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """How the test set was changed; `Condition()` is the clean one."""

    perturbation: str = CLEAN
    severity: float = 0.0
    protection: str = NONE
    attack: str = NONE
    budget: int = 0
    rows: str = "all"
    selection: str = "english"

    @property
    def clean(self) -> bool:
        """Whether nothing was changed."""
        return self.perturbation == CLEAN and self.attack == NONE

    @property
    def label(self) -> str:
        """`clean`, `keyboard:0.1`, `keyboard:0.1, answers protected`, `polygloss, 500 queries`."""
        parts = []
        if self.perturbation != CLEAN or self.clean:
            parts.append(f"{self.perturbation}:{self.severity:g}" if self.severity else self.perturbation)
        if self.protection != NONE:
            parts.append(f"{self.protection} protected")
        if self.attack != NONE:
            parts.append(f"{self.attack}, {self.budget} queries")
            parts += [f"rows {self.rows}"] if self.rows != "all" else []
        if self.selection == "oracle":
            parts.append("selected on target languages")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class SummaryLine:
    """One figure of the summary: the mean over `languages` of one route, target and condition.

    `metric` is the registered name, `key` that of its score, and `better` says whether quality is a
    `higher` or a `lower` score. `clean` and `drop` (the loss of quality: clean minus perturbed, the
    other way round where lower is better) are over the same languages and items; `None` on clean lines.
    `at_floor`: the interval reaches chance; `floor_languages` are those whose interval does.
    `trained_on` are the languages of this line that this route has seen labelled for the task.
    `n` counts items over the languages. `changed_items` and `changed_tokens` are the mean shares of what the condition
    changed, in [0, 1]; `None` on clean lines.
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


@dataclass(frozen=True, slots=True)
class Level:
    """What a route reaches: `perturbed` and `drop` in the languages and targets that were perturbed, `had` the clean
    score there, `clean` in all."""

    clean: Estimate
    had: Estimate | None = None
    perturbed: Estimate | None = None
    drop: Estimate | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """What a route changes against the route `base`, or (`route == base`) what the base itself reaches.

    Means over `targets` (one of them, or all that are not at their floor) of the means over the languages
    that no route was trained on: `clean`, `perturbed` (the mean over preserving perturbations and their
    severities) and `drop` (the loss of quality under them), these two over `perturbed_targets`. All targets
    have metrics of one direction, `better`. The intervals are of
    items and, with more than one, of pipeline seeds. `at_floor`: every route is at its floor in all targets.
    `level` is what the route itself reaches, `changed_items` and `changed_tokens` the mean shares that the
    perturbations changed of its cells.
    """

    route: str
    base: str
    targets: tuple[str, ...]
    clean: Estimate
    perturbed: Estimate | None
    drop: Estimate | None
    perturbed_targets: tuple[str, ...]
    at_floor: bool
    pipeline_seeds: int
    better: Better = "higher"
    level: Level | None = None
    changed_items: float | None = None
    changed_tokens: float | None = None


@dataclass(frozen=True)
class Summary:
    """The lines, in the order target, route, condition, scope; `notes` are what a reader must know.

    `contrasts` compare the routes with the first one, target by target and then over all. `unchanged` are the figures
    that are n/a, `left_out` all cells that are in no figure, `diagnostic` the perturbations under which labels need not
    hold.
    """

    lines: tuple[SummaryLine, ...]
    contrasts: tuple[Contrast, ...] = ()
    level: float = LEVEL
    replicates: int = REPLICATES
    notes: tuple[str, ...] = ()
    unchanged: tuple[UnchangedLine, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    diagnostic: frozenset[str] = frozenset()

    def table(self) -> pl.DataFrame:
        """The lines as a tidy table, for Parquet or CSV; lists of languages are joined by spaces."""
        return pl.DataFrame([_flat(line) for line in self.lines], schema=_TABLE)

    def compared(self) -> pl.DataFrame:
        """The contrasts as a tidy table; targets are joined by spaces."""
        rows = [_flat_contrast(contrast) for contrast in self.contrasts]
        return pl.DataFrame(rows, schema=_CONTRASTS)

    def select(self, *scopes: Scope) -> tuple[SummaryLine, ...]:
        """The lines of these scopes."""
        return tuple(line for line in self.lines if line.scope in scopes)


def _flat(line: SummaryLine) -> dict[str, object]:
    flat: dict[str, object] = {}
    for name, value in asdict(line).items():
        if name in ("estimate", "clean", "drop"):
            prefix = "" if name == "estimate" else f"{name}_"
            flat |= {f"{prefix}{n}": None if value is None else value[n] for n in ("score", "low", "high")}
        elif name == "condition":
            flat |= value
        else:
            flat[name] = " ".join(value) if isinstance(value, tuple) else value
    return flat


def _flat_contrast(contrast: Contrast) -> dict[str, object]:
    flat: dict[str, object] = {"route": contrast.route, "base": contrast.base, "targets": " ".join(contrast.targets)}
    for name in ("clean", "perturbed", "drop"):
        value: Estimate | None = getattr(contrast, name)
        flat |= {f"{name}_{n}": None if value is None else getattr(value, n) for n in Estimate.__slots__}
    flat["perturbed_targets"] = " ".join(contrast.perturbed_targets)
    return flat | {
        "at_floor": contrast.at_floor,
        "pipeline_seeds": contrast.pipeline_seeds,
        "better": contrast.better,
        "changed_items": contrast.changed_items,
        "changed_tokens": contrast.changed_tokens,
    }


_CONTRASTS: dict[str, pl.DataType] = {
    **dict.fromkeys(("route", "base", "targets"), pl.String()),
    **{f"{p}_{n}": pl.Float64() for p in ("clean", "perturbed", "drop") for n in ("score", "low", "high")},
    "perturbed_targets": pl.String(),
    "at_floor": pl.Boolean(),
    "pipeline_seeds": pl.Int64(),
    "better": pl.String(),
    "changed_items": pl.Float64(),
    "changed_tokens": pl.Float64(),
}
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
    **dict.fromkeys(("changed_items", "changed_tokens"), pl.Float64()),
}
