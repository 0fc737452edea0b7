"""Raw and parallel text for masked- and translation-LM training.

A document says a few things about a few people, says some of them again in other words, and asks
what it has said: what is masked can often be looked up. Line `i` depends on the seed and `i` alone,
so that any part of a corpus can be had without the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crosswind.data.examples import ParallelLine, TextLine
from crosswind.data.microworld import scenes, world
from crosswind.data.microworld.draws import WorldDraw, number
from crosswind.data.microworld.frames import Answer, Clause, Frame, Joined, PersonName, Quality, plain
from crosswind.data.microworld.lazy import Lazy
from crosswind.data.microworld.render import RenderedPiece, Renderer, renderer

LINES = 60_000  # of each language, unless the size is set
DENIED = 0.15  # share of what is said that is said not to be
WHETHER = 0.15  # share of the questions about deeds and gifts that ask for yes or no
BUCKETS = {"corpora": range(6), "train": range(6, 7), "dev": range(7, 8), "test": range(8, 9), "test2": range(9, 10)}


def belongs(frame: Frame, split: str) -> bool:
    """Whether a single sentence may stand in a split (or in the corpora): each meaning belongs to one."""
    return number("bucket", plain(frame)) % 10 in BUCKETS[split]


def documents(languages: Sequence[str], seed: int, size: int) -> Sequence[TextLine]:
    """`size` documents of each language, language by language; languages tell different things."""

    def make(index: int) -> TextLine:
        code, row = languages[index // size], index % size
        draw = WorldDraw("text", seed, code, row)
        return TextLine(f"mw-text/{seed}/{code}-{row}", code, _written(renderer(code), document(draw)))

    return Lazy(size * len(languages), make)


def parallel(languages: Sequence[str], seed: int, size: int) -> Sequence[ParallelLine]:
    """`size` short passages, each in every language."""

    def make(row: int) -> ParallelLine:
        said = passage(WorldDraw("parallel", seed, row))
        texts = tuple((code, _written(renderer(code), said)) for code in languages)
        return ParallelLine(f"mw-parallel/{seed}/{row}", texts)

    return Lazy(size, make)


Said = list[Frame | Answer]


def document(draw: WorldDraw) -> Said:
    """Facts and stories about two or three people, with restatements, and questions and answers before or behind."""
    cast = scenes.people(draw, "all", 2 + draw.chance(0.5))
    if draw.chance(0.3):
        return story(draw, cast[:2])
    groups = scenes.facts(draw, "all", cast, 1 + draw.chance(0.4), len(cast))
    facts = draw.shuffled([f for group in groups for f in group])
    said: Said = [scenes.styled(draw, _signed(draw, f.clause)) for f in facts]
    clauses = [c for c in said if isinstance(c, Clause)]
    asked: Said = []
    if draw.chance(0.5):
        said.append(scenes.otherwise(draw, draw.pick(clauses)))
    if draw.chance(0.25):
        said[:2] = [_both(clauses[0], clauses[1])]
    if draw.chance(0.2):
        said.append(scenes.because(draw, draw.pick(world.CIRCLES), draw.below(4), draw.pick(cast)))
    if draw.chance(0.3):
        compared = _compared(draw, cast)
        said.append(compared)
        if draw.chance(0.3):
            said.append(scenes.otherwise(draw, compared))
        else:
            asked += _whether_compared(draw, compared)
    if draw.chance(0.35):
        for _ in range(4):
            asked += question(draw, draw.below(len(facts)), facts, clauses, whether=0.9)
    else:
        for which in draw.distinct(range(len(facts)), 2):
            asked += question(draw, which, facts, clauses)
    return [*asked, *said] if draw.chance(0.2) else [*said, *asked]


def passage(draw: WorldDraw) -> Said:
    """One to three sentences that are translated."""
    cast = scenes.people(draw, "all", 2)
    if draw.chance(0.3):
        while True:
            link = scenes.because(draw, draw.pick(world.CIRCLES), draw.below(4), cast[0])
            # The only single sentences of the corpora: the others are no example's whole text anyway.
            if belongs(link, "corpora"):
                return [link]
    while True:
        facts = scenes.facts(draw, "all", cast, 1, 2)[0]
        clauses = [scenes.styled(draw, _signed(draw, f.clause)) for f in facts]
        # No sentence of an example is translated here.
        if all(belongs(clause, "corpora") for clause in clauses):
            break
    kind = draw.random()
    if kind < 0.15:
        return [_compared(draw, cast), clauses[0]]
    if kind < 0.3:
        return [_both(*clauses), _compared(draw, cast)]
    if kind < 0.65:
        return [clauses[0], *question(draw, 0, facts, clauses)]
    return list(clauses)


def _both(first: Clause, second: Clause) -> Joined:
    return Joined(first, "and", second._replace(fronted=False))


def _compared(draw: WorldDraw, cast: Sequence[PersonName]) -> Clause:
    quality = draw.pick([q for pair in world.COMPARISONS for q in pair])
    return Clause("be", cast[0], Quality(quality), (("than", cast[1]),), past=False)


def story(draw: WorldDraw, cast: Sequence[PersonName]) -> Said:
    """What one thing leads to, for each of the people."""
    said: Said = []
    for who in cast:
        circle, start, past = draw.pick(world.CIRCLES), draw.below(4), draw.chance(0.7)
        for position in range(start, start + 2 + draw.chance(0.5)):
            if draw.chance(0.5):
                said.append(scenes.because(draw, circle, position, who))
            else:
                said.append(scenes.happening(draw, circle, position, who, past=past))
    return said


def question(
    draw: WorldDraw, which: int, facts: Sequence[scenes.Fact], clauses: Sequence[Clause], *, whether: float = 0.6
) -> Said:
    """A question about what was said, and its answer; one has to read to know whether it is yes or no."""
    fact, clause = facts[which], clauses[which]
    theme = fact.theme
    # Only what the text decides: of a deed that was not told, nobody knows whether it was done.
    if clause.negative or draw.chance(whether if theme.functional else WHETHER):
        value = fact.value
        if theme.functional and not clause.negative and draw.chance(0.5):
            value = _excluded(draw, fact, facts)
        asked = theme.say(fact.person, value)._replace(other=draw.chance(0.5))
        true = value == fact.value and not clause.negative
        return [scenes.asking(asked, "whether"), Answer(clause, "yes" if true else "no")]
    role = draw.pick(theme.asks)
    return [scenes.asking(clause, role), Answer(clause, role)]


def _excluded(draw: WorldDraw, fact: scenes.Fact, facts: Sequence[scenes.Fact]) -> Any:
    """A value that cannot hold beside a fact's: its opposite, another colour, or what was said of somebody else."""
    opposites = fact.theme.opposites
    if opposites is None:
        return draw.pick([f.value for f in facts if f.theme is fact.theme and f.value != fact.value])
    if fact.value in opposites:
        return opposites[fact.value]
    return draw.pick([colour for colour in world.COLOUR_WORDS if colour != fact.value])


def _whether_compared(draw: WorldDraw, compared: Clause) -> Said:
    """Whether the same holds, or the contrary of it, in either of its wordings."""
    true = draw.chance(0.5)
    asked = compared if true else scenes.exchanged(compared)
    if draw.chance(0.5):
        asked = scenes.otherwise(draw, asked)
    return [scenes.asking(asked, "whether"), Answer(compared, "yes" if true else "no")]


def _signed(draw: WorldDraw, clause: Clause) -> Clause:
    return clause._replace(negative=draw.chance(DENIED))


def _written(render: Renderer, said: Said) -> str:
    sentences: list[list[RenderedPiece]] = []
    for part in said:
        if isinstance(part, Answer):
            sentences.append(_answer(render, part))
        else:
            sentences.append(render.sentence(part))
    return render.laid_out(sentences)[0]


def _answer(render: Renderer, answer: Answer) -> list[RenderedPiece]:
    stop = render.sentence(answer.clause)[-1]
    if answer.role in ("yes", "no"):
        return [render.piece(answer.role), stop]
    return [p for p in render.sentence(answer.clause) if p.role == answer.role] + [stop]
