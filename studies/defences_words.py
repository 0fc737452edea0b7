"""Lists of words of the microworld for the input defence `correct`: those of training sentences, with their counts.

    python studies/defences_words.py DIR

No test sentence is among them (docs/microworld.md); a word that is not may be a name of tests, as in real text.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from crosswind.data.examples import TaggingExample
from crosswind.data.source import open_source
from crosswind.perturb.words import base_language
from crosswind.tasks.base import TASKS
from crosswind.tasks.load import load

SENTENCES = 4_000  # of each language


def main(folder: Path, sentences: int = SENTENCES) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    task, source = TASKS["mw-pos"], open_source({"source": "microworld"})
    for language in task.languages:
        counts: Counter[str] = Counter()
        for example in load(task, language, "train", source, limit=sentences).examples:
            assert isinstance(example, TaggingExample)
            counts.update(word.lower() for word in example.words if any(map(str.isalpha, word)))
        lines = [f"{word}\t{count}\n" for word, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
        (folder / f"{base_language(language)}.txt").write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
