"""The sections of the page, one file each. A section is made of what a run has, and is not there without it."""

from __future__ import annotations

from collections.abc import Callable

from crosswind.report.content import ReportContent
from crosswind.report.parts import Section


def page_sections(content: ReportContent) -> list[Section]:
    """The sections of a report in reading order: the answer first, then what it rests on, then how it came about."""
    from crosswind.report.sections.attack_curves import attack_section
    from crosswind.report.sections.audited import audit_section
    from crosswind.report.sections.benchmarks import benchmark_section
    from crosswind.report.sections.citing import citing_section
    from crosswind.report.sections.curves import curve_section
    from crosswind.report.sections.defences import defence_section
    from crosswind.report.sections.examples import example_section
    from crosswind.report.sections.forest import forest_section
    from crosswind.report.sections.gaps import gap_section
    from crosswind.report.sections.heatmap import heatmap_section
    from crosswind.report.sections.judged import claims_section
    from crosswind.report.sections.languages import language_section
    from crosswind.report.sections.left_out import left_out_section
    from crosswind.report.sections.made import made_section
    from crosswind.report.sections.matrix import matrix_section
    from crosswind.report.sections.means import means_section
    from crosswind.report.sections.natural import natural_section
    from crosswind.report.sections.remarks import remark_section
    from crosswind.report.sections.selections import selection_section
    from crosswind.report.sections.tested import contrast_section

    makers: tuple[Callable[[ReportContent], Section | None], ...] = (
        forest_section,
        matrix_section,
        curve_section,
        heatmap_section,
        gap_section,
        selection_section,
        natural_section,
        attack_section,
        defence_section,
        claims_section,
        audit_section,
        contrast_section,
        means_section,
        example_section,
        benchmark_section,
        language_section,
        left_out_section,
        remark_section,
        made_section,
        citing_section,
    )
    return [section for make in makers if (section := make(content)) is not None]
