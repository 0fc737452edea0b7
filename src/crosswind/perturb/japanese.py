"""Words of Japanese with their endings, from ICU's pieces: it cuts 食べました into 食, べ, ま, した.

The rule and the lists are ours, made for what moves, comes twice or is left out as one; they follow what UniDic calls
short units with the auxiliaries and endings behind them, and no native speaker has checked them. A piece of hiragana
belongs to the word that it follows without a gap

1. if it begins with what can begin no word (a small kana, ん, ー) and stands behind kana or kanji;
2. if it is an ending (`_ENDINGS`), and the word is no particle;
3. if it has at most two letters and the word a stem in kanji or katakana, or one letter and the word is hiragana.

Particles and short words that stand alone (`_ALONE`) never join by 2 and 3, but で behind kanji and ん (飲んで). ICU's
で, した and で, しょう are the copula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

from crosswind.data.examples import Span

JOINING = "1"
"""The version of the rule, for fingerprints."""

_KANA = regex.compile(r"[\p{Hiragana}ー]+")
_STEM = regex.compile(r"[\p{Han}\p{Katakana}々]")
_NO_BEGINNING = frozenset("ぁぃぅぇぉっゃゅょゎんー")
_VOICED_TE = regex.compile(r"\p{Han}ん")

# fmt: off
_PARTICLES = frozenset({
    "は", "が", "を", "に", "へ", "と", "も", "の", "や", "か", "ね", "よ", "で", "から", "まで", "より",
    "など", "だけ", "では", "には", "とは", "でも", "にも", "のに", "ので", "へは", "への", "との", "からは",
    "けど", "ばかり", "くらい", "ぐらい", "けれど", "けれども",
})
_ALONE = _PARTICLES | frozenset({
    "これ", "それ", "あれ", "どれ", "ここ", "そこ", "あそこ", "どこ", "この", "その", "あの", "どの", "こと",
    "もの", "ため", "とき", "よう", "ところ", "うち", "わけ", "はず", "ほど", "もう", "よく", "また", "まだ",
    "すぐ", "ただ", "とても", "なぜ", "いつ", "だれ", "なに", "ほか",
})
_ENDINGS = frozenset({
    "た", "て", "だ", "ば", "ます", "まし", "ました", "ません", "ませ", "せん", "でした", "です", "だった",
    "ない", "なく", "なかっ", "なかった", "なければ", "たい", "たく", "たかっ", "れる", "られ", "られる",
    "せる", "させ", "させる", "いる", "いた", "いて", "いない", "ある", "あり", "する", "した", "して",
    "しない", "ください", "ましょう", "ながら", "たり", "たら", "なら", "そう", "らしい",
})
# fmt: on


def with_endings(text: str, pieces: Iterable[Span]) -> Iterator[Span]:
    """The words of a Japanese text whose `pieces`, in order, are those of ICU."""
    word: Span | None = None
    for piece in pieces:
        if (
            word is not None
            and word.end == piece.start
            and _belongs(text[piece.start : piece.end], text[word.start : word.end])
        ):
            word = Span(word.start, piece.end)
            continue
        if word is not None:
            yield word
        word = piece
    if word is not None:
        yield word


def _belongs(piece: str, word: str) -> bool:
    """Whether a piece ends the word before it."""
    if not _KANA.fullmatch(piece):
        return False
    if piece[0] in _NO_BEGINNING:
        return bool(_KANA.search(word[-1]) or _STEM.search(word[-1]))
    if piece == "で" and _VOICED_TE.fullmatch(word[-2:]):
        return True
    if piece in _ALONE or word in _PARTICLES:
        return word == "で" and piece in ("した", "しょう")
    stem = _STEM.search(word) is not None
    if piece in _ENDINGS:
        return stem or _KANA.fullmatch(word) is not None
    return len(piece) <= 2 if stem else len(piece) == 1 and _KANA.fullmatch(word) is not None
