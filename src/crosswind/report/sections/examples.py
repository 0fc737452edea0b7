"""The example browser: texts clean and perturbed side by side, edits marked, with what each model said."""

from __future__ import annotations

import unicodedata
from collections import Counter

from crosswind.report.content import ReportContent, StoredExample
from crosswind.report.differing import differing_runs, plain_runs
from crosswind.report.parts import ExampleField, Examples, ExampleSaid, PagePart, Prose, Section, ShownExample


def example_section(content: ReportContent) -> Section | None:
    """The sample that the run keeps."""
    sample = content.examples
    if not sample.items:
        return None
    number = len(sample.items)
    text = f"All {number:,} perturbed examples."
    if sample.of > number:
        text = f"A sample: {number:,} examples. The run has {sample.of:,} predictions of perturbed texts."
    remark = (
        "Left clean, right perturbed; what was taken out is struck through, what was put in is underlined. Characters"
        " that cannot be seen are written out, as ⟨U+202E⟩."
    )
    parts: list[PagePart] = [Prose(text)]
    parts += [Prose(note, soft=True) for note in sample.notes]
    parts += [Prose(remark, soft=True), Examples(tuple(map(shown_example, sample.items)))]
    return Section("examples", "Examples", tuple(parts))


def shown_example(stored: StoredExample) -> ShownExample:
    """An example cut into stretches that are the same and that differ."""
    fields = []
    for name, before, after in stored.fields:
        if after is None:
            fields.append(ExampleField(name, plain_runs(before), None, runs_from_right(before)))
        else:
            fields.append(ExampleField(name, *differing_runs(before, after), runs_from_right(before)))
    return ShownExample(
        id=stored.id,
        target=stored.target,
        language=stored.language,
        perturbation=stored.perturbation,
        condition=stored.condition,
        lang=stored.language if stored.language.replace("-", "").isalnum() else "",
        fields=tuple(fields),
        gold=stored.gold,
        said=tuple(ExampleSaid(*said) for said in stored.said),
    )


def runs_from_right(text: str) -> bool:
    """Whether most letters of a text are written from right to left (Unicode's bidirectional classes R and AL)."""
    classes = Counter(unicodedata.bidirectional(c) for c in text[:2000])
    return classes["R"] + classes["AL"] > classes["L"]
