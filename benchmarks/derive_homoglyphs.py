"""Derive `families/homoglyphs/similar.json`: letters that look alike, and how much alike they are when rendered.

    pip install freetype-py==2.5.1
    python benchmarks/derive_homoglyphs.py confusables.txt DejaVuSans.ttf > …/families/homoglyphs/similar.json

The pairs are the single steps of Unicode's confusables.txt 15.0.0 (source and prototype, each one letter); `pairs` in
`families/homoglyph.py` says which of them count. Their similarity is the overlap of the two glyphs of DejaVu Sans 2.37
(Bitstream Vera licence) at 96 pixels: the sum of the smaller grey values over that of the larger ones, glyphs on one
baseline with their left edges aligned. Of Arabic letters it is the least over the forms that they have (isolated,
final, initial, medial); a pair of which one lacks a form of the other is left out.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections import defaultdict
from pathlib import Path

import freetype  # type: ignore[import-not-found,unused-ignore]
import numpy as np

from crosswind.perturb.families.homoglyph import pairs

_SIZE, _CANVAS, _BASELINE = 96, 256, 160
_FORMS: dict[str, dict[str, str]] = defaultdict(dict)
for _code in range(0xFB50, 0xFF00):
    _kind, _, _letters = unicodedata.decomposition(chr(_code)).partition(" ")
    if _kind in ("<isolated>", "<final>", "<initial>", "<medial>") and len(_letters.split()) == 1:
        _FORMS[chr(int(_letters, 16))][_kind] = chr(_code)


def bitmap(face: freetype.Face, char: str) -> np.ndarray | None:  # type: ignore[type-arg]
    """The grey values of a glyph on a canvas; `None` if the font lacks it."""
    if not face.get_char_index(char):
        return None
    face.load_char(char, freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING)
    glyph = face.glyph.bitmap
    canvas = np.zeros((_CANVAS, _CANVAS))
    pixels = np.array(glyph.buffer, dtype=float).reshape(glyph.rows, glyph.pitch)[:, : glyph.width]
    top = _BASELINE - face.glyph.bitmap_top
    canvas[top : top + glyph.rows, : glyph.width] = pixels
    return canvas


def similarity(face: freetype.Face, a: str, b: str) -> float | None:
    """How much alike two letters are, from 0 to 1."""
    forms = [(a, b)]
    if _FORMS[a] or _FORMS[b]:
        if set(_FORMS[a]) != set(_FORMS[b]):
            return None
        forms = [(_FORMS[a][form], _FORMS[b][form]) for form in _FORMS[a]]
    least = 1.0
    for one, two in forms:
        x, y = bitmap(face, one), bitmap(face, two)
        if x is None or y is None or not x.any() or not y.any():
            return None
        least = min(least, float(np.minimum(x, y).sum() / np.maximum(x, y).sum()))
    return least


def main() -> None:
    face = freetype.Face(sys.argv[2])
    face.set_pixel_sizes(0, _SIZE)
    table: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for a, b in pairs(Path(sys.argv[1]).read_text(encoding="utf-8-sig").splitlines()):
        alike = similarity(face, a, b)
        if alike is not None and alike >= 0.5:
            table[a][b] = table[b][a] = round(alike, 3)
    ranked = {k: dict(sorted(others.items(), key=lambda o: (-o[1], o[0]))) for k, others in sorted(table.items())}
    lines = (f"{json.dumps(k, ensure_ascii=False)}: {json.dumps(v, ensure_ascii=False)}" for k, v in ranked.items())
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main()
