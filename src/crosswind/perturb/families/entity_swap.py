"""Entity swap: an entity becomes another one of its type and its number of words, from the same data set.

The tags hold: words are exchanged one by one, none comes or goes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from crosswind.data.examples import Dataset, TaggingExample
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites
from crosswind.perturb.donors import Donors
from crosswind.perturb.draw import key
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, NotApplicable, Perturbation, Setting
from crosswind.perturb.pieces import Keep, New, Piece
from crosswind.perturb.retag import entity_groups
from crosswind.tasks.base import TASKS

_Type = tuple[str, int]  # of an entity: its type and its number of words


class _Swaps:
    def __init__(self, donors: Dataset) -> None:
        lent: dict[_Type, dict[tuple[str, ...], None]] = {}
        for example in donors.examples:
            if isinstance(example, TaggingExample) and example.tags:
                for group in entity_groups(example.tags):
                    words = tuple(example.words[i] for i in group)
                    lent.setdefault(_type(example.tags, group), {})[words] = None
        if not lent:
            what = f"no sentence of {donors.task} {donors.split}, {donors.language}, has an entity in its tags"
            raise NotApplicable(f"entity-swap: {what}", hint="donors are sentences with their tags")
        self._donors = {kind: Donors([*some], ["\x1f".join(words) for words in some]) for kind, some in lent.items()}

    def lacking(self, passages: Sequence[Passage]) -> str | None:
        return None if any(map(_entities, passages)) else "no sentence has an entity in its tags"

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        every = []
        for passage in passages:
            groups = _entities(passage)
            starts = [passage.words[g[0]].start for g in groups]
            every.append(Sites(starts, [passage.words[g[-1]].end for g in groups], passage=passage))
        return every

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        return [next(iter(self._options(sites, index, bits)), None) for sites, index, bits in at]

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[list[Option]]:
        # In an order of its own for every site, so that an attack of few queries does not ask the same of all.
        return [[*islice(self._options(sites, index, _bits(sites, index)), most)] for sites, index in at]

    def _options(self, sites: Sites, index: int, bits: int) -> Iterable[Option]:
        passage = sites.passage
        assert passage is not None
        assert passage.tags is not None
        group = entity_groups(passage.tags)[index]
        spans = [passage.words[i] for i in group]
        named = tuple(passage.text[s.start : s.end] for s in spans)
        donors = self._donors.get(_type(passage.tags, group))
        for words in donors.ranked(bits) if donors else ():  # none has its type and its number of words
            if words == named:
                continue
            pieces: list[Piece] = []
            for span, word in zip(spans, words, strict=True):
                if pieces:
                    pieces.append(Keep(span.start - 1, span.start))
                pieces.append(New(word, (Keep(span.start, span.end),)))
            yield tuple(pieces)


def _entities(passage: Passage) -> Sequence[Sequence[int]]:
    """The words of each entity of a sentence; none without tags."""
    return entity_groups(passage.tags) if passage.tags and passage.words else ()


def _type(tags: Sequence[str], group: Sequence[int]) -> _Type:
    return tags[group[0]].partition("-")[2], len(group)


def _bits(sites: Sites, index: int) -> int:
    assert sites.passage is not None
    return key("entity", sites.passage.id, str(sites.starts[index]))


def _applies(setting: Setting) -> str | None:
    if setting.kind != "tagging" or setting.task not in TASKS or TASKS[setting.task].group != "ner":
        return "only named-entity recognition has entities to swap"
    return None if "words" in setting.fields else "the words of this task may not change"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return _Swaps(given["donors"])


ENTITY_SWAP = Perturbation(
    name="entity-swap",
    nature="preserving",
    summary="an entity becomes another one of its type and length, from the same data set",
    source="Lin et al. 2021 (RockNER), §3.1: entities of the same type; here from the data, in any language",
    unit="entity",
    languages="all, of named-entity recognition",
    needs=lambda setting: (DataNeed("donors"),),
    applies=_applies,
    prepare=_prepare,
)
