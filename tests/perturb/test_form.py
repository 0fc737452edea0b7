"""No perturbation takes a text out of its normal form or tears a grapheme cluster, in any script."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crosswind.data.examples import PairExample
from crosswind.perturb.alternatives import Listed, Sites
from crosswind.perturb.applied import Liberties, applied, compatible
from crosswind.perturb.dataset import perturb_example
from crosswind.perturb.form import normal_form
from crosswind.perturb.graphemes import clusters, is_border
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.pieces import Keep
from crosswind.perturb.replay import replay
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import parse_spec
from crosswind.perturb.words import words

SPECS = (
    "swap:0.6",
    "keyboard:0.6",
    "homoglyph:0.6",
    "diacritics:0.8",
    "word-order(window=3):0.6",
    "keyboard:0.4+swap:0.4",
)
SCRIPTS = {
    "ar": "Arabic", "bn": "Bengali", "de": "Latin", "el": "Greek", "fa": "Arabic", "gu": "Gujarati", "he": "Hebrew",
    "hi": "Devanagari", "hy": "Armenian", "ja": "Hiragana", "ka": "Georgian", "km": "Khmer", "kn": "Kannada",
    "ko": "Hangul", "lo": "Lao", "ml": "Malayalam", "my": "Myanmar", "or": "Oriya", "pa": "Gurmukhi", "ru": "Cyrillic",
    "ta": "Tamil", "te": "Telugu", "th": "Thai", "tr": "Latin", "vi": "Latin", "yo": "Latin", "zh": "Han",
}  # fmt: skip
JOINERS = " -’\u0301\u0308\u0323\u200c\u200d\ufe0f\u0ccd👍🏽🇩🇪"
_ALL = "".join(map(chr, range(0x20, 0xD7A4)))
LETTERS = {code: "".join(regex.findall(rf"(?=\p{{{name}}})[\p{{L}}\p{{M}}]", _ALL)) for code, name in SCRIPTS.items()}


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, str]:
    language = draw(st.sampled_from(sorted(SCRIPTS)))
    text = draw(st.text(st.sampled_from(LETTERS[language] + JOINERS * 3), max_size=30))
    form = draw(st.sampled_from(["NFC", "NFD", ""]))
    return language, unicodedata.normalize(form, text) if form else text  # type: ignore[arg-type]


def check(language: str, text: str, spec: str, draw: int = 1) -> bool:
    """Whether the perturbation changes the text; what it makes of it is checked."""
    item = PairExample("x/1", "x", language, text, "")
    try:
        perturbed = perturb_example(item, parse_spec(spec), task="t", draw=draw, fields=("first",))
    except NotApplicable:
        return False
    new = perturbed.example
    assert isinstance(new, PairExample)
    new.first.encode("utf-8")
    for form in ("NFC", "NFD"):
        if unicodedata.is_normalized(form, text) and (form == "NFC" or normal_form(text) == "NFD"):
            assert unicodedata.is_normalized(form, new.first)
    if perturbed.changed:
        rewrite = perturbed.rewrites["first"]
        assert replay(item, {"first": Rewrite.from_json(rewrite.to_json())}).example == new
        borders = set(itertools.accumulate(map(len, clusters(text)), initial=0))
        kept = [p for p in rewrite.pieces if isinstance(p, Keep)]
        assert {edge for p in kept for edge in p} <= borders
        if "+" not in spec:
            pieces = [text[p.start : p.end] if isinstance(p, Keep) else p.text for p in rewrite.pieces]
            assert [c for p in pieces for c in clusters(p)] == clusters(new.first)
    again = perturb_example(item, parse_spec(spec), task="t", draw=draw, fields=("first",))
    assert again.example == new
    return perturbed.changed


@pytest.mark.parametrize("spec", SPECS)
@given(text=texts(), draw=st.integers(1, 1000))
@example(text=("ko", "각\u0301 글\ufe0f 한\u200d"), draw=1)
@example(text=("pa", unicodedata.normalize("NFC", "ਸ਼ਹਿਰ ਜ਼ਮੀਨ ਖ਼ਬਰ")), draw=1)
@example(text=("ru", "ещё ёлка"), draw=1)
@settings(max_examples=50, deadline=None)
def test_form_and_clusters_are_kept_in_any_script(spec: str, text: tuple[str, str], draw: int) -> None:
    check(*text, spec, draw)


@given(st.text(st.sampled_from("ab\r\n가각각कष्ि\u200d\u0301\u0600👍🏽🇩🇪👨ก็ာ်"), max_size=12))
@settings(max_examples=500, deadline=None)
def test_a_border_is_where_a_cluster_ends(text: str) -> None:
    borders = set(itertools.accumulate(map(len, regex.findall(r"\X", text)), initial=0))
    assert [i for i in range(len(text) + 1) if is_border(text, i)] == sorted(borders)


def everything(text: str, language: str, spec: str, draw: int = 1) -> str:
    item = PairExample("x/1", "x", language, text, "")
    changed = perturb_example(item, parse_spec(spec), task="t", draw=draw, fields=("first",)).example
    assert isinstance(changed, PairExample)
    return changed.first


def test_a_homoglyph_takes_the_composed_letter_where_there_is_one() -> None:
    # The table gives a base letter and U+0308; Latin ë is one code point.
    composed = {everything("ё", "ru", "homoglyph:1", draw) for draw in range(20)}
    assert "ë" in composed
    assert all(unicodedata.is_normalized("NFC", new) for new in composed)
    decomposed = unicodedata.normalize("NFD", "ё")
    new = {everything(decomposed, "ru", "homoglyph:1", draw) for draw in range(20)}
    assert unicodedata.normalize("NFD", "ë") in new
    assert "ë" not in new


def test_gurmukhi_letters_with_a_dot_are_written_as_nfc_has_them() -> None:
    text = "ਸਹਿਰ ਗਲ ਜਮ ਖਰ " * 20
    assert unicodedata.is_normalized("NFC", everything(text, "pa", "keyboard:1"))


def test_words_end_where_clusters_do() -> None:
    for text in ("ဗမာစာ", "ေဗဒ်က္", "ျမန္မာစကား", "การเรียนรู้", "ភាសាខ្មែរ"):
        language = {"ဗ": "my", "ေ": "my", "ျ": "my", "ก": "th", "ភ": "km"}[text[0]]
        for word in words(text, language):
            assert is_border(text, word.start)
            assert is_border(text, word.end)


def test_the_words_of_burmese_lines_end_where_clusters_do(official_data: Callable[..., Path]) -> None:
    folder = official_data("ntrex")
    (path,) = (folder / "ntrex").rglob("*mya*")
    lines = path.read_text(encoding="utf-8").splitlines()
    torn = [
        line for line in lines if not all(is_border(line, at) for w in words(line, "my") for at in (w.start, w.end))
    ]
    assert len(lines) > 1000
    assert torn == []


def test_what_means_to_tear_clusters_says_so() -> None:
    passage = Passage.line("é" + "e\u0301"[0], "fr")
    tearing = [(1, 2, "\u0301", 0.0)]  # a mark of its own would join the letter before it
    assert applied(passage, tearing) is None
    assert compatible(passage, tearing) == []
    written = applied(passage, tearing, Liberties(form=True))
    assert written is not None
    assert written.passage.text == "é\u0301"


def test_changes_that_only_together_break_the_form_are_made_one_at_a_time() -> None:
    passage = Passage.line("ab", "ko")
    changes = [(0, 1, "\u1100", 0.2), (1, 2, "\u1161", 0.1)]  # leading and vowel jamo would become one syllable
    assert applied(passage, changes) is None
    assert compatible(passage, changes) == [changes[1]]


def test_sites_of_a_careless_perturbation_do_no_harm() -> None:
    careless = Listed(
        lambda passage: Sites(range(len(passage.text)), range(1, len(passage.text) + 1), lambda i: ("x",))
    )
    text = "हिन्दी e\u0301"
    (sites,) = careless.sites([Passage.line(text, "hi")])
    alone = [site for site in sites if applied(Passage.line(text, "hi"), [(*site[:2], "x", 0.0)]) is not None]
    assert [text[s.start : s.end] for s in alone] == [" "]
