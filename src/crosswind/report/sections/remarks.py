"""Notes of the run, and what is known to be wrong with its test sets."""

from __future__ import annotations

from crosswind.report.content import ReportContent
from crosswind.report.parts import Bullets, Folded, PagePart, Prose, Section

_MOST = 60


def remark_section(content: ReportContent) -> Section | None:
    """Notes, the first of them open."""
    parts: list[PagePart] = []
    if content.notes:
        parts.append(Bullets(tuple(content.notes[:_MOST])))
        if len(content.notes) > _MOST:
            parts.append(Folded(f"{len(content.notes) - _MOST} more", (Bullets(tuple(content.notes[_MOST:])),)))
    if content.faults:
        parts.append(Prose("What is known to be wrong with these test sets:"))
        parts.append(
            Bullets(
                tuple(
                    f"{f.target}{f' ({f.languages})' if f.languages else ''}: {f.what} [{f.source}]"
                    for f in content.faults
                )
            )
        )
    return Section("notes", "Notes", tuple(parts)) if parts else None
