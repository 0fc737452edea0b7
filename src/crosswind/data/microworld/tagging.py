"""Tagging: parts of speech and names of single sentences.

No sentence stands in two splits, nor with its translation in the corpora: statements have their bucket,
and of somebody without a name, as in all questions and joined clauses here, the corpora never speak.
"""

from __future__ import annotations

from crosswind.data.examples import TaggingExample
from crosswind.data.microworld import scenes, world
from crosswind.data.microworld.corpora import belongs
from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.frames import Clause, Frame, Joined, Noun
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.render import Renderer

TAGS = ("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "NOUN", "NUM", "PART", "PRON", "PROPN", "PUNCT", "SCONJ", "VERB")
ENTITIES = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
_NAMED = ("origin", "work", "gift", "origin", "work", "quality", "deed")


def sentence(draw: WorldDraw, split: str, kinds: tuple[str, ...] = scenes.THEME_KINDS) -> Frame:
    """A sentence of any sort that belongs to a split: a statement, a question, two clauses."""
    while True:
        frame = _sentence(draw, split, kinds)
        if belongs(frame, split):
            return frame


def _sentence(draw: WorldDraw, split: str, kinds: tuple[str, ...]) -> Frame:
    theme = scenes.theme(draw, split, draw.pick(kinds))
    one, two = scenes.people(draw, split, 2)
    clause = scenes.styled(draw, theme.say(one, theme.draw(draw)))
    sort = draw.random()
    if sort < 0.15:
        asks = [role for role in theme.asks if role != "subject"]
        return scenes.asking(_anonymous(draw, clause), draw.pick((*asks, "whether")))
    if sort < 0.3:
        second = scenes.styled(draw, theme.say(two, theme.draw(draw)))._replace(fronted=False)
        return Joined(_anonymous(draw, clause), "and", second)
    if sort < 0.4 and kinds is scenes.THEME_KINDS:
        return scenes.because(draw, draw.pick(world.CIRCLES), draw.below(4), one)
    clause = clause._replace(negative=draw.chance(0.2))
    return _anonymous(draw, clause) if kinds is scenes.THEME_KINDS and draw.chance(0.4) else clause


def _anonymous(draw: WorldDraw, clause: Clause) -> Clause:
    """Of somebody without a name: a baker, the old sailor; of what is somebody's: of nobody's."""
    subject = clause.subject
    if isinstance(subject, Noun):
        return clause._replace(subject=subject._replace(owner=None, known=True))
    quality = draw.pick(("old", "")) if draw.chance(0.5) else ""
    return clause._replace(subject=Noun(draw.pick(world.PROFESSIONS), quality, known=draw.chance(0.7)))


def pos(seed: int, split: str, index: int) -> Item:
    """Universal part-of-speech tags."""
    return _tagged(f"mw-pos/{split}/{index}", sentence(WorldDraw("pos", seed, split, index), split), 1)


def ner(seed: int, split: str, index: int) -> Item:
    """Persons, places and organisations, IOB2."""
    frame = sentence(WorldDraw("ner", seed, split, index), split, _NAMED)
    return _tagged(f"mw-ner/{split}/{index}", frame, 2)


def _tagged(item: str, frame: Frame, column: int) -> Item:
    def render(words: Renderer) -> TaggingExample:
        written = words.words_of(frame)
        forms, tags = tuple(w.form for w in written), tuple(w[column] for w in written)
        return TaggingExample(item, item, words.language.code, forms, tags)

    return render
