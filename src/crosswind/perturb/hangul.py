"""Korean typing: a syllable is typed jamo by jamo (Dubeolsik), so a typo changes one jamo of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

# The jamo of a syllable in the order of its arithmetic decomposition (Unicode Standard §3.12).
LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
TAILS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
_FIRST = 0xAC00

# What is typed by two keys (KS X 5002).
_PAIRS = {
    "ㅘ": "ㅗㅏ", "ㅙ": "ㅗㅐ", "ㅚ": "ㅗㅣ", "ㅝ": "ㅜㅓ", "ㅞ": "ㅜㅔ", "ㅟ": "ㅜㅣ", "ㅢ": "ㅡㅣ",
    "ㄳ": "ㄱㅅ", "ㄵ": "ㄴㅈ", "ㄶ": "ㄴㅎ", "ㄺ": "ㄹㄱ", "ㄻ": "ㄹㅁ", "ㄼ": "ㄹㅂ", "ㄽ": "ㄹㅅ",
    "ㄾ": "ㄹㅌ", "ㄿ": "ㄹㅍ", "ㅀ": "ㄹㅎ", "ㅄ": "ㅂㅅ",
}  # fmt: skip
_JOINED = {pair: whole for whole, pair in _PAIRS.items()}


def hangul_options(syllable: str, neighbours: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The syllables that differ from a precomposed `syllable` by one missed key."""
    index = ord(syllable) - _FIRST
    lead, vowel, tail = index // 588, index % 588 // 28, index % 28
    for other in _missed(LEADS[lead], LEADS, neighbours):
        yield _compose(LEADS.index(other), vowel, tail)
    for other in _missed(VOWELS[vowel], VOWELS, neighbours):
        yield _compose(lead, VOWELS.index(other), tail)
    if tail:
        for other in _missed(TAILS[tail], TAILS, neighbours):
            yield _compose(lead, vowel, TAILS.index(other))


def _missed(jamo: str, allowed: str, neighbours: Mapping[str, Sequence[str]]) -> Iterator[str]:
    keys = _PAIRS.get(jamo, jamo)
    for at, key in enumerate(keys):
        for other in neighbours.get(key, ()):
            typed = keys[:at] + other + keys[at + 1 :]
            whole = _JOINED.get(typed, typed)
            if len(whole) == 1 and whole in allowed:
                yield whole


def _compose(lead: int, vowel: int, tail: int) -> str:
    return chr(_FIRST + (lead * 21 + vowel) * 28 + tail)


def without_tail(cluster: str) -> str:
    """A precomposed syllable without its final consonant, as when its last key is not hit; nothing of what has none."""
    if not "가" <= cluster <= "힣":
        return ""
    index = ord(cluster[0]) - _FIRST
    return chr(ord(cluster[0]) - index % 28) if index % 28 else ""


def last_key(cluster: str) -> str:
    """The jamo that the last key of a precomposed syllable gives; nothing for another cluster."""
    if not "가" <= cluster <= "힣":
        return ""
    index = ord(cluster[0]) - _FIRST
    jamo = TAILS[index % 28] if index % 28 else VOWELS[index % 588 // 28]
    return _PAIRS.get(jamo, jamo)[-1]


def with_one_more_key(cluster: str) -> tuple[str, ...]:
    """What a precomposed syllable becomes when a random consonant key follows: a final consonant, or a lone jamo."""
    if not "가" <= cluster <= "힣":
        return ()
    keys = [lead for lead in LEADS if lead not in "ㄲㄸㅃㅆㅉ"]
    if (ord(cluster[0]) - _FIRST) % 28:
        return tuple(cluster + key for key in keys)
    return tuple(chr(ord(cluster[0]) + TAILS.index(key)) for key in keys if key in TAILS)
