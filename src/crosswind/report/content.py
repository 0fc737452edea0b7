"""What a report is made of: plain values, whoever gathered them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from crosswind.analysis.attacked import CURVE_NAMES, LINE_COLUMNS, OF_CONTROL
from crosswind.analysis.claims import JudgedClaim
from crosswind.analysis.official import OfficialScore
from crosswind.analysis.summary import Summary
from crosswind.perturb.edit_types import EDIT_TYPES
from crosswind.report.excluded import ExcludedRow, FaultRow


@dataclass(frozen=True, slots=True)
class JudgedFile:
    """A file of claims, judged: its name, what it is about, what published figures say by the id of a claim, and each
    statement with its encoder."""

    name: str
    summary: str
    judged: Sequence[JudgedClaim]
    published: Mapping[str, str]
    statements: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A review of the run: its question, whether the run passed (None: nothing to say), and the evidence."""

    name: str
    question: str
    passed: bool | None
    evidence: str


@dataclass(frozen=True, slots=True)
class DataLicence:
    """A data set that was used: as what, its licence and how it is cited."""

    name: str
    use: str
    licence: str
    citation: str


@dataclass(frozen=True)
class StoredExample:
    """An example under a condition as a run keeps it: texts of its fields, clean and (None: unchanged) perturbed, and
    what each model said before and after."""

    id: str
    target: str
    language: str
    perturbation: str
    condition: str
    fields: Sequence[tuple[str, str, str | None]]
    gold: str
    said: Sequence[tuple[str, str, str, bool]]


@dataclass(frozen=True)
class ExampleSample:
    """Examples of a run, `of` so many predictions of perturbed texts; `notes` say how they were chosen."""

    items: Sequence[StoredExample] = ()
    of: int = 0
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StepCost:
    """What the steps of a kind cost, in seconds."""

    kind: str
    steps: int
    cpu: float
    wall: float


@dataclass(frozen=True)
class Provenance:
    """What made the results: cost by kind of step, machines with versions, signatures with how many rows have each,
    keys of trained models, data sets, and the study as it was read."""

    costs: Sequence[StepCost] = ()
    machines: Sequence[str] = ()
    signatures: Sequence[tuple[str, int]] = ()
    keys: Sequence[tuple[str, str]] = ()
    data: Sequence[DataLicence] = ()
    study: str = ""
    version: str = ""
    encoder: str = ""


ATTACK_CELL: dict[str, pl.DataType] = dict.fromkeys(("selection", "context_language", "protection"), pl.String())
"""Columns of both tables of attacks without which two cells of a study could have a row in common. Runs of older
versions lack them."""

CURVE_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("route", "defence", "target", "language", "attack"), pl.String()),
    **ATTACK_CELL,
    "control": pl.Boolean(),
    **dict.fromkeys(("pipeline_seed", "budget", "n", "at"), pl.Int64()),
    "score": pl.Float64(),
}
"""The columns of attack curves: what the attacked examples score, in points, under the worst text within `at`
queries; 0 queries: as they were. `control` rows are of random draws."""

CURVE_SUM_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("route", "defence", "target", "language", "attack"), pl.String()),
    **ATTACK_CELL,
    "control": pl.Boolean(),
    **dict.fromkeys(("pipeline_seed", "budget", "n"), pl.Int64()),
    **dict.fromkeys(("curve", "statistic", "cell"), pl.String()),
    "given": pl.Boolean(),
    **dict.fromkeys(("at", "sums"), pl.List(pl.Float64())),
    "clusters": pl.List(pl.String()),
}
"""The columns of what the intervals of attack curves are made of, a row a curve. `curve` is its name among those of
`ATTACKED_COLUMNS`, `at` where it is read, `sums` what `statistic` (a metric, or success) is a score of: points ×
clusters × k numbers. `cell` is what was judged, `given` whether nothing was trained for its model."""
NO_CURVE_SUMS = pl.DataFrame(schema=CURVE_SUM_COLUMNS)

TRANSFER_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("route", "defence", "target", "language", "attack"), pl.String()),
    **ATTACK_CELL,
    **dict.fromkeys(("pipeline_seed", "source_seed", "budget"), pl.Int64()),
    "source_route": pl.String(),
    **dict.fromkeys(("n", "both_right", "broken", "transferred"), pl.Int64()),
    "clusters": pl.List(pl.String()),
    "sums": pl.List(pl.Float64()),
}
"""The columns of how adversarial examples transfer, a row a model (`route`, `pipeline_seed`), a source (`source_route`,
`source_seed`), an attack and a language: of `n` attacked items `both_right` are those that both models have right when
clean, `broken` those of these that the attack made wrong for the source, `transferred` those of these that are wrong
for the model too. `sums` are (transferred, broken) of each of `clusters`, which have an item that is broken."""
NO_TRANSFER = pl.DataFrame(schema=TRANSFER_COLUMNS)

ATTACKED_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("route", "defence"), pl.String()),
    **ATTACK_CELL,
    "pipeline_seed": pl.Int64(),
    "cells": pl.String(),
    **LINE_COLUMNS,
}
"""The columns of what each attack did to each model, a row a language: `analysis.attacked.AttackLine`. `cells` is a
hash of what a row is computed from."""

CONTRASTS_FILE = "contrasts.parquet"
"""The table of all comparisons: in a run's folder, or beside the figures of a page that lies elsewhere."""

NATURAL_COLUMNS: dict[str, pl.DataType] = {
    **dict.fromkeys(("twin", "target", "language", "context_language", "rows", "condition"), pl.String()),
    "drawn": pl.Boolean(),
    "items": pl.Int64(),
    **dict.fromkeys((*EDIT_TYPES, "distance", "edits", "words_hit", "chrf"), pl.Float64()),
    "cells": pl.String(),
}
"""The columns of twins and of the drawn conditions beside them, on the same items: the share of each type of edit, and
the distance from the twin's (none of its own row, and where nothing changed). `cells` is a hash of the rewrites."""

LATER_COLUMNS = (
    *ATTACK_CELL,
    *("before_change_median", "before_change_90", "untried", "of", "refused_median", "refused_90", "given_up"),
    *(f"{name}{end}" for name in ("edit_rate", "chrf") for end in ("_low", "_high")),
    *(f"similarity{end}" for end in ("", "_low", "_high")),
    *(OF_CONTROL + name for name in CURVE_NAMES),
)
"""Columns that runs of older versions lack."""


@dataclass(frozen=True)
class ReportContent:
    """Everything that a page shows.

    `facts` say what was run (study, encoder, pipeline seeds, sizes, versions), in the order given; `notes` are further
    remarks, `official` the scores of benchmarks, `excluded` those without excluded items, `faults` what is known to
    be wrong with the test sets, `curves` a table as `CURVE_COLUMNS` describes, `curve_sums` one as
    `CURVE_SUM_COLUMNS` does, `attacked` one as `ATTACKED_COLUMNS` does, `transfer` one as `TRANSFER_COLUMNS` does,
    `natural` one as `NATURAL_COLUMNS` does. `missing` says what could not be shown, and why; `contrasts` where the
    table of comparisons lies, from the page.
    """

    title: str
    summary: Summary
    facts: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    official: Sequence[OfficialScore] = ()
    excluded: Sequence[ExcludedRow] = ()
    faults: Sequence[FaultRow] = ()
    claims: Sequence[JudgedFile] = ()
    audit: Sequence[AuditRow] = ()
    curves: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CURVE_COLUMNS))
    curve_sums: pl.DataFrame = field(default_factory=lambda: NO_CURVE_SUMS)
    attacked: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ATTACKED_COLUMNS))
    transfer: pl.DataFrame = field(default_factory=lambda: NO_TRANSFER)
    natural: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=NATURAL_COLUMNS))
    examples: ExampleSample = field(default_factory=ExampleSample)
    provenance: Provenance = field(default_factory=Provenance)
    missing: Sequence[str] = ()
    contrasts: str = CONTRASTS_FILE
