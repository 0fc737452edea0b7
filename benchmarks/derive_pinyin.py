"""Derive `families/input_methods/pinyin.json`: the characters that a pinyin input method offers for a syllable.

    pip install pypinyin==0.55.0
    python benchmarks/derive_pinyin.py > src/crosswind/perturb/families/input_methods/pinyin.json

The readings are those of pypinyin 0.55.0 (MIT; from pinyin-data, MIT), the first of each character, without tone. The
characters are those of level 1 of GB 2312-1980 (simplified, 3,755 by frequency of use) and of Big5 (traditional).
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict

from pypinyin import Style, pinyin


def level_one(codec: str, first: range, second: range) -> list[str]:
    """The characters of the two-byte codes of a character set's first level, in its order."""
    chars = []
    for high in first:
        for low in second:
            try:
                chars.append(bytes((high, low)).decode(codec))
            except UnicodeDecodeError:
                continue
    return [c for c in chars if unicodedata.name(c, "").startswith("CJK UNIFIED")]


def main() -> None:
    gb = level_one("gb2312", range(0xB0, 0xD8), range(0xA1, 0xFF))
    big5 = level_one("big5", range(0xA4, 0xC7), range(0x40, 0xFF))[:5401]
    table: dict[str, dict[str, str]] = {}
    for script, chars in (("Hans", gb), ("Hant", big5)):
        syllables: defaultdict[str, str] = defaultdict(str)
        for char in chars:
            syllables[pinyin(char, style=Style.NORMAL, v_to_u=False)[0][0]] += char
        table[script] = dict(sorted(syllables.items()))
    print(json.dumps(table, ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
