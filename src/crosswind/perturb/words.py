"""Words: maximal runs of letters, marks and numbers, in every writing system.

Chinese, Japanese, Thai, Lao, Khmer and Burmese put no space between words: ICU's dictionaries find
their borders (UAX #29 with the dictionary break engines of ICU4C). A language of which ICU has no
dictionary may declare a segmenter of its own (`data/segmenter.py`). ICU cuts Japanese words into their endings, which
dictionaries and metrics look up; what moves or is left out as one has them on (`tokens`, `japanese.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import regex

from crosswind.data.examples import Span
from crosswind.data.languages import registered, script_of
from crosswind.data.segmenter import SEGMENTERS
from crosswind.errors import UserError
from crosswind.perturb.addresses import address
from crosswind.perturb.chunks import ChunkTable, WordColumns, WordMemo, WordNames
from crosswind.perturb.codes import CodeTable, Integers, TextBatch
from crosswind.perturb.graphemes import is_border, joins_before, joins_space, whole_clusters
from crosswind.perturb.japanese import JOINING, with_endings

if TYPE_CHECKING:
    from icu4py.breakers import WordBreaker

# ZWNJ and ZWJ inside a word are spelling in Persian and the Indic scripts.
# What joins the cluster of its first or last letter (number signs, tags, joiners) belongs to it too.
_WORD = regex.compile(
    r"\p{GCB=Prepend}*[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:[\u200c\u200d]+[\p{L}\p{M}\p{N}]+)*[\p{GCB=Extend}\u200d]*"
)
# What one types without a space: l'homme, e-mail, 3.5, R&D (UAX #29 MidLetter and MidNumLet, hyphens); between digits
# also 5,000 (MidNum), between Hebrew letters the quotation mark that stands for gershayim (WB7b).
_INNER = r"[\p{Pc}\p{Pd}'’ʼ.:·/&@״]|(?<=\p{N})[,;٫٬،](?=\p{N})|(?<=\p{Hebrew}\p{M}*)\"(?=\p{Hebrew})"
# Signs that stand at a word without a space go where it goes: $100, #tag, §5, −3, 50%, 20°, C++.
_BEFORE, _AFTER = r"[\p{Sc}#@§№+−-]*", r"[\p{Sc}%‰°′″+#]*"
_MORE = rf"(?:(?:{_INNER}){_WORD.pattern})*{_AFTER}"
_WHOLE = address(r"\p{L}\p{M}\p{N}")
_TOKEN = regex.compile(rf"{_BEFORE}(?:{_WHOLE}|{_WORD.pattern}){_MORE}")
_TOKEN_OR_PART = regex.compile(rf"{_BEFORE}{_WORD.pattern}{_MORE}")  # addresses are in parts
# In a text without spaces an address ends where its ASCII letters do.
_ADDRESS = regex.compile(rf"(?<![A-Za-z0-9]){address('A-Za-z0-9')}")

KEPT_LENGTH = 10_000
"""Characters of the longest text of which what was worked out is kept."""

UNSPACED_SCRIPTS = frozenset({"Hans", "Hant", "Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr"})


def script(language: str) -> str:
    """The ISO 15924 script that a language is written in: `Latn` for `sw` and `sr-Latn`, `Jpan` for `ja`.

    Raises a `UserError` for a code that is not registered, as everything here does.
    """
    return script_of(language)


def base_language(language: str) -> str:
    """The language subtag of a code in canonical form: `pt` for `pt-BR`, `fil` for `tl`."""
    return registered(language).language or language


@lru_cache(maxsize=1024)
def is_unspaced(language: str) -> bool:
    """Whether the words of a language stand without spaces between them."""
    return script(language) in UNSPACED_SCRIPTS or base_language(language) in SEGMENTERS


def is_turkic(language: str) -> bool:
    """Whether a language has i with a dot and ı without, in both cases."""
    return base_language(language) in ("tr", "az")


def lowered(text: str, turkic: bool) -> str:
    """`text` in lower case, where `turkic` İ → i and I → ı; İ may be decomposed, with other marks before the dot."""
    if not turkic:
        return text.lower()
    dotted: str = _DOTTED_CAPITAL.sub(r"i\1", text.replace("İ", "i"))
    return dotted.replace("I", "ı").lower()


# SpecialCasing.txt, After_I: between the letter and the dot stands no other mark above.
_DOTTED_CAPITAL = regex.compile(r"I((?:(?!\p{ccc=230})(?!\p{ccc=0})\p{M})*)\u0307")


def raised(text: str, turkic: bool) -> str:
    """`text` in upper case, where `turkic` i → İ and ı → I."""
    return (text.replace("i", "İ") if turkic else text).upper()


def cased_like(other: str, like: str, turkic: bool) -> str:
    """`other` in the case of the word it stands for: BANK → ORILLA, Bank → Orilla; of a small one as it is."""
    if len(like) > 1 and like.isupper():
        return raised(other, turkic)
    if like[:1].isupper():
        return raised(other[:1], turkic) + other[1:]
    return other


def words(text: str, language: str) -> list[Span]:
    """The words of `text`. A `UserError` if the language needs a segmenter and none is installed."""
    if is_unspaced(language):
        return list(_segmented(text, language))
    return _snapped(text, [Span(*m.span()) for m in _WORD.finditer(text)])


def tokens(text: str, language: str, *, endings: bool = True, addresses: bool = True) -> list[Span]:
    """What stands between spaces and punctuation: as `words`, but `l'homme`, `5,000` and `$100` are one.

    So is a Japanese word with its `endings`, 食べました, and of the web and of mail a whole address
    (`https://a.org/b?c=d#e`) where `addresses` are not taken apart.
    """
    if is_unspaced(language):
        spans = list(_segmented(text, language))
        if endings and _has_endings(language):
            spans = list(with_endings(text, spans))
        return _joined_in(spans, [m.span() for m in _ADDRESS.finditer(text)]) if addresses else spans
    pattern = _TOKEN if addresses else _TOKEN_OR_PART
    return _snapped(text, [Span(*m.span()) for m in pattern.finditer(text)])


def _joined_in(spans: list[Span], regions: Sequence[tuple[int, int]]) -> list[Span]:
    """Spans, those that touch a region as one with it."""
    for low, high in regions:
        at = next((i for i, s in enumerate(spans) if s.end > low), len(spans))
        end = next((i for i in range(at, len(spans)) if spans[i].start >= high), len(spans))
        if at < end:
            spans[at:end] = [Span(min(spans[at].start, low), max(spans[end - 1].end, high))]
    return spans


def sentences(text: str, language: str) -> list[Span]:
    """The sentences of `text` with the white space behind them, by ICU (UAX #29, sentence boundaries)."""
    _breaker()
    from icu4py.breakers import SentenceBreaker

    spans, at = list[Span](), 0
    for piece in SentenceBreaker(text, language):
        spans.append(Span(at, at + len(piece)))
        at += len(piece)
    return spans


def word_columns(
    batch: TextBatch,
    language: str,
    *,
    glued: bool = False,
    asked: int | None = None,
    addresses: bool = True,
) -> WordColumns:
    """The words of a batch in its joined text; `glued` ones are those of `tokens`, of a text without spaces with
    `addresses` or with their parts.

    With `asked` words may be missing but those at which a site is asked for and, of each, the next `asked` before
    which nothing but white space stands.
    """
    if not is_unspaced(language):
        assert addresses, "no table has the parts of addresses"
        table = _GLUED if glued else _PLAIN
        words, others = table.words(batch, asked=asked)
        if not len(others):
            return words
        texts = [batch.texts[i] for i in others.tolist()]
        more = [_with_numbers(_borders(text, language, glued), text, words.names) for text in texts]
        return _in_order(words, _side_by_side(more, batch.first[others], words.names))
    _UNSPACED.make_room()
    every = [
        _segments(text, language, glued, addresses, _UNSPACED.epoch)
        if len(text) < KEPT_LENGTH
        else _segments.__wrapped__(text, language, glued, addresses, _UNSPACED.epoch)
        for text in batch.texts
    ]
    return _side_by_side(every, batch.first[:-1], _UNSPACED)


def movable(batch: TextBatch, words: WordColumns) -> Integers | None:
    """How many sites of each text may change by columns where words move (`Columns.most`): none where a word could
    join, or be joined by, what it comes to stand beside; `None` where all may."""
    if batch.simple or not len(words.starts):
        return None
    reach = _reach(words)
    adjacent = np.zeros(len(reach), dtype=np.bool_)
    adjacent[:-1] = words.ends[:-1] == words.starts[1:]
    owners = np.searchsorted(batch.first, words.starts, side="right") - 1
    meeting = np.isin(owners, owners[adjacent])
    gaps = _joins_after.some(batch.codes[words.starts - 1])  # before the first word of a batch what stands behind it
    tearing = owners[(reach & _FRONT > 0) | ((reach & _BACK > 0) & meeting) | gaps]
    if not len(tearing):
        return None
    most = np.bincount(owners, minlength=len(batch.texts))
    most[tearing] = 0
    return most


_FRONT, _BACK = 1, 2
_JOINS_AFTER = r"[\p{GCB=Prepend}\p{GCB=ZWJ}\p{GCB=L}\p{GCB=Regional_Indicator}]"
_JOINS_BEHIND = regex.compile(rf"(?:{_JOINS_AFTER}|\p{{InCB=Linker}}[\p{{InCB=Linker}}\p{{InCB=Extend}}]*)\Z")
_joins_after = CodeTable(
    lambda char: int(regex.match(rf"{_JOINS_AFTER}|\p{{InCB=Linker}}|\p{{InCB=Extend}}", char) is not None)
)
_reach = WordMemo(lambda word: _FRONT * joins_before(word[0]) | _BACK * (_JOINS_BEHIND.search(word) is not None))


def _side_by_side(every: Sequence[Integers], shifts: Integers, names: WordNames) -> WordColumns:
    """The words of texts, of each text starts, ends and numbers, in the text that they are joined to."""
    counts = np.fromiter((columns.shape[1] for columns in every), dtype=np.int64, count=len(every))
    starts, ends, numbers = np.concatenate([_NO_WORDS, *every], axis=1)
    shift = np.repeat(shifts, counts)
    return WordColumns(starts + shift, ends + shift, numbers, names)


def _in_order(words: WordColumns, more: WordColumns) -> WordColumns:
    order = np.argsort(np.concatenate((words.starts, more.starts)), kind="stable")
    starts, ends, numbers = (np.concatenate(both)[order] for both in zip(words[:3], more[:3], strict=True))
    return WordColumns(starts, ends, numbers, words.names)


def _with_numbers(spans: Sequence[Span], text: str, names: WordNames) -> Integers:
    """Starts, ends and numbers of the words of a text."""
    rows = [(span.start, span.end, names.number(text[span.start : span.end])) for span in spans]
    return np.array(rows, dtype=np.int64).reshape(-1, 3).T


def _borders(text: str, language: str, glued: bool, addresses: bool = True) -> list[Span]:
    return tokens(text, language, addresses=addresses) if glued else words(text, language)


@lru_cache(maxsize=16384)  # as `_segmented`
def _segments(text: str, language: str, glued: bool, addresses: bool, epoch: int) -> Integers:
    """Starts, ends and numbers (of an `epoch`) of the words of a text without spaces."""
    return _with_numbers(_borders(text, language, glued, addresses), text, _UNSPACED)


def _cut(pattern: regex.Pattern[str]) -> Callable[[str], list[Span] | None]:
    """What gives the words of a chunk between white space."""

    def cut(chunk: str) -> list[Span] | None:
        if len(chunk) > _LONGEST_CHUNK or joins_before(chunk[0]) or joins_space(chunk[-1]):
            return None
        return _snapped(chunk, [Span(*m.span()) for m in pattern.finditer(chunk)])

    return cut


_LONGEST_CHUNK = 256  # that is kept with its words
_NO_WORDS = np.zeros((3, 0), dtype=np.int64)
_PLAIN, _GLUED, _UNSPACED = ChunkTable(_cut(_WORD)), ChunkTable(_cut(_TOKEN)), WordNames()


def segmentation(language: str, *, endings: bool = True) -> dict[str, str]:
    """What the words of an unspaced language depend on, for fingerprints; nothing for a spaced one."""
    if not is_unspaced(language):
        return {}
    name = base_language(language)
    if name in SEGMENTERS:
        return {f"segmenter/{name}": SEGMENTERS[name].version()}
    return {"icu": segmenter_version(), **({"japanese endings": JOINING} if endings and _has_endings(language) else {})}


def tokenization(language: str, *, endings: bool = True) -> dict[str, str]:
    """What `tokens` depend on, for fingerprints: the rules of this module and the `segmentation`."""
    return {"tokens": "2", **segmentation(language, endings=endings)}


def _has_endings(language: str) -> bool:
    return base_language(language) == "ja" and base_language(language) not in SEGMENTERS


def segmenter_version() -> str:
    """ICU's version: the dictionaries, and so the words of zh, ja and th, change with it."""
    _breaker()
    import icu4py

    return str(icu4py.icu_version)


def _segmented(text: str, language: str) -> tuple[Span, ...]:
    return (_cut_text if len(text) < KEPT_LENGTH else _cut_text.__wrapped__)(text, language)


@lru_cache(maxsize=16384)  # the texts of a large test set, which every perturbation and severity cuts again
def _cut_text(text: str, language: str) -> tuple[Span, ...]:
    spans: list[Span] = []
    at = 0
    name = base_language(language)
    pieces = SEGMENTERS[name].cut(text) if name in SEGMENTERS else _breaker()(text, language)
    for piece in _whole_clusters(text, pieces):
        # A segment of mixed kinds ("3月") is cut into its runs like any other text.
        spans.extend(Span(at + m.start(), at + m.end()) for m in _WORD.finditer(piece))
        at += len(piece)
    return tuple(_snapped(text, spans))


def _whole_clusters(text: str, pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a text, joined where a segmenter's border lies within a grapheme cluster (Burmese)."""
    start = end = 0
    for piece in pieces:
        end += len(piece)
        if is_border(text, end):
            yield text[start:end]
            start = end


def _snapped(text: str, spans: list[Span]) -> list[Span]:
    """Words with the whole clusters of their first and last letters; words that share a cluster are one."""
    if all(is_border(text, s.start) and is_border(text, s.end) for s in spans):
        return spans
    whole: list[Span] = []
    for start, end in ((s.start, s.end) for s in spans):
        start, end = whole_clusters(text, start, end)
        if whole and start < whole[-1].end:
            start = whole.pop().start
        whole.append(Span(start, end))
    return whole


def _breaker() -> type[WordBreaker]:
    try:
        from icu4py.breakers import WordBreaker
    except ImportError:
        raise UserError(
            "the words of Chinese, Japanese and Thai need a segmenter, and icu4py is not installed",
            hint="pip install 'icu4py>=1.2,<2'",
        ) from None
    return WordBreaker
