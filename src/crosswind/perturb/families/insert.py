"""Inserted letters: a random letter of the language's alphabet comes into a word, in the case of the one before it.

In scripts whose vowels are signs it is a letter of the kind of the one before it, a consonant after a
consonant. A Korean syllable without a final consonant gets one, another is followed by a lone jamo.
"""

from __future__ import annotations

from functools import partial

from crosswind.perturb.alphabets import Alphabet, alphabet_fingerprint, alphabet_of, alphabet_stamp, lacks_alphabet
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise, is_letter
from crosswind.perturb.hangul import with_one_more_key
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting


def _path(setting: Setting) -> str | None:
    given = setting.params.get("alphabet")
    return str(given) if given else None


def _applies(setting: Setting) -> str | None:
    return lacks_alphabet(setting.language, _path(setting))


def _options(letters: Alphabet, cluster: str) -> tuple[str, ...]:
    if not is_letter(cluster):
        return ()
    more = with_one_more_key(cluster)
    return more or tuple(cluster + letter for letter in letters.like(cluster))


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return clusterwise(partial(_options, alphabet_of(setting.language, _path(setting))))


def _resources(setting: Setting) -> dict[str, str]:
    return alphabet_fingerprint(_path(setting))


INSERT = Perturbation(
    name="insert",
    nature="preserving",
    summary="a random letter of the alphabet comes behind a letter of a word",
    source="Karpukhin et al. 2019, §3; alphabets: Unicode CLDR 48.2, exemplar characters",
    unit="letter",
    languages="languages with an alphabet: all of XTREME-R but Chinese",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    kept=lambda setting: alphabet_stamp(_path(setting)),
    params=(Param("alphabet", "text", "file with the letters of an alphabet of your own", location=True),),
)
