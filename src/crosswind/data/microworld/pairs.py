"""Pairs: inference and paraphrase.

A premise and what is said of it are drawn before the label; the label then decides only which of the
exchangeable people and values are put together. So neither text alone tells the label.
"""

from __future__ import annotations

from typing import Any

from crosswind.data.examples import PairExample
from crosswind.data.microworld import scenes, world
from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.frames import Clause, Joined, Noun, PersonName, Quality
from crosswind.data.microworld.item import Item
from crosswind.data.microworld.render import Renderer, renderer
from crosswind.data.microworld.scenes import Theme

_ENTAILMENT, _NEUTRAL, _CONTRADICTION = range(3)
_DIFFERENT, _PARAPHRASE = range(2)


def nli(seed: int, split: str, index: int) -> Item:
    """A premise of two sentences; every premise has three hypotheses, one of each label."""
    group, within = divmod(index, 3)
    draw = WorldDraw("nli", seed, split, group)
    order = draw.shuffled((_ENTAILMENT, _NEUTRAL, _CONTRADICTION))
    cast = scenes.people(draw, split, 3)
    theme = scenes.theme(draw, split, draw.pick(scenes.THEME_KINDS))
    values = theme.opposed(draw, 3) if theme.opposites else theme.values(draw, 3)
    signs = [draw.chance(0.5) for _ in range(2)] if not theme.functional else [False, False]
    facts = [theme.say(cast[i], values[i])._replace(negative=signs[i]) for i in range(2)]
    premise = tuple(scenes.styled(draw, clause) for clause in draw.shuffled(facts))
    of_item = WorldDraw("nli hypothesis", seed, split, index)
    hypothesis = scenes.styled(of_item, _claim(of_item, theme, order[within], cast, values, signs))
    item, cluster = f"mw-nli/{split}/{index}", f"mw-nli/{split}/p{group}"

    def render(words: Renderer) -> PairExample:
        first, second = words.text(premise), words.text([hypothesis])
        return PairExample(item, cluster, words.language.code, first, second, order[within])

    return render


def _claim(
    draw: WorldDraw, theme: Theme, label: int, cast: list[PersonName], values: list[Any], signs: list[bool]
) -> Clause:
    """What is claimed of one of the first two people, of whom the premise speaks, or of the third.

    A value that is not the person's own contradicts it if one has one value at a time, and is
    neutral otherwise; so is what is said of the third. Deeds are contradicted by their denial, states
    and qualities by their opposites.
    """
    mine = draw.below(2)
    others = (1 - mine, 2)
    if label == _ENTAILMENT:
        return theme.say(cast[mine], values[mine])._replace(negative=signs[mine])
    if label == _CONTRADICTION:
        if theme.opposites is not None:
            return theme.say(cast[mine], theme.opposites[values[mine]])
        if theme.functional:
            return theme.say(cast[mine], values[draw.pick(others)])
        return theme.say(cast[mine], values[mine])._replace(negative=not signs[mine])
    negative = not theme.functional and draw.chance(0.5)
    exclusive = theme.functional and theme.opposites is None
    if exclusive or draw.chance(0.5):
        return theme.say(cast[2], draw.pick(values))._replace(negative=negative)
    return theme.say(cast[mine], values[draw.pick(others)])._replace(negative=negative)


def paraphrase(seed: int, split: str, index: int) -> Item:
    """Two sentences with nearly the same words; every first sentence has a partner of each label."""
    group, within = divmod(index, 2)
    draw = WorldDraw("paraphrase", seed, split, group)
    label = draw.shuffled((_DIFFERENT, _PARAPHRASE))[within]
    english = renderer("en")
    while True:
        cast = scenes.people(draw, split, 2)
        first, same, other = draw.pick((_converse, _compared, _exchanged, _revalued))(draw, cast, split)
        if english.text([first]) != english.text([same]):
            break
    item, cluster = f"mw-paraphrase/{split}/{index}", f"mw-paraphrase/{split}/p{group}"
    second = same if label == _PARAPHRASE else other

    def render(words: Renderer) -> PairExample:
        return PairExample(item, cluster, words.language.code, words.text([first]), words.text([second]), label)

    return render


_Three = tuple[Clause | Joined, Clause | Joined, Clause | Joined]
"""A sentence, one that says the same, one that does not."""


def _converse(draw: WorldDraw, cast: list[PersonName], bank: str) -> _Three:
    """A sells to B: B buys from A, but not: A buys from B, nor: B sells to A."""
    verb, relation = draw.pick([side for c in world.CONVERSES for side in (c[:2], c[2:])])
    noun = Noun(world.objects("sell").by(draw))
    return _sides(draw, scenes.styled(draw, Clause(verb, cast[0], noun, ((relation, cast[1]),))))


def _compared(draw: WorldDraw, cast: list[PersonName], bank: str) -> _Three:
    """A is older than B: B is younger than A, but not: A is younger than B, nor: B is older than A."""
    quality = draw.pick([q for pair in world.COMPARISONS for q in pair])
    return _sides(draw, Clause("be", cast[0], Quality(quality), (("than", cast[1]),), past=False))


def _sides(draw: WorldDraw, first: Clause) -> _Three:
    same = scenes.otherwise(draw, first)
    wrong = scenes.exchanged(draw.pick((first, same)))
    return first, same, wrong._replace(other=same.other, fronted=same.fronted)


def _exchanged(draw: WorldDraw, cast: list[PersonName], bank: str) -> _Three:
    """A did this and B did that: B did that and A did this."""
    theme = scenes.theme(draw, bank, draw.pick(("deed", "whereabouts", "state", "job", "count")))
    values, styles = theme.values(draw, 2), [draw.chance(0.5), draw.chance(0.5)]
    a, b = cast

    def says(x: Any, y: Any, turned: bool, style: bool) -> Joined:
        both = [theme.say(a, x)._replace(other=style), theme.say(b, y)._replace(other=style)]
        return Joined(both[turned], "and", both[not turned])

    turned, again = draw.chance(0.5), draw.chance(0.5)
    x, y = values
    return says(x, y, turned, styles[0]), says(x, y, again, styles[1]), says(y, x, again, styles[1])


def _revalued(draw: WorldDraw, cast: list[PersonName], bank: str) -> _Three:
    """The same in other words, or another thing, place, number or person."""
    english = renderer("en")
    theme = scenes.theme(draw, bank, draw.pick(scenes.THEME_KINDS))
    while True:
        values = theme.values(draw, 2)
        # Who finds two words for the one value finds them for the other: only what differs is kept (`paraphrase`).
        said = [theme.say(cast[0], value) for value in values]
        first_words, second_words = ({english.text([c._replace(other=other)]) for other in (False, True)} for c in said)
        if len(first_words) == len(second_words):
            break
    wrong = (cast[1], values[0]) if draw.chance(0.3) else (cast[0], values[1])
    first = scenes.styled(draw, theme.say(cast[0], values[0]))
    style = scenes.styled(draw, first)

    def says(who: PersonName, value: Any) -> Clause:
        return theme.say(who, value)._replace(other=style.other, fronted=style.fronted)

    return first, says(cast[0], values[0]), says(*wrong)
