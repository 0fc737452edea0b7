"""How to cite: this run, the program, and every data set with its licence."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.parts import Column, PagePart, Prose, Section, TextTable


def citing_section(content: ReportContent) -> Section | None:
    """What a paper names."""
    p = content.provenance
    if not p.version and not p.data:
        return None
    parts: list[PagePart] = []
    if p.version:
        encoder = f" of {p.encoder}" if p.encoder else ""
        parts.append(
            Prose(
                f"Name the study ({content.title}), the encoder{encoder}, Crosswind {p.version}, and the signatures of"
                f" the scores that you report; give the study file and {content.contrasts} with them. Two scores are"
                " compared only if their signatures agree."
            )
        )
    if p.data:
        columns = (Column("data"), Column("used as"), Column("licence", "text"), Column("citation", "text"))
        rows = tuple((d.name, d.use, d.licence or "not declared", d.citation or "not declared") for d in p.data)
        parts.append(TextTable("data", "Data sets, their licences and how they are cited", columns, rows))
    return Section("citing", "How to cite", tuple(parts))
