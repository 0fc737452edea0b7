"""Synonyms: a word becomes another one of its synset, by a wordnet of the Open Multilingual Wordnet.

By default only words with one meaning in the wordnet change, so that no other meaning comes in. In a sentence
with part-of-speech tags the synset is of the word's part of speech.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import regex

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.brought import FILE_LANGUAGE, Stamped, brought_fingerprints, named_files, stamped
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.pos import Readings, by_reading
from crosswind.perturb.words import is_turkic, lowered, tokenization
from crosswind.reading import lines

_POS = {"n": "NOUN", "v": "VERB", "a": "ADJ", "s": "ADJ", "r": "ADV"}
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}’'-]+")

Synsets = Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""Word -> its synsets: the part of speech and the other words of each."""


@lru_cache(maxsize=8)
def wordnet(files: Stamped, turkic: bool) -> Synsets:
    """The synsets of files `synset<TAB>LANGUAGE:lemma<TAB>word`; a `UserError` with file:line for another line."""
    members: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for path, _ in files:
        for number, line in lines(path):
            if not line.strip() or line.startswith("#"):
                continue
            columns = line.split("\t")
            if len(columns) < 3:
                raise UserError(
                    f"{len(columns)} columns: a wordnet has a synset, LANGUAGE:lemma and a word between tabs",
                    where=f"{path}:{number}",
                    hint="name files of the Open Multilingual Wordnet (wn-data-LANGUAGE.tab)",
                )
            word = lowered(columns[2].strip(), turkic)
            if columns[1].rpartition(":")[2] == "lemma" and _WORD.fullmatch(word):
                members[columns[0]][word] = None
    synsets: defaultdict[str, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for name, words in members.items():
        for word in words:
            others = tuple(other for other in words if other != word)
            synsets[word].append((_POS.get(name.rpartition("-")[2], "X"), others))
    return {word: tuple(some) for word, some in synsets.items()}


def _files(setting: Setting) -> tuple[Path, ...]:
    hint = "name the Open Multilingual Wordnet: synonym(wordnets=DIR), where DIR holds wn-data-*.tab"
    lacking = UserError("synonym needs a wordnet", hint=hint)
    return named_files(setting, "wordnets", ("**/wn-data-{}.tab", "**/{}.tab"), "wordnet", lacking)


def _applies(setting: Setting) -> str | None:
    return None if _files(setting) else f"there is no wordnet of {setting.language} among those named"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    most = int(str(setting.params["senses"]))
    synsets = wordnet(stamped(_files(setting)), is_turkic(setting.language))

    def senses(word: str) -> Readings:
        known = synsets.get(word, ())
        return () if most and len(known) > most else known

    return by_reading(senses, setting.language)


def _resources(setting: Setting) -> dict[str, str]:
    return {**brought_fingerprints("wordnet", _files(setting)), **tokenization(setting.language, endings=False)}


SYNONYM = Perturbation(
    name="synonym",
    nature="preserving",
    summary="a word becomes a synonym by the user's wordnet, by default only words with one meaning",
    source="Ren et al. 2019 (PWWS), §3.2; Bond & Foster 2013 (Open Multilingual Wordnet)",
    unit="word with a synonym",
    languages="languages of which the user names a wordnet",
    applies=_applies,
    prepare=_prepare,
    kept=lambda setting: stamped(_files(setting)),
    resources=_resources,
    params=(
        Param("wordnets", "text", "folder of the Open Multilingual Wordnet, or a file", location=True),
        FILE_LANGUAGE,
        Param("senses", "integer", "most synsets of a word that changes; 0 is any number", default=1, low=0),
    ),
)
