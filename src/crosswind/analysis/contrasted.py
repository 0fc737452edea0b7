"""A contrast: a level, a difference or a difference of drops, with its interval, as a row of a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

import polars as pl

from crosswind.analysis.condition import Condition
from crosswind.analysis.estimate import Estimate
from crosswind.analysis.multiplicity import ALPHA
from crosswind.evaluate.metrics.base import Better

ContrastKind = Literal[
    "level", "difference", "source gap", "perturbations", "equal damage", "slope", "ratio", "selection", "attack"
]
"""`level`: what one system reaches, or loses (clean minus perturbed). `difference`: system minus system. `source gap`:
the source language minus the mean of the others. `perturbations`: what one perturbation takes, minus what another
does. `equal damage`: either of these two where both sides are damaged alike on one axis. `slope`: what more of a
declared factor brings, over several systems. `ratio`: the error under perturbation in per cent of the reference's.
`selection`: another way of choosing a system's checkpoints minus the usual one. `attack`: what random draws at an equal
budget leave minus what an attack leaves."""
ContrastScope = Literal[
    "all", "target", "language", "family", "script", "perturbation", "condition", "material", "familiarity"
]
"""`material`: the perturbations that put in what a system has seen labelled, unlabelled or not at all. `familiarity`:
the conditions that a defence was made for, and those that it was not."""
Measure = Literal[
    "clean",
    "before",
    "everywhere",
    "perturbed",
    "drop",
    "relative-drop",
    "normalised-drop",
    "residual",
    "error",
    "consistency",
    "right-drop",
    "official",
]
"""`clean`: the clean score in the languages that were perturbed. `before`: the same, over the targets of `perturbed`
too. `everywhere`: the clean score in all languages. `drop`: the loss of quality, clean minus perturbed (the other way
round where lower is better); `relative-drop` in per cent of the clean score, `normalised-drop` in per cent of what the
clean score is above chance. `residual`: what is left beyond the straight line from clean to perturbed scores. `error`:
what the perturbed score lacks to 100. `consistency`: the share of predictions that equal the clean ones, right or
wrong. `right-drop`: the loss on the items that all systems (of one seed) had right when clean, to 0 from the best
score. `official`: the clean score in every language that was scored, the source language and those that some route was
trained on with them, as benchmarks average it."""
Verdict = Literal[
    "helps",
    "hurts",
    "more robust",
    "less robust",
    "differs",
    "equivalent",
    "depends on the axis",
    "not settled",
    "not tested",
]


_OF_ROUTES: tuple[ContrastKind, ...] = ("difference", "slope", "ratio", "selection")
ENOUGH_AXES = 3  # of damage, on which what is said of languages must have the same sign


@dataclass(frozen=True, slots=True)
class AxesHeld:
    """On which axes of damage the sign of a comparison holds, and on which it does not."""

    held: tuple[str, ...]
    lost: tuple[str, ...]

    @property
    def enough(self) -> bool:
        """Whether it may be said of languages."""
        return len(self.held) >= ENOUGH_AXES

    @property
    def words(self) -> str:
        """In words, for a table."""
        of = len(self.held) + len(self.lost)
        against = f" (not: {', '.join(self.lost)})" if self.lost else ""
        return f"its sign holds on {len(self.held)} of {of} axes of damage{against}"


@dataclass(frozen=True, slots=True)
class SecondInterval:
    """Another interval of 95 % of the same estimate, which no verdict is made from: over what, and from how many
    degrees of freedom."""

    over: Literal["seeds pooled", "languages random"]
    low: float
    high: float
    df: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One comparison in points of the metric, the mean over draws, languages, conditions and targets, each equal.

    `systems` are what is compared, the second one subtracted. `within` is the member of the scope (the target, the
    language, …), empty over all. `family` names the comparisons that `adjusted` is over: `primary` by Holm, tables by
    Benjamini and Hochberg; without a family it is a figure, no test. `excluded` are targets that are not in it, with
    the reason; `floored` the systems that are at their floor when clean, so that nothing follows from their drops.
    `margin`: effects smaller than so many points count as none; `equivalence` is the p-value of a larger one, adjusted
    over the same family as `adjusted`, apart from it (no comparison can be wrong both ways).
    `differs` says what two routes differ in; `material` what they have seen of what the perturbation is made of.
    `axes`, of a comparison of languages or perturbations: for which measures of damage its sign holds. `second` are
    intervals under other assumptions, for the reader.
    """

    name: str
    kind: ContrastKind
    measure: Measure
    scope: ContrastScope
    within: str
    systems: tuple[str, ...]
    targets: tuple[str, ...]
    languages: tuple[str, ...]
    conditions: tuple[Condition, ...]
    estimate: Estimate
    better: Better
    draws: int = 1
    family: str = ""
    adjusted: float | None = None
    margin: float | None = None
    equivalence: float | None = None
    excluded: tuple[str, ...] = ()
    floored: tuple[str, ...] = ()
    changed_items: float | None = None
    changed_tokens: float | None = None
    differs: str = ""
    material: str = ""
    axes: AxesHeld | None = None
    second: tuple[SecondInterval, ...] = ()

    @property
    def one_seed(self) -> bool:
        """Whether some system that was trained has one seed, so that nothing can be said of routes."""
        return self.kind in _OF_ROUTES and self.estimate.basis == "items"

    @property
    def at_floor(self) -> bool:
        """Whether nothing follows from it, because a system is at its floor: it has nothing to lose."""
        return bool(self.floored) and self.measure not in ("clean", "before", "everywhere", "official")

    @property
    def verdict(self) -> Verdict:
        """What may be said of it: *helps* and *hurts* of levels, *more* and *less robust* of drops.

        `equivalent` where two one-sided tests show the effect to be within the margin (Schuirmann 1987).
        """
        if self.estimate.p is None or self.one_seed or self.at_floor:
            return "not tested"
        if (self.estimate.p if self.adjusted is None else self.adjusted) < ALPHA:
            return self._direction if self.axes is None or self.axes.enough else "depends on the axis"
        within = self.within_margin if self.equivalence is None else self.equivalence
        return "equivalent" if within is not None and within < ALPHA else "not settled"

    @property
    def within_margin(self) -> float | None:
        """The p-value of an effect of the margin or more, of this comparison by itself."""
        return None if self.margin is None else self.estimate.p_between(-self.margin, self.margin)

    @property
    def _direction(self) -> Verdict:
        more = self.estimate.score > 0
        if self.kind not in _OF_ROUTES:
            return "differs"
        match self.measure:
            case "clean" | "before" | "everywhere" | "official" | "perturbed":
                return "helps" if more == (self.better == "higher") else "hurts"
            case "residual":
                return "more robust" if more == (self.better == "higher") else "less robust"
            case "drop" | "relative-drop" | "normalised-drop" | "right-drop":
                return "less robust" if more else "more robust"
            case "error":
                return "less robust" if self.estimate.score > 100 else "more robust"
            case "consistency":
                return "differs"
            case _:
                assert_never(self.measure)

    @property
    def words(self) -> str:
        """The verdict with what a reader must know beside it."""
        match self.verdict:
            case "not tested":
                if self.at_floor:
                    return f"not tested: {', '.join(self.floored)} at the floor"
                return "one seed: not tested" if self.one_seed else f"not tested: {self.estimate.note or 'no interval'}"
            case "not settled":
                if self.estimate.components is None and self.estimate.note:
                    return self.estimate.note
                return ": ".join(filter(None, ("not settled", self.estimate.unseen_words)))
            case "depends on the axis":
                assert self.axes is not None
                return f"depends on the axis: {self.axes.words}"
            case "equivalent":
                return f"equivalent within ±{self.margin:g}"
            case verdict:
                return verdict


def flat_contrast(contrast: Contrast) -> dict[str, object]:
    """A contrast as plain data: a row of `contrasts.parquet`."""
    e = contrast.estimate
    parts = e.components
    return {
        "name": contrast.name,
        "kind": contrast.kind,
        "measure": contrast.measure,
        "scope": contrast.scope,
        "within": contrast.within,
        "system": contrast.systems[0],
        "against": ", ".join(contrast.systems[1:]),
        "targets": " ".join(contrast.targets),
        "languages": " ".join(contrast.languages),
        # Targets may have a condition under rows of their own: one name.
        "conditions": "; ".join(dict.fromkeys(condition.label for condition in contrast.conditions)),
        "better": contrast.better,
        "estimate": e.score,
        "se": e.se,
        "df": None if parts is None else parts.df,
        "df_items": None if parts is None else parts.df_items,
        "df_seeds": None if parts is None or parts.seeds == 0 else parts.df_seeds,
        "low": e.low,
        "high": e.high,
        "interval": e.basis,
        "p": e.p,
        "p_adjusted": contrast.adjusted,
        "margin": contrast.margin,
        "p_equivalence": contrast.within_margin,
        "p_equivalence_adjusted": contrast.equivalence,
        "family": contrast.family,
        "verdict": contrast.words if contrast.family else "",
        "sigma_item": None if parts is None else parts.sigma_item,
        "sigma_seed": None if parts is None else parts.sigma_seed,
        "sigma_interaction": None if parts is None else parts.sigma_interaction,
        "variance_items": None if parts is None else parts.items,
        "minimal_detectable": e.detectable,
        "seeds": " ".join(map(str, e.seeds)),
        "by_seed": " ".join(f"{seed}:{value:.4f}" for seed, value in e.by_seed),
        "draws": contrast.draws,
        "clusters": e.clusters,
        "excluded": "; ".join(contrast.excluded),
        "floored": " ".join(contrast.floored),
        "changed_items": contrast.changed_items,
        "changed_tokens": contrast.changed_tokens,
        "differs": contrast.differs,
        "material": contrast.material,
        "axes": "" if contrast.axes is None else contrast.axes.words,
        "note": e.remark,
        **_second(contrast),
    }


def _second(contrast: Contrast) -> dict[str, float | None]:
    by_name = {x.over: x for x in contrast.second}
    pooled, languages = by_name.get("seeds pooled"), by_name.get("languages random")
    return {
        "pooled_low": None if pooled is None else pooled.low,
        "pooled_high": None if pooled is None else pooled.high,
        "languages_low": None if languages is None else languages.low,
        "languages_high": None if languages is None else languages.high,
    }


_TEXT = ("name", "kind", "measure", "scope", "within", "system", "against", "targets", "languages", "conditions")
_NUMBERS = ("sigma_item", "sigma_seed", "sigma_interaction", "variance_items", "minimal_detectable")
CONTRASTS: dict[str, pl.DataType] = {
    **dict.fromkeys((*_TEXT, "better"), pl.String()),
    **dict.fromkeys(("estimate", "se", "df", "df_items", "df_seeds", "low", "high"), pl.Float64()),
    "interval": pl.String(),
    **dict.fromkeys(("p", "p_adjusted", "margin", "p_equivalence", "p_equivalence_adjusted"), pl.Float64()),
    **dict.fromkeys(("family", "verdict"), pl.String()),
    **dict.fromkeys(_NUMBERS, pl.Float64()),
    **dict.fromkeys(("seeds", "by_seed"), pl.String()),
    **dict.fromkeys(("draws", "clusters"), pl.Int64()),
    **dict.fromkeys(("excluded", "floored"), pl.String()),
    **dict.fromkeys(("changed_items", "changed_tokens"), pl.Float64()),
    **dict.fromkeys(("differs", "material", "axes", "note"), pl.String()),
    **dict.fromkeys(("pooled_low", "pooled_high", "languages_low", "languages_high"), pl.Float64()),
}
