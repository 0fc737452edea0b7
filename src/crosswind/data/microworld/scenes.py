"""Scenes: facts about a few people, and what can be asked of them.

A theme is one thing that is said of several people, each with another value (who bought what, who
was where on Monday). Its values are drawn independently and again until all differ, so that they are
exchangeable: which of them belongs to whom can be told from the text that says so and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from crosswind.data.microworld import names, world
from crosswind.data.microworld.draws import WorldDraw
from crosswind.data.microworld.frames import Clause, Joined, Noun, PersonName, Phrase, Pronoun, Quality

FULL_NAMES = 0.25  # share of people with a family name


class Deed(NamedTuple):
    """What somebody did it to, and where ("" if that is not said)."""

    noun: str
    quality: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Theme:
    """`say` makes a clause of a person and a value; `asks` are the roles that can be asked for.

    `functional`: one has one value at a time, so another one contradicts; where there are `opposites`
    only the opposite does. `draw` gives one value, values differ by their `key`.
    """

    kind: str
    say: Callable[[PersonName, Any], Clause]
    draw: Callable[[WorldDraw], Any]
    asks: tuple[str, ...]
    functional: bool = True
    opposites: Mapping[str, str] | None = None
    key: Callable[[Any], Any] = lambda value: value

    def values(self, draw: WorldDraw, n: int) -> list[Any]:
        """`n` values that all differ."""
        while True:
            values = [self.draw(draw) for _ in range(n)]
            if len({self.key(value) for value in values}) == n:
                return values

    def opposed(self, draw: WorldDraw, n: int) -> list[str]:
        """`n` values of different pairs of opposites; either of a pair is as likely."""
        opposites = self.opposites or {}
        while True:
            values = [self.draw(draw) for _ in range(n)]
            if len({frozenset((v, opposites.get(v, v))) for v in values if v in opposites}) == n:
                return values


def people(draw: WorldDraw, bank: str, n: int, full: float = FULL_NAMES) -> list[PersonName]:
    """`n` people with different given names, a share of them with family names."""
    return [
        PersonName("PER", (given, draw.pick(names.stems(bank))) if draw.chance(full) else (given,))
        for given in draw.distinct(names.given_names(bank), n)
    ]


def theme(draw: WorldDraw, bank: str, kind: str) -> Theme:
    """A theme of a kind, its particulars (verb, day, noun) drawn."""
    return THEMES[kind](draw, bank)


def _known(name: str) -> Noun:
    return Noun(name, known=True)


def _deed(draw: WorldDraw, bank: str) -> Theme:
    verb = world.doings().by(draw)
    return deed(draw, verb)


def deed(draw: WorldDraw, verb: str) -> Theme:
    """Who did something to what; places and qualities are said of all or of none."""
    day = draw.pick(world.DAYS) if draw.chance(0.5) else ""
    has_place, has_quality = draw.chance(0.4), draw.chance(0.4)
    past = bool(day) or draw.chance(0.7)

    def say(person: PersonName, value: Deed) -> Clause:
        adjuncts: list[tuple[str, Phrase]] = []
        if value.place:
            adjuncts.append(("in", _known(value.place)))
        if day:
            adjuncts.append(("on", Noun(day)))
        return Clause(verb, person, Noun(value.noun, value.quality), tuple(adjuncts), past=past)

    def value(draw: WorldDraw) -> Deed:
        noun = world.objects(verb).by(draw)
        quality = world.qualities(noun).by(draw) if has_quality else ""
        return Deed(noun, quality, world.places(verb).by(draw) if has_place else "")

    asks = ("object", "subject", "in") if has_place else ("object", "subject")
    return Theme("deed", say, value, asks, functional=False, key=lambda v: v.noun)


def _gift(draw: WorldDraw, bank: str) -> Theme:
    verb, relation = draw.pick([side for c in world.CONVERSES for side in ((c[0], c[1]), (c[2], c[3]))])
    # By the family name, so that it is nobody of the cast.
    other = PersonName("PER", (draw.pick(names.stems(bank)),))

    def say(person: PersonName, value: str) -> Clause:
        return Clause(verb, person, Noun(value), ((relation, other),))

    return Theme("gift", say, world.objects("sell").by, ("object", "subject"), functional=False)


def _whereabouts(draw: WorldDraw, bank: str) -> Theme:
    return whereabouts(draw.pick(world.DAYS))


def whereabouts(day: str) -> Theme:
    """Who was where on a day."""

    def say(person: PersonName, value: str) -> Clause:
        return Clause("be", person, None, (("in", _known(value)), ("on", Noun(day))))

    return Theme("whereabouts", say, lambda d: d.pick(world.PLACES), ("in", "subject"))


def _count(draw: WorldDraw, bank: str) -> Theme:
    noun = draw.pick(world.NOUNS)

    def say(person: PersonName, value: str) -> Clause:
        return Clause("have", person, Noun(noun, number=value), past=False)

    return Theme("count", say, lambda d: d.pick(world.NUMBERS), ("count", "subject"))


def _quality(draw: WorldDraw, bank: str) -> Theme:
    noun = draw.pick(world.NOUNS)

    def say(person: PersonName, value: str) -> Clause:
        return Clause("be", Noun(noun, owner=person), Quality(value), past=False)

    return Theme("quality", say, world.qualities(noun).by, ("object",), opposites=world.OPPOSITES)


def _state(draw: WorldDraw, bank: str) -> Theme:
    def say(person: PersonName, value: str) -> Clause:
        return Clause("be", person, Quality(value))

    return Theme("state", say, lambda d: d.pick(world.STATES), ("object", "subject"), opposites=world.OPPOSITE_STATE)


def _job(draw: WorldDraw, bank: str) -> Theme:
    def say(person: PersonName, value: str) -> Clause:
        return Clause("be", person, Noun(value), past=False)

    return Theme("job", say, lambda d: d.pick(world.PROFESSIONS), ("object", "subject"))


def _origin(draw: WorldDraw, bank: str) -> Theme:
    def say(person: PersonName, value: PersonName) -> Clause:
        return Clause("come", person, None, (("from", value),), past=False)

    return Theme("origin", say, lambda d: PersonName("LOC", (d.pick(names.stems(bank)),)), ("from", "subject"))


def _work(draw: WorldDraw, bank: str) -> Theme:
    def say(person: PersonName, value: PersonName) -> Clause:
        return Clause("work", person, None, (("for", value),), past=False)

    def value(draw: WorldDraw) -> PersonName:
        return PersonName("ORG", (draw.pick(names.stems(bank)),), draw.pick(world.FIRMS))

    return Theme("work", say, value, ("for", "subject"))


THEMES: dict[str, Callable[[WorldDraw, str], Theme]] = {
    "deed": _deed,
    "gift": _gift,
    "whereabouts": _whereabouts,
    "count": _count,
    "quality": _quality,
    "state": _state,
    "job": _job,
    "origin": _origin,
    "work": _work,
}
THEME_KINDS: tuple[str, ...] = tuple(THEMES)
_CONVERSE = {
    pair: back for c in world.CONVERSES for pair, back in ((c[:2], c[2:]), (c[2:], c[:2]))
}  # fmt: skip
_CONTRARY = {a: b for pair in world.COMPARISONS for a, b in (pair, pair[::-1])}
_OFTEN = (*THEME_KINDS, "deed", "deed", "deed", "whereabouts")


@dataclass(frozen=True, slots=True)
class Fact:
    """A clause with what it says of whom."""

    theme: Theme
    person: PersonName
    value: Any
    clause: Clause


def facts(draw: WorldDraw, bank: str, cast: Sequence[PersonName], themes: int, each: int) -> list[list[Fact]]:
    """Different themes, each about `each` of the people."""
    groups: list[list[Fact]] = []
    seen: set[str] = set()
    while len(groups) < themes:
        about = theme(draw, bank, draw.pick(_OFTEN))
        verb = about.say(cast[0], about.draw(draw)).verb
        if verb + about.kind in seen or about.kind in seen:
            continue
        seen |= {verb + about.kind} if about.kind == "deed" else {about.kind}
        values = about.values(draw, each)
        groups.append([
            Fact(about, person, value, about.say(person, value))
            for person, value in zip(draw.distinct(cast, each), values, strict=True)
        ])  # fmt: skip
    return groups


def styled(draw: WorldDraw, clause: Clause) -> Clause:
    """The same said another way: second words for things, where and when put first."""
    return clause._replace(other=draw.chance(0.5), fronted=bool(clause.adjuncts) and draw.chance(0.3))


def otherwise(draw: WorldDraw, clause: Clause) -> Clause:
    """The same said from the other side, where the language has a word for that; else in another style."""
    if clause.negative or not clause.adjuncts:
        return styled(draw, clause)
    (relation, other), *rest = clause.adjuncts
    if isinstance(other, PersonName) and isinstance(clause.object, Noun) and (clause.verb, relation) in _CONVERSE:
        verb, back = _CONVERSE[clause.verb, relation]
        adjuncts = ((back, clause.subject), *rest)
        return styled(draw, clause._replace(verb=verb, subject=other, adjuncts=adjuncts, fronted=False))
    if relation == "than" and isinstance(clause.object, Quality):
        less = Quality(_CONTRARY[clause.object.concept])
        return clause._replace(subject=other, object=less, adjuncts=(("than", clause.subject),))
    return styled(draw, clause)


def exchanged(clause: Clause) -> Clause:
    """Who does or is it, and the one to whom, from whom or than whom, change places."""
    (relation, other), *rest = clause.adjuncts
    return clause._replace(subject=other, adjuncts=((relation, clause.subject), *rest))


def asking(clause: Clause, role: str) -> Clause:
    """The clause as a question for one of its roles."""
    return clause._replace(asked=role, fronted=False)


def happening(
    draw: WorldDraw, circle: tuple[str, str, str, str], position: int, who: PersonName | Pronoun, *, past: bool
) -> Clause:
    """What stands at a position of a circle of causes, of someone: a state, or what one does in it."""
    concept = circle[position % 4]
    if position % 2 == 0:
        return Clause("be", who, Quality(concept), past=past)
    if concept in world.INTRANSITIVE:
        return Clause(concept, who, past=past)
    return Clause(concept, who, Noun(world.objects(concept).by(draw)), past=past)


def because(draw: WorldDraw, circle: tuple[str, str, str, str], position: int, who: PersonName) -> Joined:
    """A happening and the next one of its circle, as cause or as consequence."""
    past = draw.chance(0.7)
    if draw.chance(0.5):
        effect = happening(draw, circle, position + 1, who, past=past)
        return Joined(effect, "because", happening(draw, circle, position, Pronoun(), past=past))
    cause = happening(draw, circle, position, who, past=past)
    return Joined(cause, "so", happening(draw, circle, position + 1, Pronoun(), past=past))
