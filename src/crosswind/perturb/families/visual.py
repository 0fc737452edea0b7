"""Visual neighbours: a letter becomes one whose Unicode name says that it is the same letter with something added.

LATIN SMALL LETTER A has LATIN SMALL LETTER A WITH RING ABOVE, ARABIC LETTER BEH has ARABIC LETTER BEH WITH SMALL V:
the description-based space of VIPER, in every script whose names are made so.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

import regex

from crosswind.perturb.alternatives import Alternatives
from crosswind.perturb.clusterwise import clusterwise
from crosswind.perturb.perturbation import Given, Param, Perturbation, Setting
from crosswind.perturb.words import script

# Blocks of letters end here (U+1FFFF); what follows are ideographs and private characters.
_LAST = 0x20000
_ENOUGH = 5  # letters of a script with a neighbour, below which a language is left out
_SCRIPTS = {code: regex.compile(rf"\p{{Script={code}}}") for code in ("Latn", "Cyrl", "Grek", "Arab", "Hebr", "Deva")}


@lru_cache(maxsize=1)
def _neighbours() -> Mapping[str, tuple[str, ...]]:
    """Letter -> those of the same base name, in the order of their code points."""
    families: defaultdict[str, list[str]] = defaultdict(list)
    for char in map(chr, range(0x41, _LAST)):
        if unicodedata.category(char) in ("Ll", "Lu", "Lo") and unicodedata.is_normalized("NFC", char):
            name = unicodedata.name(char, "")
            if " LETTER " in name:
                families[name.partition(" WITH ")[0]].append(char)
    return {char: tuple(o for o in family if o != char) for family in families.values() for char in family}


def _applies(setting: Setting) -> str | None:
    written = script(setting.language)
    member = _SCRIPTS.get(written)
    if member is not None and sum(bool(member.match(c)) for c, others in _neighbours().items() if others) >= _ENOUGH:
        return None
    return f"visual has no neighbours in {setting.language} ({written}): its letters have no variants with marks"


def _prepare(setting: Setting, given: Given) -> Alternatives:
    table, most = _neighbours(), int(str(setting.params["neighbours"]))

    def options(cluster: str) -> tuple[str, ...]:
        composed = unicodedata.normalize("NFC", cluster)
        marks = composed[1:]
        if any(unicodedata.category(c)[0] != "M" for c in marks):
            return ()
        return tuple(o + marks for o in table.get(composed[0], ())[:most])

    return clusterwise(options)


VISUAL = Perturbation(
    name="visual",
    nature="preserving",
    summary="a letter becomes one of the same name with a mark added: a → ą, ه → ۀ",
    source="Eger et al. 2019 (Text Processing Like Humans Do: VIPER), §3, description-based character embedding space",
    unit="letter",
    languages="Latin, Cyrillic, Greek and Arabic script, where letters have variants with marks",
    applies=_applies,
    prepare=_prepare,
    resources=lambda setting: {"unicodedata": unicodedata.unidata_version},
    params=(Param("neighbours", "integer", "most neighbours of a letter", default=20, low=1),),
)
