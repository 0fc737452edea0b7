"""Sentence retrieval: English sentences look for their translations."""

from __future__ import annotations

from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.frames import Frame, plain
from crosswind.data.microworld.render import renderer
from crosswind.data.microworld.tagging import sentence
from crosswind.data.retrieval import pair_content
from crosswind.data.source import Content

_ENGLISH = "en"


def sentence_pairs(seed: int, split: str, size: int, language: str) -> Content:
    """`size` different sentences in English as queries and in `language` as the pool."""
    draw = WorldDraw("translations", seed, split)
    frames: dict[Frame, Frame] = {}
    while len(frames) < size:
        frame = sentence(draw, split)
        # What is the same but for its wording would have two right answers.
        frames.setdefault(plain(frame), frame)
    queries, pool = (renderer(code) for code in (_ENGLISH, language))
    pairs = [(queries.text([frame]), pool.text([frame])) for frame in frames.values()]
    return pair_content(pairs, f"mw-sentences/{split}", _ENGLISH, language)
