"""Substituted letters: a letter becomes a random other one of the language's alphabet, whatever lies beside its key.

`keyboard` misses a key for its neighbour, `substitute` is blind: what is left of a word is its length and
its other letters. Vowel signs and tone marks stay on the new consonant; conjuncts do not change.
"""

from __future__ import annotations

from functools import partial

from crosswind.perturb.alphabets import Alphabet, alphabet_fingerprint, alphabet_of, alphabet_stamp, lacks_alphabet
from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise, is_letter
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting


def _path(setting: Setting) -> str | None:
    given = setting.params.get("alphabet")
    return str(given) if given else None


def _applies(setting: Setting) -> str | None:
    return lacks_alphabet(setting.language, _path(setting))


def _options(letters: Alphabet, cluster: str) -> tuple[str, ...]:
    return letters.replacements(cluster) if is_letter(cluster) else ()


def _prepare(setting: Setting, given: Given) -> Alternatives:
    return clusterwise(partial(_options, alphabet_of(setting.language, _path(setting))))


def _resources(setting: Setting) -> dict[str, str]:
    return alphabet_fingerprint(_path(setting))


SUBSTITUTE = Perturbation(
    name="substitute",
    nature="preserving",
    summary="a letter becomes a random other one of the alphabet; in Korean one jamo of a syllable",
    source="Karpukhin et al. 2019, §3; alphabets: Unicode CLDR 48.2, exemplar characters",
    unit="letter",
    languages="languages with an alphabet: all of XTREME-R but Chinese",
    applies=_applies,
    prepare=_prepare,
    resources=_resources,
    kept=lambda setting: alphabet_stamp(_path(setting)),
    params=(Param("alphabet", "text", "file with the letters of an alphabet of your own", location=True),),
)
