"""Claims, judged by the run; published figures stand in a column of their own."""

from __future__ import annotations

from dataclasses import replace

from crosswind.analysis.claims import JudgedClaim, counted_verdicts
from crosswind.analysis.relative import RIGHT_NOTE
from crosswind.report.content import JudgedFile, ReportContent
from crosswind.report.inert import slug
from crosswind.report.parts import Column, PagePart, Prose, Section, TextTable


def claims_section(content: ReportContent) -> Section | None:
    """A table a file of claims."""
    parts: list[PagePart] = []
    for file in content.claims:
        shown = [judged for judged in file.judged if _testable(judged)]
        others = [judged for judged in file.judged if not _testable(judged)]
        text = f"{file.name}: {file.summary}. Claims {counted_verdicts(file.judged)}."
        if others:
            names = ", ".join(judged.claim.id for judged in others)
            text += f" This run has nothing to test {'the others' if shown else 'any of them'} by: {names}."
        parts.append(Prose(text))
        if shown:
            parts.append(_table(replace(file, judged=shown)))
    if not parts:
        return None
    remark = (
        "A claim is judged only within its scope (encoder, data, split); outside it is not tested, and what this run"
        " shows of the same comparison stands beside it. The p-values of a file are one family (Holm). What others"
        " published is never mixed with the run's own figures."
    )
    used = (c for file in content.claims for judged in file.judged for f in judged.findings for c in f.contrasts)
    if any(c.measure == "right-drop" for c in used):
        parts.append(Prose(RIGHT_NOTE, soft=True))
    return Section("claims", "Claims", (Prose(remark, soft=True), *parts))


def _testable(judged: JudgedClaim) -> bool:
    """Whether the run says something of a claim, if only as an analogue outside its scope."""
    return judged.verdict != "not tested" or judged.analogue not in (None, "not tested")


def _table(file: JudgedFile) -> TextTable:
    published = any(file.published.values())
    columns = (Column("claim"), Column("statement", "text"), Column("verdict"), Column("what the run shows", "text"))
    return TextTable(
        slug(f"claims-{file.name}"),
        f"Claims: {file.name}",
        (*columns, *([Column("published figures", "text")] if published else [])),
        tuple(
            (
                judged.claim.id,
                file.statements.get(judged.claim.id, judged.claim.statement)
                + (f" ({judged.claim.source})" if judged.claim.source else ""),
                judged.verdict + (f"; here: {judged.analogue}" if judged.analogue not in (None, "not tested") else ""),
                _shows(judged),
                *([file.published.get(judged.claim.id, "")] if published else []),
            )
            for judged in file.judged
        ),
    )


def _shows(judged: JudgedClaim) -> str:
    shown = [judged.outside, judged.remark, *(finding.text for finding in judged.findings)]
    return "; ".join(text for text in shown if text)
