"""Text that can do nothing on a page but be read: what a reader cannot see is written out, what is too long is cut."""

from __future__ import annotations

import unicodedata

LONGEST_TEXT = 1200
"""Characters of one text of a table or sentence; the files beside the page have all of it."""

JOINERS = "\u200c\u200d"
"""Zero-width (non-)joiners, which scripts need to be written right."""
# Format, control, surrogate, private and unassigned characters; separators of lines and paragraphs.
_UNSEEN = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_unseen(character: str) -> bool:
    """Whether a character shows nothing, or changes how others are shown; joiners are part of how words are written."""
    return character not in JOINERS and unicodedata.category(character) in _UNSEEN


def code_point(character: str) -> str:
    """How a character that cannot be seen is written: `⟨U+202E⟩`."""
    return f"⟨U+{ord(character):04X}⟩"


def inert(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text with unseen characters written out, without its middle where it is longer than `longest` characters.

    Line breaks become blanks. Markup is escaped by whoever writes the page.
    """
    if len(text) > longest:
        half = longest // 2
        text = f"{text[:half]} … {text[-half:]} ({len(text):,} characters)"
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if c in "\n\t" else code_point(c) if is_unseen(c) or c in "\ufffe\uffff" else c for c in text)


def slug(text: str) -> str:
    """A text as the name of an anchor or a file: letters, digits, `-` and `_` of ASCII; others become `-`."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in text)[:80] or "-"


def wide(text: str) -> float:
    """The width of a text in a sans-serif font, in ems: an estimate, for the layout of figures."""
    return sum(_width(c) for c in text)


def _width(character: str) -> float:
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in "WF":
        return 1.0
    if character in "mwMW%@—…":
        return 0.95
    return 0.38 if character in "iljtfrI.,:;|'!()[] " else 0.72 if character.isupper() else 0.62


def shortened(text: str, most: float) -> str:
    """A text of at most so many ems, an ellipsis at its end where it was cut."""
    text = inert(text)
    if wide(text) <= most:
        return text
    kept = ""
    for character in text:
        if wide(kept) + _width(character) > most - 0.9:
            break
        kept += character
    return kept.rstrip() + "…"
