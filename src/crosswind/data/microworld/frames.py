"""Meanings: what a clause says, in no language."""

from __future__ import annotations

from typing import NamedTuple


class PersonName(NamedTuple):
    """A proper name. `kind`: PER, LOC or ORG; `firm` is what an organisation is (`bank`)."""

    kind: str
    parts: tuple[str, ...]
    firm: str = ""

    def __repr__(self) -> str:
        """`Name(…)`: the split of a sentence is drawn from this text (`corpora.belongs`), so it stays as it was."""
        return f"Name(kind={self.kind!r}, parts={self.parts!r}, firm={self.firm!r})"


class Noun(NamedTuple):
    """A thing: its concept, a quality, a number, known or not, whose it is."""

    concept: str
    quality: str = ""
    number: str = ""
    known: bool = False
    owner: PersonName | None = None


class Pronoun(NamedTuple):
    """The person spoken of."""

    concept: str = "she"


class Quality(NamedTuple):
    """A predicate: an adjective, a state, a comparison."""

    concept: str


Phrase = PersonName | Noun | Pronoun | Quality


class Clause(NamedTuple):
    """Who does what: `verb` is a concept (`be` with a predicate as `object`).

    `adjuncts` are (relation, phrase): in, on, from, to, for, than. `asked` names what a question
    asks for: subject, object, count, a relation, or `whether`. `fronted` puts the adjuncts first, `other`
    takes the second words of concepts that have two.
    """

    verb: str
    subject: Phrase
    object: Phrase | None = None
    adjuncts: tuple[tuple[str, Phrase], ...] = ()
    negative: bool = False
    past: bool = True
    asked: str = ""
    fronted: bool = False
    other: bool = False


class Joined(NamedTuple):
    """Two clauses and what joins them: and, because, so."""

    first: Clause
    link: str
    second: Clause


Frame = Clause | Joined


class Answer(NamedTuple):
    """What answers the question before it: a role of a clause that was said, or yes or no."""

    clause: Clause
    role: str


def plain(frame: Frame) -> Frame:
    """What a sentence says, whatever its wording, without tense and definiteness, which not every language has."""
    if isinstance(frame, Joined):
        return Joined(_plain(frame.first), frame.link, _plain(frame.second))
    return _plain(frame)


def _plain(clause: Clause) -> Clause:
    asked = clause.asked
    bare = clause._replace(other=False, fronted=False, past=True, subject=_phrase(clause.subject, asked == "subject"))
    if clause.object is not None:
        object_ = _phrase(clause.object, asked == "object")
        if asked == "count" and isinstance(object_, Noun):
            object_ = object_._replace(number="")
        bare = bare._replace(object=object_)
    return bare._replace(adjuncts=tuple((role, _phrase(p, role == asked)) for role, p in clause.adjuncts))


def _phrase(phrase: Phrase, asked: bool) -> Phrase:
    """A phrase; of one that is asked for, a question says only what sort it is."""
    if asked:
        sort = f"Name {phrase.kind}" if isinstance(phrase, PersonName) else f"{type(phrase).__name__} "
        return Quality(sort)
    return phrase._replace(known=False) if isinstance(phrase, Noun) else phrase
