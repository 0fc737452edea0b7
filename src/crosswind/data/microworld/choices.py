"""Choices: causes and effects, how a story goes on, and reading.

Alternatives are drawn alike; context and question decide which of them is right.
"""

from __future__ import annotations

from crosswind.data.examples import ChoiceExample
from crosswind.data.microworld import scenes, world
from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.frames import Clause, Pronoun
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.render import Renderer

ENDINGS = 4
STATEMENTS = 3  # to choose from
READERS = 2  # people, and examples, of one text


def causes(seed: int, split: str, index: int) -> Item:
    """What made something happen, or what came of it: a happening between its cause and its effect.

    Every item has a twin that asks for the other one. The two alternatives change places where the
    happening is the opposite one of the circle, so that all three fields are needed.
    """
    group, within = divmod(index, 2)
    draw = WorldDraw("causes", seed, split, group)
    who, circle, position = scenes.people(draw, split, 1)[0], draw.pick(world.CIRCLES), draw.below(4)
    past = draw.chance(0.7)
    happened = scenes.happening(draw, circle, position, who, past=past)._replace(other=draw.chance(0.5))
    around = [scenes.happening(draw, circle, position + turn, Pronoun(), past=past) for turn in (-1, 1)]
    around = [clause._replace(other=draw.chance(0.5)) for clause in around]
    order = draw.shuffled((0, 1))
    asked = draw.shuffled((0, 1))[within]
    item, cluster = f"mw-causes/{split}/{index}", f"mw-causes/{split}/p{group}"

    def render(words: Renderer) -> ChoiceExample:
        context, choices = words.text([happened]), tuple(words.text([around[i]]) for i in order)
        question = words.asked(("because", "so")[asked])
        return ChoiceExample(item, cluster, words.language.code, context, question, choices, order.index(asked))

    return render


def completion(seed: int, split: str, index: int) -> Item:
    """How a story goes on: two stories are begun, and one of four endings goes on with the one asked for last."""
    draw = WorldDraw("completion", seed, split, index)
    cast = scenes.people(draw, split, 2)
    circles = draw.distinct(world.CIRCLES, ENDINGS)
    position, past = draw.below(4), draw.chance(0.7)
    begun: list[Clause] = []
    for who, circle in zip(cast, circles[:2], strict=True):
        begun += [scenes.happening(draw, circle, position + turn, who, past=past) for turn in (0, 1)]
    order = draw.shuffled(range(ENDINGS))
    # Both stories have their next happening among the endings: the name tells which is meant.
    asked = draw.below(2)
    ends = [scenes.happening(draw, circle, position + 2, cast[asked], past=past) for circle in circles]
    item = f"mw-completion/{split}/{index}"

    def render(words: Renderer) -> ChoiceExample:
        choices = tuple(words.text([ends[i]]) for i in order)
        return ChoiceExample(item, item, words.language.code, words.text(begun), "", choices, order.index(asked))

    return render


def reading(seed: int, split: str, index: int) -> Item:
    """Which of three statements a text makes; the two others say what it says of nobody."""
    group, within = divmod(index, READERS)
    draw = WorldDraw("reading", seed, split, group)
    cast = scenes.people(draw, split, READERS)
    theme = scenes.theme(draw, split, draw.pick(scenes.THEME_KINDS))
    values = theme.values(draw, READERS + STATEMENTS - 1)
    statements = [scenes.styled(draw, theme.say(who, value)) for who, value in zip(cast, values, strict=False)]
    said, other = draw.shuffled(statements), draw.chance(0.5)
    asked = draw.shuffled(range(READERS))[within]
    of_item = WorldDraw("reading choices", seed, split, index)
    choices = of_item.shuffled([values[asked], *values[READERS:]])
    claims = [theme.say(cast[asked], value)._replace(other=other) for value in choices]
    item, cluster = f"mw-reading/{split}/{index}", f"mw-reading/{split}/p{group}"
    label = choices.index(values[asked])

    def render(words: Renderer) -> ChoiceExample:
        rendered = tuple(words.text([claim]) for claim in claims)
        return ChoiceExample(item, cluster, words.language.code, words.text(said), "", rendered, label)

    return render
