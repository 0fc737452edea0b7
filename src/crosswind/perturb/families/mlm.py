"""Words by a masked language model: one is replaced, one is inserted, or two become one, as the model finds likely.

The label need not hold (a dog may become a cat), so it is diagnostic; the constraint `similarity` keeps what is
near. What it draws is weighted by probability. The model is passed in (`MaskedModel`): in a study its
checkpoint is named, and must be another one than the encoder that is evaluated, unless `victim=same` says so.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import regex

from crosswind.data.examples import Span
from crosswind.perturb.alternatives import Alternatives, DrawnSite, Option, SiteAddress, Sites, breaks_words, weighted
from crosswind.perturb.blocks import passage_words
from crosswind.perturb.needs import ModelNeed
from crosswind.perturb.passage import SEPARATOR, Passage
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pieces import Between, Keep, New
from crosswind.perturb.words import cased_like, is_turkic, is_unspaced, tokenization

_WINDOW = 300  # characters of context on each side of a mask
_LETTERS = regex.compile(r"[\p{L}\p{M}]+(?:['’-][\p{L}\p{M}]+)*")


class Blank(NamedTuple):
    """A text with a hole at `start:end`. `joined`: words stand without spaces, a filling may go on from the left."""

    text: str
    start: int
    end: int
    joined: bool


class MaskedModel(Protocol):
    """A masked language model, as perturbations see it."""

    def fill(self, blanks: Sequence[Blank], most: int) -> list[list[tuple[str, float]]]:
        """For each blank the `most` likeliest words of one token, with their probabilities, the likeliest first."""
        ...


class _Filled:
    def __init__(self, setting: Setting, model: MaskedModel) -> None:
        self._model, self._mode = model, str(setting.params["mode"])
        self._top, self._least = int(str(setting.params["top"])), float(str(setting.params["least"]))
        self._joined, self._turkic = is_unspaced(setting.language), is_turkic(setting.language)

    def sites(self, passages: Sequence[Passage]) -> list[Sites]:
        every = []
        for passage in passages:
            spans = self._regions(passage)
            every.append(Sites([s.start for s in spans], [s.end for s in spans], passage=passage))
        return every

    def draw(self, at: Sequence[DrawnSite]) -> list[Option | None]:
        filled = self._options([(sites, index) for sites, index, _ in at], self._top)
        chosen: list[Option | None] = []
        for (_, _, bits), options in zip(at, filled, strict=True):
            chosen.append(weighted([o for o, _ in options], [p for _, p in options], bits) if options else None)
        return chosen

    def all(self, at: Sequence[SiteAddress], most: int | None = None) -> list[list[Option]]:
        return [[o for o, _ in options] for options in self._options(at, min(most or self._top, self._top))]

    def _regions(self, passage: Passage) -> list[Span]:
        text = passage.text
        words = [w for w in passage_words(passage) if _LETTERS.fullmatch(text, w.start, w.end)]
        if self._mode == "replace":
            return words
        gap = "" if self._joined else " "
        pairs = [(a, b) for a, b in itertools.pairwise(words) if text[a.end : b.start] == gap]
        if self._mode == "insert":
            return [Span(a.end, a.end) for a, _ in pairs]
        return [Span(a.start, b.end) for a, b in pairs]

    def _options(self, at: Sequence[SiteAddress], most: int) -> list[list[tuple[Option, float]]]:
        blanks = [self._blank(sites, index) for sites, index in at]
        every = []
        for (sites, index), words in zip(at, self._model.fill(blanks, 4 * most + 8), strict=True):
            assert sites.passage is not None
            before = sites.passage.text[sites.starts[index] : sites.ends[index]]
            near = before or sites.passage.text[sites.starts[index] - 1]
            fitting = [(w, p) for w, p in words if p >= self._least and _fits(w, before, near)][:most]
            options = [(self._written(sites, index, word), p) for word, p in fitting]
            tagged = bool(sites.passage.words)
            every.append([(o, p) for o, p in options if not (tagged and breaks_words(o))])
        return every

    def _blank(self, sites: Sites, index: int) -> Blank:
        """The text around a site with the place of the mask, cut at white space."""
        assert sites.passage is not None
        text, start, end = sites.passage.text.replace(SEPARATOR, "\n"), sites.starts[index], sites.ends[index]
        low, high = max(0, start - _WINDOW), min(len(text), end + _WINDOW)
        before, after = text[low:start], text[end:high]
        if low:
            before = before[before.find(" ") + 1 :]
        if self._mode == "insert" and not self._joined:
            before += " "
        return Blank(before + after, len(before), len(before), self._joined)

    def _written(self, sites: Sites, index: int, word: str) -> Option:
        at = sites.starts[index]
        if self._mode != "insert":
            assert sites.passage is not None
            return cased_like(word, sites.passage.text[at : sites.ends[index]].partition(" ")[0], self._turkic)
        return (New(word if self._joined else f" {word}", (Between((Keep(at - 1, at), Keep(at, at + 1))),)),)


def _fits(word: str, before: str, near: str) -> bool:
    """Whether a filling is a word of the script at hand, and not what stands there."""
    if not _LETTERS.fullmatch(word) or word.casefold() == before.casefold():
        return False
    return _script(word[0]) == _script(near[0])


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _needs(setting: Setting) -> tuple[ModelNeed, ...]:
    role = "masked-lm" if setting.params["victim"] == "other" else "masked-lm of the victim"
    return (ModelNeed(role, str(setting.params["model"])),)


def _applies(setting: Setting) -> str | None:
    if setting.kind == "tagging" and setting.params["mode"] != "replace":
        return "an inserted or merged word of a tagged sentence has no tag that is known"
    return None


def _prepare(setting: Setting, given: Given) -> Alternatives:
    (need,) = _needs(setting)
    return _Filled(setting, given[need.role])


MLM = Perturbation(
    name="mlm",
    nature="diagnostic",
    summary="a word that a masked language model finds likely in place of one, between two, or in place of two",
    source="Garg & Ramakrishnan 2020 (BAE), §3; Li et al. 2021 (CLARE), §2: replace, insert, merge",
    unit="word or gap",
    languages="all that the model knows",
    needs=_needs,
    applies=_applies,
    prepare=_prepare,
    resources=lambda setting: {"mlm": "1", **tokenization(setting.language)},
    params=(
        Param("model", "text", "a masked language model: a hub's id or a folder"),
        Param("mode", "text", "what it does", default="replace", choices=("replace", "insert", "merge")),
        Param("top", "integer", "from how many of the likeliest words it draws", default=10, low=1, high=1000),
        Param("least", "number", "the least probability of a word", default=0.0, low=0.0, high=1.0),
        Param(
            "victim",
            "text",
            "whether the model is another one than the encoder that is evaluated",
            default="other",
            choices=("other", "same"),
        ),
    ),
)
