"""Other ways of choosing a checkpoint, beside the usual one."""

from __future__ import annotations

from crosswind.analysis.condition import AVERAGED, DEV_LAYER
from crosswind.report.comparisons import measure_words, p_words
from crosswind.report.content import ReportContent
from crosswind.report.parts import Column, Prose, Section, TextTable
from crosswind.report.view import figure

_SAYS = (
    "What changes where a checkpoint is chosen in another way, from the same training and on the same items. None of"
    " these ways enters another comparison."
)
_WAYS = {
    AVERAGED: "mean of the last checkpoints",
    "oracle": "best on target languages",
    DEV_LAYER: "layer that dev data chose",
    "english": "best on source-language dev",
    "last": "last checkpoint",
    "untuned": "encoder as it is",
}


def selection_section(content: ReportContent) -> Section | None:
    """A row for each system, target and way; nothing where a study has one way."""
    rows = [c for c in content.summary.contrasts if c.kind == "selection"]
    if not rows:
        return None
    columns = (
        *(
            Column("route"),
            Column("chosen otherwise − as usual"),
            Column("target"),
            Column("of"),
            Column("points", "number"),
        ),
        *(Column("p adjusted", "number"), Column("verdict", "text"), Column("languages", "text")),
    )
    texts = tuple(
        (
            c.systems[0],
            chosen_instead(c.name),
            c.within or ", ".join(c.targets),
            measure_words(c.measure),
            figure(c.estimate, signed=True),
            p_words(c.adjusted),
            c.words,
            " ".join(c.languages),
        )
        for c in rows
    )
    table = TextTable("selections", "Ways of choosing a checkpoint, points with 95 % intervals", columns, texts)
    return Section("selections", "Ways of choosing a checkpoint", (Prose(_SAYS, soft=True), table))


def chosen_instead(name: str) -> str:
    """The two ways of choosing that a contrast of the name `ROUTE: WAY − WAY` compares, in words."""
    way, _, usual = name.rpartition(": ")[2].partition(" − ")
    usual_words = " or ".join(_WAYS.get(part, part) for part in usual.split(" or "))
    return f"{_WAYS.get(way, way)} − {usual_words}"
