"""Rendering: a frame in a language, word by word with parts of speech, entities and roles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from crosswind.data.examples import Span
from crosswind.data.microworld import world
from crosswind.data.microworld.frames import Clause, Frame, Joined, Noun, PersonName, Phrase, Pronoun, Quality
from crosswind.data.microworld.language import Language
from crosswind.data.microworld.lexicon import CONCEPTS, Lexicon, lexicon


class Word(NamedTuple):
    """`entity` is its IOB2 tag."""

    form: str
    tag: str
    entity: str = "O"


class RenderedPiece(NamedTuple):
    """Words that stay together, as they are written, and their role in the clause (`object`, `in`, …)."""

    role: str
    words: tuple[Word, ...]
    text: str


_ASKING = {"subject": "who", "object": "what", "in": "where", "count": "how-many"}
_ALONE = frozenset({"in"})  # where needs no adposition
_DAYS, _NUMBERS = frozenset(world.DAYS), {n: str(i + 2) for i, n in enumerate(world.NUMBERS)}
_STOP, _ASK, _COMMA = (RenderedPiece("", (Word(mark, "PUNCT"),), mark) for mark in ".?,")


class Renderer:
    """Renders frames in one language; remembers the phrases it has built."""

    def __init__(self, language: Language, words: Lexicon) -> None:
        self.language, self.words = language, words
        self.space = " " if language.spaced else ""
        self._phrases: dict[tuple[Phrase, str, bool], tuple[RenderedPiece, ...]] = {}
        self._verbs: dict[tuple[str, bool, bool, bool, bool], tuple[list[RenderedPiece], list[RenderedPiece]]] = {}
        self._adjuncts: dict[tuple[str, Phrase, bool], list[RenderedPiece]] = {}

    def sentence(self, frame: Frame) -> list[RenderedPiece]:
        """The pieces of a sentence, its full stop or question mark last."""
        if isinstance(frame, Joined):
            # Either has one, so that the comma does not tell a cause from an effect.
            comma = [_COMMA] if frame.link in ("because", "so") else []
            link = self.piece(frame.link)
            return [*self._clause(frame.first), *comma, link, *self._clause(frame.second), _STOP]
        pieces = self._clause(frame)
        pieces.append(_ASK if frame.asked else _STOP)
        return pieces

    def text(self, frames: Iterable[Frame]) -> str:
        """Sentences one after the other."""
        return self.laid_out([self.sentence(frame) for frame in frames])[0]

    def words_of(self, frame: Frame) -> list[Word]:
        """The words of a sentence with their tags."""
        return [word for piece in self.sentence(frame) for word in piece.words]

    def laid_out(self, sentences: Sequence[Sequence[RenderedPiece]]) -> tuple[str, list[dict[str, Span]]]:
        """The text of sentences, and for each sentence the characters of every role."""
        parts: list[str] = []
        roles: list[dict[str, Span]] = []
        at = 0
        for pieces in sentences:
            spans: dict[str, Span] = {}
            space = " " if at else ""
            for piece in pieces:
                role, words, text = piece
                if words[0].tag == "PUNCT":
                    space = ""
                parts.append(space)
                parts.append(text)
                at += len(space) + len(text)
                space = self.space
                if role:
                    spans[role] = Span(at - len(text), at)
            roles.append(spans)
        return "".join(parts), roles

    def asked(self, concept: str) -> str:
        """A word as a question."""
        return self.laid_out([[self.piece(concept), _ASK]])[0]

    def piece(self, concept: str) -> RenderedPiece:
        """A word on its own."""
        return self._piece("", (self._word(concept),))

    def _piece(self, role: str, words: tuple[Word, ...]) -> RenderedPiece:
        return RenderedPiece(role, words, self.space.join([word.form for word in words]))

    def _word(self, concept: str, ending: str = "") -> Word:
        return Word(self.words.form(concept, ending), CONCEPTS[concept])

    def _clause(self, clause: Clause) -> list[RenderedPiece]:
        asked, language = clause.asked, self.language
        parts = {
            "S": self._role(clause.subject, "subject", clause),
            "O": self._role(clause.object, "object", clause) if clause.object is not None else [],
        }
        adjuncts = [self._adjunct_of(relation, phrase, clause) for relation, phrase in clause.adjuncts]
        verb, auxiliary = self._verb_of(clause)
        parts["V"] = verb
        first: list[RenderedPiece] = []
        if asked and asked != "whether" and language.question == "first":
            first = self._pull(asked, parts, adjuncts)
        around = [piece for adjunct in adjuncts for piece in adjunct]
        front, end = (around, []) if clause.fronted and not asked else ([], around)
        if auxiliary and asked and asked != "subject":
            core = [*auxiliary, *parts["S"], *parts["V"], *parts["O"]]
        else:
            parts["V"] = [*auxiliary, *parts["V"]]
            core = []
            for part in language.order:
                if part == "V" and language.order[-1] == "V":
                    core, end = [*core, *end], []
                core += parts[part]
        return [*first, *front, *core, *end]

    def _verb_of(self, clause: Clause) -> tuple[list[RenderedPiece], list[RenderedPiece]]:
        turned = clause.asked not in ("", "subject")
        key = (clause.verb, clause.past, clause.negative, clause.other, turned)
        pieces = self._verbs.get(key)
        if pieces is None:
            pieces = self._verbs[key] = self._verb(clause)
        return pieces

    def _verb(self, clause: Clause) -> tuple[list[RenderedPiece], list[RenderedPiece]]:
        """The verb with its negation, and what English puts before the subject of a question."""
        language = self.language
        tense = "past" if clause.past else "present"
        ending = self.words.ending(tense)
        negation = [self._piece("", (self._word("not"),))] if clause.negative else []
        concept = self._concept(clause.verb, clause)
        if concept == "be":
            if language.auxiliary:
                be = [self._piece("", (self._word("be", ending),))]
                questioned = clause.asked and clause.asked != "subject"
                return (negation, be) if questioned else ([*be, *negation], [])
            verb = [self._piece("", (self._word("be", ending),))] if language.copula else []
            return (negation + verb if language.negation == "before" else verb + negation), []
        helped = language.auxiliary and (negation or (clause.asked and clause.asked != "subject"))
        if helped:
            return [*negation, self._piece("", (self._word(concept),))], [self._piece("", (self._word("do", ending),))]
        verb = [self._piece("", (self._word(concept, ending),))]
        return (negation + verb if language.negation == "before" else verb + negation), []

    def _pull(
        self, asked: str, parts: dict[str, list[RenderedPiece]], adjuncts: list[list[RenderedPiece]]
    ) -> list[RenderedPiece]:
        """Take what is asked for out of its place."""
        letter = {"subject": "S", "object": "O", "count": "O"}.get(asked)
        if letter is not None:
            pulled, parts[letter] = parts[letter], []
            return pulled
        for adjunct in adjuncts:
            if any(piece.role == asked for piece in adjunct):
                adjuncts.remove(adjunct)
                return adjunct
        return []

    def _role(self, phrase: Phrase, role: str, clause: Clause) -> list[RenderedPiece]:
        case = role if role == "object" and clause.verb != "be" else ""
        if clause.asked == role:
            return [self._piece(role, (self._asking(phrase, role),))]
        pieces = self._phrase(phrase, case, clause.other)
        if clause.asked == "count" and role == "object":
            pieces = tuple(self._piece("count", self._many()) if p.role == "count" else p for p in pieces)
        if len(pieces) == 1:
            return [pieces[0]._replace(role=role)]
        return [p._replace(role=role) if p.role == "head" else p for p in pieces]

    def _many(self) -> tuple[Word, ...]:
        return tuple(Word(form, "ADV") for form in self.words.form("how-many").split())

    def _asking(self, phrase: Phrase, role: str) -> Word:
        if isinstance(phrase, Quality):
            return self._word("how")
        if isinstance(phrase, PersonName) and phrase.kind == "PER":
            return self._word("who")
        if isinstance(phrase, PersonName) and phrase.kind == "LOC":
            return self._word("where")
        return self._word("what" if role != "subject" and role not in _ASKING else _ASKING[role])

    def _adjunct_of(self, relation: str, phrase: Phrase, clause: Clause) -> list[RenderedPiece]:
        if clause.asked == relation:
            return self._adjunct(relation, phrase, clause)
        key = (relation, phrase, clause.other)
        pieces = self._adjuncts.get(key)
        if pieces is None:
            pieces = self._adjuncts[key] = self._adjunct(relation, phrase, clause)
        return pieces

    def _adjunct(self, relation: str, phrase: Phrase, clause: Clause) -> list[RenderedPiece]:
        if clause.asked == relation:
            inner = self._piece(relation, (self._asking(phrase, relation),))
            if relation in _ALONE or relation in self.language.cases:
                return [inner]
        else:
            words = tuple(w for p in self._phrase(phrase, relation, clause.other) for w in p.words)
            inner = self._piece(relation, words)
        if relation in self.language.cases:
            return [inner]
        adposition = self._piece("", (self._word(relation),))
        return [adposition, inner] if self.language.adposition == "before" else [inner, adposition]

    def _concept(self, concept: str, clause: Clause) -> str:
        return world.SYNONYMS.get(concept, concept) if clause.other else concept

    def _phrase(self, phrase: Phrase, case: str, other: bool) -> tuple[RenderedPiece, ...]:
        key = (phrase, case, other)
        pieces = self._phrases.get(key)
        if pieces is None:
            pieces = self._build(phrase, case, other)
            if not isinstance(phrase, Noun) or phrase.owner is None:
                self._phrases[key] = pieces
        return pieces

    def _build(self, phrase: Phrase, case: str, other: bool) -> tuple[RenderedPiece, ...]:
        ending = self.words.ending(case) if case else ""
        if isinstance(phrase, PersonName):
            return (self._piece("head", self._name(phrase, ending)),)
        concept = world.SYNONYMS.get(phrase.concept, phrase.concept) if other else phrase.concept
        if isinstance(phrase, Pronoun | Quality):
            return (self._piece("head", (self._word(concept),)),)
        return self._noun(phrase, concept, case, other)

    def _name(self, name: PersonName, ending: str) -> tuple[Word, ...]:
        last = len(name.parts) - 1
        plain = not name.firm
        parts = [
            (self.words.name(part, ending if plain and i == last else ""), "PROPN") for i, part in enumerate(name.parts)
        ]
        if name.firm:
            firm = (self.words.form(name.firm, ending), "NOUN")
            parts = [*parts, firm] if self.language.adjective == "before" else [firm, *parts]
        return tuple(Word(form, tag, f"{'I' if i else 'B'}-{name.kind}") for i, (form, tag) in enumerate(parts))

    def _noun(self, noun: Noun, concept: str, case: str, other: bool) -> tuple[RenderedPiece, ...]:
        plural = bool(noun.number)
        head = [self._word(concept, self.words.ending(*(["plural"] if plural else []), *([case] if case else [])))]
        if noun.quality:
            second = world.SYNONYMS.get(noun.quality, noun.quality) if other else noun.quality
            quality = self._word(second)
            head = [quality, *head] if self.language.adjective == "before" else [*head, quality]
        if self.language.article and not plural and concept not in _DAYS:
            article = self._word("the" if noun.known or noun.owner else "a")
            before_vowel = self.language.before_vowel.get(article.form) if head[0].form[0] in "aeiou" else None
            head.insert(0, article._replace(form=before_vowel) if before_vowel else article)
        if noun.owner is not None:
            head = self._owned(head, noun.owner)
        body = self._piece("head", tuple(head))
        if not plural:
            return (body,)
        count = Word(_NUMBERS[noun.number], "NUM") if other else self._word(noun.number)
        return (self._piece("count", (count,)), body)

    def _owned(self, head: list[Word], owner: PersonName) -> list[Word]:
        words = list(self._phrase(owner, "owner", False)[0].words)
        if "owner" not in self.language.cases:
            of = self._word("of")
            words = [of, *words] if self.language.adposition == "before" else [*words, of]
        return [*words, *head] if self.language.owner == "before" else [*head, *words]


@cache
def renderer(code: str) -> Renderer:
    """The renderer of a language, made once."""
    words = lexicon(code)
    return Renderer(words.language, words)
