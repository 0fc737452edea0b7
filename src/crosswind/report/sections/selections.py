"""Other ways of choosing a checkpoint, beside the usual one."""

from __future__ import annotations

from crosswind.report.comparisons import p_words
from crosswind.report.content import ReportContent
from crosswind.report.parts import Column, Prose, Section, TextTable
from crosswind.report.view import figure

_SAYS = (
    "What changes where a checkpoint is chosen in another way, from the same training and on the same items: `averaged`"
    " is the mean of the weights of the last checkpoints, `oracle` was chosen on data of the target languages, `dev"
    " layer` reads the layer that development data chose. None of them enters another comparison."
)


def selection_section(content: ReportContent) -> Section | None:
    """A row for each system, target and way; nothing where a study has one way."""
    rows = [c for c in content.summary.contrasts if c.kind == "selection"]
    if not rows:
        return None
    columns = (
        *(Column("model and way"), Column("target"), Column("of"), Column("points", "number")),
        *(Column("p adjusted", "number"), Column("verdict", "text"), Column("languages", "text")),
    )
    texts = tuple(
        (
            c.name,
            c.within or ", ".join(c.targets),
            "clean" if c.measure == "everywhere" else c.measure,
            figure(c.estimate, signed=True),
            p_words(c.adjusted),
            c.words,
            " ".join(c.languages),
        )
        for c in rows
    )
    table = TextTable("selections", "Ways of choosing a checkpoint, points with 95 % intervals", columns, texts)
    return Section("selections", "Ways of choosing a checkpoint", (Prose(_SAYS, soft=True), table))
