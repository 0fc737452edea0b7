"""The audit: reviews of the run itself, what failed first."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.parts import Column, Prose, Section, TextTable

_WORDS = {True: "✓ passes", False: "✗ fails", None: "– nothing to say"}
_ORDER = {False: 0, True: 1, None: 2}


def audit_section(content: ReportContent) -> Section | None:
    """The list with its counts; a score of ten is derived from it."""
    rows = sorted(content.audit, key=lambda row: _ORDER[row.passed])
    if not rows:
        return None
    passed, failed, silent = (sum(row.passed is value for row in rows) for value in (True, False, None))
    score = f" ({10 * passed / (passed + failed):.1f} of ten of those that say something)" if passed + failed else ""
    table = TextTable(
        "audit",
        "Reviews of the run",
        (Column(""), Column("review"), Column("question", "text"), Column("evidence", "text")),
        tuple((_WORDS[row.passed], row.name, row.question, row.evidence) for row in rows),
    )
    counts = f"{passed} reviews pass, {failed} fail, {silent} have nothing to say{score}."
    return Section("audit", "Audit of the run", (Prose(counts), table))
