"""A word is replaced by words of its own part of speech only, as far as treebanks know both.

Of a tagged sentence the gold tag of the word counts, so that it stays right for the word that stands there then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path

from crosswind.errors import UserError
from crosswind.perturb.applied import Constraint
from crosswind.perturb.brought import brought_files, brought_fingerprints, stamped
from crosswind.perturb.constraint import ConstraintKind, Settings
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Given, Param
from crosswind.perturb.pos import upos_tags
from crosswind.perturb.spec import TextScope
from crosswind.perturb.treebanks import TREEBANKS, PosLexicon, pos_lexicon
from crosswind.perturb.words import base_language, is_turkic, lowered, words


def _files(settings: Settings, language: str) -> list[Path]:
    given = settings.get("treebanks")
    if not given:
        raise UserError(
            "the constraint part-of-speech needs treebanks",
            hint="name their folder: part-of-speech(treebanks=DIR), where DIR holds en_*.conllu, … of UD",
        )
    return brought_files(str(given), language, TREEBANKS, "treebanks")


def _embedded(settings: Settings) -> tuple[str, ...]:
    given = settings["embed"]
    return given if isinstance(given, tuple) else (str(given),)


def _languages(settings: Settings, language: str) -> tuple[str, ...]:
    """The language of the text, and those whose words may come."""
    others = tuple(code for code in _embedded(settings) if code != OWN)
    return tuple(dict.fromkeys((language, *(c for c in others if base_language(c) != base_language(language)))))


OWN = "own"
"""In `embed`: no words but those of the text's language come."""


def replaced_words(before: Passage, after: Passage) -> Iterator[tuple[str, str | None, str]]:
    """Each word that became another one: the word, its gold tag where it has one, and what stands there.

    Of plain texts these are runs of words in the place of which as many others stand; where words came or went
    besides, nobody can tell which became which.
    """
    tags = upos_tags(before)
    olds = before.words or words(before.text, before.language)
    news = after.words or words(after.text, before.language)
    a = [before.text[w.start : w.end] for w in olds]
    b = [after.text[w.start : w.end] for w in news]
    if before.words and len(a) == len(b):
        pairs = [(i, i) for i in range(len(a)) if a[i] != b[i]]
    else:
        codes = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
        alike = [(i, j, m) for kind, i, n, j, m in codes if kind == "replace" and n - i == m - j]
        pairs = [(i + k, j + k) for i, j, m in alike for k in range(m - j)]
    for i, j in pairs:
        yield a[i], tags.get(olds[i]), b[j]


def _make(name: str, settings: Settings, given: Given) -> Constraint:
    @lru_cache(maxsize=64)
    def lexicons(language: str) -> tuple[tuple[PosLexicon, bool], ...]:
        made = []
        for code in _languages(settings, language):
            files = _files(settings, code)
            if not files:
                raise UserError(f"there is no treebank of {code} among those named", where=name, hint="add its .conllu")
            made.append((pos_lexicon(stamped(files), is_turkic(code)), is_turkic(code)))
        return tuple(made)

    def holds(pair: tuple[Passage, Passage]) -> bool:
        before, after = pair
        known = lexicons(before.language)
        for old, tag, new in replaced_words(before, after):
            mine, turkic = known[0]
            wanted = mine.get(lowered(old, turkic), frozenset()) if tag is None else frozenset((tag,))
            could = frozenset[str]().union(*(some.get(lowered(new, t), ()) for some, t in known))
            if wanted and could and wanted.isdisjoint(could):
                return False
        return True

    return Constraint(name, check=lambda pairs: [holds(pair) for pair in pairs])


def _applies(settings: Settings, scope: TextScope) -> str | None:
    missing = [code for code in _languages(settings, scope.language) if not _files(settings, code)]
    return f"there is no treebank of {', '.join(missing)} among those named" if missing else None


def _resources(settings: Settings, scope: TextScope) -> Mapping[str, str]:
    prints: dict[str, str] = {}
    for code in _languages(settings, scope.language):
        prints |= brought_fingerprints(f"{code} treebanks", _files(settings, code))
    return prints


PART_OF_SPEECH = ConstraintKind(
    name="part-of-speech",
    summary="a word becomes words of its part of speech (of a tagged word, its gold tag) as far as treebanks know both",
    source="TextFooler's and BAE's check of part of speech (Jin et al. 2020, §3; Garg & Ramakrishnan 2020, §3)",
    make=_make,
    fits=_applies,
    resources=_resources,
    params=(
        Param("treebanks", "text", "folder of treebanks of Universal Dependencies, or a file", location=True),
        Param("embed", "list", "further languages whose words may come, as code-mixing embeds them", default=(OWN,)),
    ),
)
