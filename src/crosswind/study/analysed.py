"""What the statistics of a run need besides its results: kept in the run folder, so that runs can be joined later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crosswind.analysis.contrast import Comparisons, RouteFacts, Slope
from crosswind.analysis.scored import Chance
from crosswind.errors import UserError
from crosswind.run.folders import replacing
from crosswind.study.spec import CompareSpec

ANALYSIS = "analysis.json"


@dataclass(frozen=True)
class Analysed:
    """The order of the routes, the headline metric, chance and source language of each target, the perturbations that
    are diagnostic, the cells of models that nothing was trained for, what is compared, and what routes differ in."""

    routes: tuple[str, ...]
    headline: Mapping[str, str]
    chance: Mapping[str, Chance]
    sources: Mapping[str, str]
    diagnostic: tuple[str, ...]
    given: tuple[str, ...]
    comparisons: Comparisons
    facts: RouteFacts


def comparisons_of(spec: CompareSpec) -> Comparisons:
    """What a study declares to compare."""
    slopes = tuple(Slope(s.factor, tuple(s.amounts.items()), s.scale == "doubling") for s in spec.slopes)
    pairs = tuple((a, b) for a, b in spec.pairs)
    return Comparisons(pairs, tuple(spec.measures), spec.paired_seeds, spec.margin, slopes, spec.random_languages)


def write_analysed(value: Analysed, out: Path) -> None:
    """Write it beside the results."""
    with replacing(out / ANALYSIS) as draft:
        draft.write_text(json.dumps(asdict(value), ensure_ascii=False, indent=1), encoding="utf-8")


def read_analysed(out: Path) -> Analysed:
    """Read what a run kept; a `UserError` where an older version wrote the run, or the file is damaged."""
    try:
        value: dict[str, Any] = json.loads((out / ANALYSIS).read_text(encoding="utf-8"))
        compared = value["comparisons"]
        pairs = tuple((str(a), str(b)) for a, b in compared["pairs"])
        slopes = tuple(
            Slope(str(s["factor"]), tuple((str(r), float(x)) for r, x in s["values"]), bool(s["doubling"]))
            for s in compared.get("slopes", ())
        )
        comparisons = Comparisons(
            pairs,
            tuple(compared["measures"]),
            bool(compared["paired_seeds"]),
            None if compared["margin"] is None else float(compared["margin"]),
            slopes,
            bool(compared.get("random_languages", False)),
        )
        return Analysed(
            tuple(value["routes"]),
            value["headline"],
            value["chance"],
            value["sources"],
            tuple(value["diagnostic"]),
            tuple(value["given"]),
            comparisons,
            RouteFacts(value["facts"]["factors"], value["facts"]["seen"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        hint = "run the study again: what is there is found in the store"
        raise UserError("lacks what its statistics need", where=str(out / ANALYSIS), hint=hint) from error
