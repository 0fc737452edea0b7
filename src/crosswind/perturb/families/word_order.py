"""Local reorder: a word changes places with one that follows it closely, within a phrase."""

from __future__ import annotations

import itertools

import regex

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, Listed, Option, Sites
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pieces import Keep
from crosswind.perturb.words import is_unspaced, segmentation, tokens

_SPACES = regex.compile(r"\s*")


def _prepare(setting: Setting, given: Given) -> Alternatives:
    language, window = setting.language, int(str(setting.params["window"]))
    unspaced = is_unspaced(language)

    def sites(passage: Passage) -> Sites:
        text = passage.text
        spans = tokens(text, language)
        starts, ends, reach = [], [], []
        for i, word in enumerate(spans[:-1]):
            last = i
            while last + 1 < min(i + window, len(spans)) and _adjacent(text, spans[last], spans[last + 1], unspaced):
                last += 1
            group = spans[i : last + 1]
            if len({text[w.start : w.end] for w in group}) > 1:
                starts.append(word.start)
                ends.append(group[-1].end)
                reach.append(group)
        return Sites(starts, ends, lambda i: tuple(_moves(text, reach[i])))

    return Listed(sites)


def _adjacent(text: str, a: Span, b: Span, unspaced: bool) -> bool:
    """Whether nothing but white space stands between two words: a phrase ends at punctuation."""
    match = _SPACES.fullmatch(text, a.end, b.start)
    return match is not None and (unspaced or match.end() > match.start())


def _moves(text: str, group: list[Span]) -> list[Option]:
    """The first word moved behind each of the others; the white space stays where it is."""
    gaps = [Keep(a.end, b.start) for a, b in itertools.pairwise(group)]
    moves: list[Option] = []
    for places in range(1, len(group)):
        order = [*group[1 : places + 1], group[0], *group[places + 1 :]]
        if [text[w.start : w.end] for w in order] == [text[w.start : w.end] for w in group]:
            continue
        pieces = [Keep(order[0].start, order[0].end)]
        for gap, word in zip(gaps, order[1:], strict=True):
            pieces += [gap, Keep(word.start, word.end)]
        moves.append(tuple(p for p in pieces if p.start < p.end))
    return moves


def _resources(setting: Setting) -> dict[str, str]:
    return {"word-order": "2", **segmentation(setting.language)}


WORD_ORDER = Perturbation(
    name="word-order",
    nature="preserving",
    summary="a word moves behind its neighbour, not across punctuation; white space stays",
    source="Lample et al. 2018 (Unsupervised MT Using Monolingual Corpora Only), §2.3: a bounded shuffle",
    unit="word",
    languages="all; words of Chinese, Japanese and Thai by ICU",
    prepare=_prepare,
    resources=_resources,
    params=(Param("window", "integer", "words within which one moves", default=2, low=2, high=8),),
)
