"""The language families that multilingual benchmarks report by."""

from __future__ import annotations

from crosswind.data.languages import macrolanguage_of

# Hu et al. 2020 (XTREME), table 5, and Ruder et al. 2021 (XTREME-R), appendix; Indo-European by branch as there.
_FAMILIES = {
    "Afro-Asiatic": "am ar ha he mt so ti",
    "Austro-Asiatic": "km vi",
    "Austronesian": "id jv mg mi ms tl fil",
    "Basque": "eu",
    "Creole": "ht",
    "Dravidian": "kn ml ta te",
    "IE: Armenian": "hy",
    "IE: Baltic": "lt lv",
    "IE: Celtic": "br cy ga gd",
    "IE: Germanic": "af da de en is nl no nb nn sv fy yi",
    "IE: Greek": "el",
    "IE: Indo-Aryan": "as bn gu hi mr ne or pa sa si ur",
    "IE: Iranian": "fa ku ps tg",
    "IE: Romance": "ca es fr gl it la pt ro",
    "IE: Slavic": "be bg bs cs hr mk pl ru sk sl sr uk",
    "Japonic": "ja",
    "Kartvelian": "ka",
    "Koreanic": "ko",
    "Kra-Dai": "lo th",
    "Mongolic": "mn",
    "Niger-Congo": "ig rw sw wo xh yo zu",
    "Quechuan": "qu",
    "Sino-Tibetan": "bo my zh",
    "Turkic": "az kk ky tr tt ug uz",
    "Uralic": "et fi hu",
}
_OF = {code: family for family, codes in _FAMILIES.items() for code in codes.split()}
OTHER = "other"


def family_of(code: str) -> str:
    """The family of a language; `other` where the table has none."""
    return _OF.get(macrolanguage_of(code), _OF.get(code.partition("-")[0], OTHER))


def family_of_pair(name: str) -> str:
    """The family of a language, or of the question's language of a pair `context-question` (`de-hi`, not `sr-Latn`)."""
    last = name.rpartition("-")[2]
    return family_of(last if last.islower() and len(last) in (2, 3) else name)
