"""The languages: their scripts, words, order and endings, and how one is added."""

from __future__ import annotations

import unicodedata

import pytest
import regex

from crosswind.data.microworld.corpora import documents
from crosswind.data.microworld.frames import Clause, Joined, Noun, PersonName, Pronoun, Quality
from crosswind.data.microworld.language import Language
from crosswind.data.microworld.languages import CODES, LANGUAGES
from crosswind.data.microworld.lexicon import CONCEPTS, Lexicon, lexicon, translations
from crosswind.data.microworld.render import Renderer, renderer
from crosswind.data.microworld.scripts import in_script
from crosswind.data.segmenter import SEGMENTERS
from crosswind.errors import UserError
from crosswind.perturb.words import is_unspaced, segmentation, words

ANELKA = PersonName("PER", ("anelka",))
HAS = Clause("have", ANELKA, Noun("dog", number="three"), past=False)
BOUGHT = Clause("buy", ANELKA, Noun("boat", "red"), (("in", Noun("market", known=True)), ("on", Noun("monday"))))


def test_there_are_eight_languages_in_six_scripts_three_orders_and_both_sides() -> None:
    assert len(CODES) == 8
    assert {language.script for language in LANGUAGES} == {"Latn", "Cyrl", "Grek", "Deva", "Hebr", "Thai"}
    assert {language.order for language in LANGUAGES} == {"SVO", "SOV", "VSO"}
    assert {language.adjective for language in LANGUAGES} == {"before", "after"}
    assert {language.adposition for language in LANGUAGES} == {"before", "after"}
    assert [language.code for language in LANGUAGES if not language.spaced] == ["qth-Thai"]


@pytest.mark.parametrize(
    ("clause", "english"),
    [
        (BOUGHT, "anelka bought a red boat in the market on monday."),
        (BOUGHT._replace(fronted=True), "in the market on monday anelka bought a red boat."),
        (BOUGHT._replace(other=True), "anelka purchased a red ship in the market on monday."),
        (BOUGHT._replace(negative=True), "anelka did not buy a red boat in the market on monday."),
        (BOUGHT._replace(asked="in"), "where did anelka buy a red boat on monday?"),
        (BOUGHT._replace(asked="object"), "what did anelka buy in the market on monday?"),
        (BOUGHT._replace(asked="subject"), "who bought a red boat in the market on monday?"),
        (BOUGHT._replace(asked="whether"), "did anelka buy a red boat in the market on monday?"),
        (Clause("have", ANELKA, Noun("knife", number="three"), past=False), "anelka has three knives."),
        (HAS._replace(asked="count"), "how many dogs does anelka have?"),
        (Clause("be", Noun("boat", owner=ANELKA), Quality("old"), past=False), "the boat of anelka is old."),
        (Clause("be", ANELKA, Quality("tired"), asked="object"), "how was anelka?"),
        (Clause("eat", ANELKA, Noun("apple")), "anelka ate an apple."),
    ],
)  # fmt: skip
def test_english_is_english(clause: Clause, english: str) -> None:
    assert renderer("en").text([clause]) == english


def test_a_cause_joins_two_clauses() -> None:
    cause = Joined(Clause("be", ANELKA, Quality("tired")), "because", Clause("run", Pronoun()))
    assert renderer("en").text([cause]) == "anelka was tired, because she ran."


def test_case_endings_and_word_order_follow_the_declaration() -> None:
    words = renderer("qlo-Latn")
    lexicon_ = words.words
    clause = Clause("buy", ANELKA, Noun("boat"), (("in", Noun("market", known=True)),))
    boat, market, bought = (
        lexicon_.form("boat", "n"), lexicon_.form("market", "ssa"), lexicon_.form("buy", lexicon_.ending("past")),
    )  # fmt: skip
    assert words.text([clause]) == f"{lexicon_.name('anelka')} {boat} {market} {bought}."


@pytest.mark.parametrize("code", CODES)
def test_no_two_concepts_share_a_word(code: str) -> None:
    forms = [lexicon(code).form(concept) for concept in CONCEPTS]
    assert len(set(forms)) == len(forms)


@pytest.mark.parametrize(
    ("code", "script"),
    [
        ("qcy-Cyrl", "Cyrillic"),
        ("qgr-Grek", "Greek"),
        ("qdv-Deva", "Devanagari"),
        ("qhb-Hebr", "Hebrew"),
        ("qth-Thai", "Thai"),
    ],
)
def test_text_is_in_its_script_but_for_loans_and_names_in_latin_letters(code: str, script: str) -> None:
    lines = " ".join(line.text for line in documents((code,), 1, 200))
    letters = regex.findall(r"\p{L}", lines)
    own = sum(bool(regex.match(rf"\p{{Script={script}}}", letter)) for letter in letters)
    latin = sum(bool(regex.match(r"\p{Latin}", letter)) for letter in letters)
    assert own + latin == len(letters)
    assert 0.05 < latin / len(letters) < 0.4


def test_devanagari_words_are_valid_syllables() -> None:
    lines = " ".join(line.text for line in documents(("qdv-Deva",), 1, 300))
    # Signs (matra, virama) follow a consonant; a virama stands between two.
    assert not regex.search(r"(?<![\u0915-\u0939])[\u093e-\u094d]", lines)
    assert not regex.search(r"\u094d(?![\u0915-\u0939])", lines)


def test_thai_vowels_stand_where_they_are_written() -> None:
    lines = " ".join(line.text for line in documents(("qth-Thai",), 1, 300))
    assert not regex.search(r"[เโ](?![ก-ฮ])", lines)
    assert not regex.search(r"(?<![ก-ฮ])[าีู]", lines)


def test_greek_and_hebrew_have_their_final_letters() -> None:
    assert in_script("logos", "Grek") == "λογος"
    assert in_script("shalom", "Hebr") == "שאלעם"


def test_text_is_composed_and_lower_case() -> None:
    for code in CODES:
        lines = " ".join(line.text for line in documents((code,), 1, 100))
        assert lines == unicodedata.normalize("NFKC", lines) == lines.lower()


def test_the_unspaced_language_is_cut_into_its_words() -> None:
    render = renderer("qth-Thai")
    for clause in (BOUGHT, BOUGHT._replace(asked="in"), Clause("sell", ANELKA, Noun("book", "old"))):
        own = [word.form for word in render.words_of(clause) if word.tag != "PUNCT"]
        written = render.text([clause])
        found = [written[span.start : span.end] for span in words(written, "qth-Thai")]
        assert found == own
    assert is_unspaced("qth-Thai")
    assert not is_unspaced("qcy-Cyrl")
    assert list(segmentation("qth-Thai")) == ["segmenter/qth"]


def test_what_is_no_word_stays_in_one_piece_of_the_text() -> None:
    word = lexicon("qth-Thai").form("market")
    assert SEGMENTERS["qth"].cut(f"ฮฮฮ{word}ฮ") == ["ฮฮฮ", word, "ฮ"]


def test_cognates_are_as_many_as_declared() -> None:
    near = lexicon("qla-Latn")
    open_words = [concept for concept, tag in CONCEPTS.items() if tag in ("NOUN", "VERB", "ADJ")]
    same = sum(near.form(concept)[:3] == concept[:3] for concept in open_words) / len(open_words)
    far = sum(lexicon("qlo-Latn").form(concept)[:3] == concept[:3] for concept in open_words) / len(open_words)
    assert 0.4 < same < 0.8
    assert far < same


def test_translations_match_form_by_form_and_names_too() -> None:
    table = translations("en", "qcy-Cyrl")
    there = lexicon("qcy-Cyrl")
    assert there.form("boat", "i") in table["boats"]
    assert there.form("buy", "al") in table["bought"]
    assert translations("qcy-Cyrl", "en")[there.form("dog")] == ("dog",)


def test_a_language_is_added_by_one_declaration() -> None:
    language = Language(
        "qza-Latn", "Zan", "Latn", onsets="z n", vowels="a", codas="-", order="VSO", loans=0.0, latin_names=1.0,
        cases={"object": "m"}, past="za",
    )  # fmt: skip
    words_ = Lexicon(language)
    bought, boat = words_.form("buy", "za"), words_.form("boat", "m")
    assert Renderer(language, words_).text([Clause("buy", ANELKA, Noun("boat"))]) == f"{bought} anelka {boat}."
    assert bought == words_.form("buy") + "za"


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(UserError, match=r"unknown language of the microworld 'qcy'"):
        lexicon("qcy")
