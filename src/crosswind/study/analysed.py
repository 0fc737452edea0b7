"""What the statistics of a run need besides its results: kept in the run folder, so that runs can be joined later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from crosswind.analysis.contrast import Comparisons, RouteFacts, Slope
from crosswind.analysis.scored import Chance
from crosswind.errors import UserError
from crosswind.reading import opened
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
    path = out / ANALYSIS
    hint = "run the study again: what is there is found in the store"
    try:
        with opened(path) as file:
            value = TypeAdapter(Analysed).validate_json(file.read())
    except UserError as error:
        raise UserError(f"lacks what its statistics need ({error.what})", where=str(path), hint=hint) from error
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"])) or "file"
        what = f"lacks what its statistics need ({key}: {fault['msg']})"
        raise UserError(what, where=str(path), hint=hint) from error
    levels = [x for c in value.chance.values() for x in (c.values() if isinstance(c, Mapping) else (c,))]
    if not all(0 <= level <= 100 for level in levels):
        raise UserError("has a chance level that is no number of points", where=str(path), hint=hint)
    return value
