"""Sentence retrieval: English sentences look for their translations."""

from __future__ import annotations

from crosswind.data.microworld.draws import Draw
from crosswind.data.microworld.frames import Frame, Joined
from crosswind.data.microworld.render import renderer
from crosswind.data.microworld.tagging import sentence
from crosswind.data.retrieval import pair_content
from crosswind.data.source import Content

ENGLISH = "en"


def plain(frame: Frame) -> Frame:
    """What a sentence says, whatever its wording."""
    if isinstance(frame, Joined):
        first, second = (clause._replace(other=False, fronted=False) for clause in (frame.first, frame.second))
        return Joined(first, frame.link, second)
    return frame._replace(other=False, fronted=False)


def translations(seed: int, split: str, size: int, language: str) -> Content:
    """`size` different sentences in English as queries and in `language` as the pool."""
    draw = Draw("translations", seed, split)
    found: dict[Frame, Frame] = {}
    while len(found) < size:
        frame = sentence(draw, split)
        # What differs in wording alone would have two right answers.
        found.setdefault(plain(frame), frame)
    queries, pool = (renderer(code) for code in (ENGLISH, language))
    pairs = [(queries.text([frame]), pool.text([frame])) for frame in found.values()]
    return pair_content(pairs, f"mw-sentences/{split}", ENGLISH, language)
