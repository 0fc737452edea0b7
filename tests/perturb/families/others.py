"""Groups, a permutation drawn from bits, another data set, words that come and go, added candidates."""

from dataclasses import replace
from itertools import pairwise

from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.donors import Donors
from crosswind.perturb.needs import DataNeed
from crosswind.perturb.perturbation import Param, Perturbation
from crosswind.perturb.pieces import Between, Keep, New
from crosswind.perturb.words import words

COMMON = {"nature": "preserving", "source": "test", "languages": "all"}


def stars(passage):
    letters = [(i, n) for n, w in enumerate(words(passage.text, passage.language)) for i in range(w.start, w.end)]
    return Sites([i for i, _ in letters], [i + 1 for i, _ in letters], lambda i: ("*",), groups=[n for _, n in letters])


ONE_TYPO = Perturbation(
    name="one-typo",
    summary="at most one star a word",
    unit="letter",
    **COMMON,
    prepare=lambda setting, given: Listed(stars),
)


def accents(passage):
    after = [i + 1 for i, letter in enumerate(passage.text) if letter == "e"]
    return Sites(after, after, lambda i: ("\u0301",))


class Shuffled:
    def sites(self, passages):
        many = [len(words(p.text, p.language)) > 1 for p in passages]
        return [Sites([0][:m], [len(p.text)][:m], passage=p) for p, m in zip(passages, many, strict=True)]

    def draw(self, at):
        chosen = []
        for sites, _, bits in at:
            found = words(sites.passage.text, sites.passage.language)
            order = list(Donors(found, [str(w.start) for w in found]).ranked(bits))
            gaps = [Keep(a.end, b.start) for a, b in pairwise(found)]
            gaps.append(Keep(found[-1].end, len(sites.passage.text)))
            pieces = [Keep(0, found[0].start)]
            for word, gap in zip(order, gaps, strict=True):
                pieces += [Keep(word.start, word.end), gap]
            chosen.append(tuple(p for p in pieces if p.start < p.end))
        return chosen

    def all(self, at, most=None):
        return [self.draw([(s, i, bits) for bits in range(most or 1)]) for s, i in at]


SHUFFLE = Perturbation(
    name="full-shuffle",
    summary="words in any order",
    unit="text",
    **{**COMMON, "nature": "diagnostic"},
    prepare=lambda setting, given: Shuffled(),
)


def translated(setting, given):
    others = {e.id: e for e in given["translations"]}

    def sites(passage):
        there = passage.field == "second" and passage.id in others
        return Sites([0][:there], [len(passage.text)][:there], lambda i: (others[passage.id].second,))

    return Listed(sites)


TRANSLATED = Perturbation(
    name="translated",
    summary="the second text in another language",
    unit="pair",
    **COMMON,
    params=(Param("into", "text", "its language"),),
    prepare=translated,
    needs=lambda setting: (DataNeed("translations", language=setting.params["into"]),),
)


def dropped(passage):
    after = [w for w in words(passage.text, passage.language)[:-1] if passage.text[w.end : w.end + 1] == " "]
    return Sites([w.start for w in after], [w.end + 1 for w in after], lambda i: ("",))


DROP = Perturbation(
    name="drop",
    summary="words go",
    unit="word",
    **{**COMMON, "nature": "diagnostic"},
    changes_words=True,
    prepare=lambda setting, given: Listed(dropped),
)


def hedged(passage):
    gaps = [i for i, c in enumerate(passage.text) if c == " "]
    return Sites(
        gaps,
        gaps,
        lambda i: ((New(" well", (Between((Keep(gaps[i] - 1, gaps[i]), Keep(gaps[i], gaps[i] + 1))),), tag="ADV"),),),
    )


HEDGE = Perturbation(
    name="hedge",
    summary="words come",
    unit="gap",
    **COMMON,
    changes_words=True,
    prepare=lambda setting, given: Listed(hedged),
)
SPACED = Perturbation(
    name="spaced",
    summary="a word becomes two without a tag",
    unit="word",
    **COMMON,
    prepare=lambda setting, given: Listed(lambda p: Sites([0], [1], lambda i: ("a b",))),
)


def negatives(setting, given):
    return lambda drawn: [[replace(c, id=c.id + "/reversed", text=c.text[::-1])] for c, bits in drawn]


NEGATIVES = Perturbation(
    name="reversed-negatives", summary="candidates read backwards", unit="candidate", **COMMON, add=negatives
)


def letterless(passage):
    letters = [i for i, c in enumerate(passage.text) if c != " "]
    return Sites(letters, [i + 1 for i in letters], lambda i: ("",))


DELETE = Perturbation(
    name="delete-letters",
    summary="letters go",
    unit="letter",
    **COMMON,
    prepare=lambda setting, given: Listed(letterless),
)


ACCENT = Perturbation(
    name="accent",
    summary="an accent of its own on every e, which a text in NFC would have in one character",
    unit="letter",
    **COMMON,
    prepare=lambda setting, given: Listed(accents),
)

ACCENT_ALONE = replace(ACCENT, name="accent-alone", changes_form=True)
