"""Derive `families/input_methods/homophones.json`: what a Japanese input method may put in place of a word.

    pip download --no-deps janome==0.5.1; unzip janome-*.whl
    python benchmarks/derive_homophones.py janome/sysdic > src/crosswind/perturb/families/input_methods/homophones.json

The words are the nouns (名詞: 一般, サ変接続, 形容動詞語幹) of two to four Chinese characters in the dictionary
mecab-ipadic 2.7.0 (NAIST licence) as Janome 0.5.1 carries it, of each reading the six of lowest cost below 5,000.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections import defaultdict
from pathlib import Path

_KINDS = ("名詞,一般,*,*", "名詞,サ変接続,*,*", "名詞,形容動詞語幹,*,*")
_WORD = re.compile("[\u4e00-\u9fff々]{2,4}")
_COST, _MOST = 5000, 6


def main() -> None:
    folder = Path(sys.argv[1])
    by_reading: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for path in sorted(folder.glob("entries_compact*[0-9].py")):
        compact = ast.literal_eval(path.read_text(encoding="utf-8").removeprefix("DATA="))
        extra = path.with_name(path.name.replace("compact", "extra"))
        more = ast.literal_eval(extra.read_text(encoding="utf-8").removeprefix("DATA="))
        for number, (surface, _, _, cost) in compact.items():
            kind, _, _, _, reading, _ = more[number]
            if kind in _KINDS and cost < _COST and _WORD.fullmatch(surface):
                by_reading[reading].append((cost, surface))
    groups = []
    for _, words in sorted(by_reading.items()):
        best = list(dict.fromkeys(word for _, word in sorted(words)))[:_MOST]
        if len(best) > 1:
            groups.append(" ".join(best))
    print(json.dumps(groups, ensure_ascii=False, indent=0))


if __name__ == "__main__":
    main()
