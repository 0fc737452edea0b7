"""Answers carried through a translation by marks around them, which a seq2seq model mostly keeps.

After "mark, then translate" (Chen et al. 2023, "Frustratingly Easy Label Projection for Cross-lingual Transfer",
section 3: square brackets are kept best by NLLB).
"""

from __future__ import annotations

from crosswind.data.examples import Span

MARKS = (("[", "]"), ("{", "}"), ("<", ">"), ("«", "»"))
"""Pairs of marks, the best first; a text takes the first pair of which it has neither."""

_CLOSING = ".,;:!?)]}%…’”»。，、；：！？）」』】〉》"


def marked(text: str, span: Span) -> tuple[str, tuple[str, str]] | None:
    """The text with marks around a span, and the marks; `None` where it has some of every pair itself."""
    for pair in MARKS:
        if pair[0] not in text and pair[1] not in text:
            opening, closing = pair
            return f"{text[: span.start]}{opening}{text[span.start : span.end]}{closing}{text[span.end :]}", pair
    return None


def unmarked(text: str, marks: tuple[str, str]) -> tuple[str, Span] | None:
    """A translation without its marks, and what stood between them; `None` unless each is there once, in order.

    Spaces that a model puts within the marks go outside, and no two come together.
    """
    opening, closing = marks
    if text.count(opening) != 1 or text.count(closing) != 1:
        return None
    before, rest = text.split(opening)
    if closing not in rest:
        return None
    inner, after = rest.split(closing)
    content = inner.strip()
    if not content:
        return None
    if inner[:1].isspace() and before and not before[-1].isspace():
        before += " "
    if inner[-1:].isspace() and after and not after[0].isspace() and after[0] not in _CLOSING:
        after = " " + after
    return before + content + after, Span(len(before), len(before) + len(content))
