"""The shipped perturbations: what each changes, and what none may do."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.errors import UserError
from crosswind.perturb.alternatives import Sites
from crosswind.perturb.families.homoglyph import look_alikes, pairs
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.lexicons import LexiconFolder
from crosswind.perturb.lines import line_ids, perturb_lines
from crosswind.perturb.matrix import matrix
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import Environment, NotApplicable
from crosswind.perturb.rewrite import Rewrite
from crosswind.perturb.spec import TextScope, parse_spec

SENTENCES = {
    "en": "The quick brown fox jumps over the lazy dog, doesn't it?",
    "de": "Die Größe der Übung in der STRAßE ist schön.",
    "ru": "Съешь ещё этих мягких французских булок, да выпей чаю.",
    "hi": "क्षत्रिय लोग हिन्दी में बोलते हैं।",
    "ar": "ذَهَبَ الوَلَدُ إلى المدرسةِ أمس.",
    "he": "שָׁלוֹם עוֹלָם, הילד הלך הביתה",
    "th": "ฉันเรียนภาษาไทยที่มหาวิทยาลัย",
    "zh": "我昨天在北京大学学习自然语言处理，今天休息。",
    "ja": "私は昨日東京大学で自然言語処理を勉強しました。",
    "ko": "나는 학교에서 값싼 책을 읽었다",
    "vi": "Tôi muốn học tiếng Việt ở trường",
    "tr": "İstanbul ışıklı bir şehir",
    "el": "Ο γρήγορος καφέ ρόδι",
    "ta": "தமிழ் மொழி மிகவும் பழமையானது",
    "en-emoji": "fine 👨‍👩‍👧 thanks 👍🏽 café e\u0301te\u0301",
}
PLAIN = ("swap", "swap(scripts=all)", "keyboard", "homoglyph", "diacritics(languages=all)", "word-order(window=3)")


def alternatives(spec: str, text: str, language: str, environment: Environment | None = None) -> Sites:
    scope = TextScope(language, environment=environment or Environment())
    (sites,) = parse_spec(spec, severity=1).atoms[0].prepare(scope).sites([Passage.line(text, language)])
    return sites


def everything(spec: str, text: str, language: str, environment: Environment | None = None) -> str:
    (line,) = perturb_lines([text], parse_spec(spec, severity=1), language, environment=environment)
    return line


def check_sites(text: str, sites: Sites, tears: bool) -> None:
    assert list(sites.starts) == sorted(set(sites.starts))
    whole = clusters(text)
    borders = {0, *(sum(map(len, whole[: i + 1])) for i in range(len(whole)))}
    for site in sites:
        assert 0 <= site.start <= site.end <= len(text)
        assert {site.start, site.end} <= borders
        assert site.options
        for option in site.options:
            changed = Rewrite.from_changes(len(text), [(site.start, site.end, option)]).apply(text)
            assert changed != text
            if not tears:
                # What lies outside the site keeps its clusters.
                before, after = text[: site.start], text[site.end :]
                middle = changed[len(before) : len(changed) - len(after)]
                assert clusters(changed) == clusters(before) + clusters(middle) + clusters(after)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_alternatives_differ_from_the_text_and_tear_no_cluster(name: str, language: str) -> None:
    text = SENTENCES[language]
    try:
        sites = alternatives(name, text, language.partition("-")[0])
    except NotApplicable:
        assert name.partition("(")[0] in ("swap", "keyboard", "homoglyph", "diacritics")
        return
    check_sites(text, sites, tears=False)
    if name.startswith("swap"):  # and no cluster is lost or made
        changed = everything(name, text, language.partition("-")[0])
        assert sorted(clusters(changed)) == sorted(clusters(text))


LETTERS = st.text(st.characters(categories=("L", "M", "N", "P", "Zs", "Cf", "So")), max_size=30)


@pytest.mark.parametrize("name", PLAIN)
@given(text=LETTERS, language=st.sampled_from(["en", "ar", "th"]))
def test_sites_hold_on_any_text(name: str, text: str, language: str) -> None:
    try:
        sites = alternatives(name, text, language)
    except NotApplicable:
        return
    check_sites(text, sites, tears=True)


def test_swap_exchanges_letters_of_one_script_within_a_word() -> None:
    assert everything("swap", "ab", "en") == "ba"
    assert everything("swap", "a b 12 3a aa", "en") == "a b 12 3a aa"
    every = "swap(scripts=all)"
    assert everything(every, "कि", "hi") == "कि"  # one cluster
    assert everything(every, "किताब", "hi") in {"ताकिब", "किबता"}
    sites = alternatives(every, "我昨天在", "zh")
    assert [(s.start, s.end) for s in sites] == [(1, 3)]  # 昨天 is a word, 我 and 在 are others


@pytest.mark.parametrize("language", ["zh", "ja", "ko", "hi", "ta", "my", "am"])
def test_characters_that_are_syllables_or_words_are_swapped_only_on_request(language: str) -> None:
    reason = parse_spec("swap:0.1").applies(TextScope(language))
    assert reason is not None
    assert "swap(scripts=all)" in reason
    assert parse_spec("swap(scripts=all):0.1").applies(TextScope(language)) is None


def test_the_swap_of_belinkov_and_bisk_is_once_in_a_word_of_four_letters_and_keeps_its_ends() -> None:
    """§3.2 has noise → nosie as its example; noise has two inner pairs, oi and is."""
    sites = alternatives("swap(model=belinkov)", "the noise was loud, boot 3and4", "en")
    text = "the noise was loud, boot 3and4"
    assert [(text[s.start : s.end], len(s.options)) for s in sites] == [("ois", 2), ("ou", 1)]  # boot has two equal
    assert everything("swap(model=belinkov)", "noise", "en") in {"niose", "nosie"}
    assert everything("swap(model=belinkov)", "was loud", "en") == "was luod"


@pytest.mark.parametrize(
    ("language", "text", "stripped"),
    [
        ("de", "Größe STRAßE ẞ", "Grosse STRASSE SS"),
        ("tr", "İstanbul ışık ğüşöç", "Istanbul isik gusoc"),
        ("vi", "Tiếng Việt đường ĐƯỢC", "Tieng Viet duong DUOC"),
        ("ar", "ذَهَبَ الوَلَدُ إلى أمّ آن", "ذهب الولد إلى أم آن"),
        ("he", "שָׁלוֹם", "שלום"),
        ("el", "γρήγορος ΐ", "γρηγορος ι"),
        ("ru", "ещё мой за́мок", "еще мой замок"),
        ("uk", "їжак", "їжак"),
        ("pl", "łódź", "lodz"),
        ("da", "Århus æble ø", "Arhus æble o"),
        ("en", "plain", "plain"),
        ("fr", "e\u0301te\u0301", "ete"),
    ],
)
def test_diacritics_are_stripped_as_the_script_has_them(language: str, text: str, stripped: str) -> None:
    assert everything("diacritics(languages=all)", text, language) == stripped


@pytest.mark.parametrize("language", ["sw", "ms", "bg", "kk", "tl", "en", "id", "fa", "he", "eu", "uk", "ha"])
def test_languages_written_without_diacritics_have_none_to_strip(language: str) -> None:
    assert "written without them" in str(parse_spec("diacritics:1").applies(TextScope(language)))
    assert parse_spec("diacritics(languages=all):1").applies(TextScope(language)) is None


@pytest.mark.parametrize("spec", ["codemix(embed=en)", "swap(scripts=all)", "delete", "invisible", "bidi", "digits"])
def test_within_words_of_one_character_nothing_changes(spec: str, lexicons: Path) -> None:
    environment = Environment(LexiconFolder(lexicons))
    for task, language in (("panx", "zh"), ("panx", "ja"), ("panx", "hi"), ("udpos", "zh"), ("udpos", "ja")):
        words = task == "udpos" or language == "hi"
        scope = TextScope(language, "tagging", ("words",), environment, task)
        reason = str(parse_spec(spec, severity=0.5).applies(scope))
        assert ("single characters" not in reason) is words


def test_the_matrix_says_where_words_are_characters() -> None:
    cells = [c for c in matrix(("zh", "ja", "ko")) if "single characters" in c.reason]
    # Code-mixing and swaps have other reasons first: they need a lexicon, and swap no characters at all.
    assert {(c.perturbation, c.kind, c.language) for c in cells} >= {
        (name, "ner", language) for name in ("delete", "invisible", "bidi", "digits") for language in ("zh", "ja")
    }
    assert {(c.kind, c.state, c.language) for c in cells} == {("ner", "n/a", "zh"), ("ner", "n/a", "ja")}


@pytest.mark.parametrize("language", ["hi", "th", "zh", "ja", "ko", "ta"])
def test_vowel_signs_and_tones_are_no_diacritics(language: str) -> None:
    with pytest.raises(NotApplicable):
        everything("diacritics", SENTENCES[language], language)


def test_homoglyphs_are_of_another_script_and_look_alike() -> None:
    (site,) = alternatives("homoglyph", "a", "en")
    assert site.options == ("а",)  # Cyrillic; UTS #39 also has Greek α and Latin ɑ
    (site,) = alternatives("homoglyph(similarity=0.5)", "a", "en")
    assert site.options == ("а", "α")  # the most alike first
    (site,) = alternatives("homoglyph", "e\u0301", "en")
    assert site.options == ("е\u0301",)  # the accent stays
    # What one class of UTS #39 joins and no reader takes for the other.
    for letter, other, language in (("f", "ք", "en"), ("e", "ҽ", "en"), ("o", "ჿ", "en"), ("y", "ყ", "en")):
        assert all(other not in s.options for s in alternatives("homoglyph(similarity=0.5)", letter, language))
    assert parse_spec("homoglyph:1").applies(TextScope("ja")) is not None  # no ideograph for a kana
    assert parse_spec("homoglyph:1").applies(TextScope("ar")) is not None  # ي has dots at the end of a word, ى has none
    assert {code: parse_spec("homoglyph:1").applies(TextScope(code)) for code in ("en", "ru", "el", "hy")} == {
        "en": None, "ru": None, "el": None, "hy": None,
    }  # fmt: skip


def test_the_shipped_pairs_are_single_steps_of_unicodes_file(official_data: Callable[..., Path]) -> None:
    lines = (official_data("confusables") / "confusables/confusables.txt").read_text(encoding="utf-8-sig").splitlines()
    steps = {frozenset(pair) for pair in pairs(lines)}
    shipped = {frozenset((letter, other)) for letter, others in look_alikes().items() for other in others}
    assert len(shipped) > 80
    assert shipped <= steps
    for letter, others in look_alikes().items():
        assert all(look_alikes()[other][letter] == alike and 0.5 <= alike <= 1 for other, alike in others.items())
        assert list(others.values()) == sorted(others.values(), reverse=True)


def test_words_move_within_their_phrase_and_spaces_stay() -> None:
    sites = alternatives("word-order", "one two,  three   four", "en")
    assert [(s.start, s.end) for s in sites] == [(0, 7), (10, 22)]
    assert everything("word-order", "one two,  three   four", "en") == "two one,  four   three"
    assert len(alternatives("word-order(window=3)", "one two three", "en")[0].options) == 2
    assert everything("word-order", "that that", "en") == "that that"


@pytest.fixture
def lexicons(tmp_path: Path) -> Path:
    (tmp_path / "en-de.txt").write_text("dog hund\ndog köter\nhouse haus\nusa usa\n", encoding="utf-8")
    (tmp_path / "en-zh.txt").write_text("dog\t狗\ngood morning\t早上好\nhouse\t房子\n", encoding="utf-8")
    return tmp_path


def test_codemix_takes_translations_and_keeps_case(lexicons: Path) -> None:
    spec = f'codemix(embed=de,zh,lexicon="{lexicons}")'
    found = {text: set(site.options) for text in ("Dog", "DOG", "dog") for site in alternatives(spec, text, "en")}
    assert found == {"Dog": {"Hund", "Köter", "狗"}, "DOG": {"HUND", "KÖTER", "狗"}, "dog": {"hund", "köter", "狗"}}
    (lexicons / "en-tr.txt").write_text("country il\nlight ışık\n", encoding="utf-8")
    turkish = f'codemix(embed=tr,lexicon="{lexicons}")'
    found = {text: set(site.options) for text in ("Country", "LIGHT") for site in alternatives(turkish, text, "en")}
    assert found == {"Country": {"İl"}, "LIGHT": {"IŞIK"}}
    assert len(alternatives(spec, "the USA", "en")) == 0  # the same word is no change
    assert alternatives(f'codemix(embed=de,translations=1,lexicon="{lexicons}")', "dog", "en")[0].options == ("hund",)


def test_codemix_goes_through_english_and_sets_words_off_where_no_space_is(lexicons: Path) -> None:
    environment = Environment(LexiconFolder(lexicons))
    assert everything("codemix(embed=zh)", "Der Hund.", "de", environment) == "Der 狗."
    mixed = everything("codemix(embed=de)", "我的房子很大。", "zh", environment)
    assert mixed == "我的 haus 很大。"


def test_a_lexicon_that_is_missing_or_wrong_is_named(lexicons: Path) -> None:
    environment = Environment(LexiconFolder(lexicons))
    with pytest.raises(NotApplicable, match=r"en-sw\.txt"):
        everything("codemix(embed=de)", "mbwa", "sw", environment)
    with pytest.raises(NotApplicable, match="language of the text itself"):
        everything("codemix(embed=de)", "Hund", "de", environment)
    with pytest.raises(UserError, match="needs bilingual lexicons"):
        everything("codemix(embed=de)", "dog", "en")
    with pytest.raises(UserError, match="no folder of lexicons"):
        everything("codemix(embed=de,lexicon=nowhere)", "dog", "en")
    (lexicons / "en-fr.txt").write_text("dog chien\nhouse\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"en-fr\.txt:2"):
        everything("codemix(embed=fr)", "dog", "en", environment)


def test_every_file_of_one_name_is_identity(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "en.tsv").write_text(f"house\thouse{folder}\n", encoding="utf-8")
    both = parse_spec(f'real-noise(errors="{tmp_path}"):1')
    joined = parse_spec("+".join(f'real-noise(errors="{tmp_path / f}"):1' for f in ("a", "b")))
    before = [spec.resources(TextScope("en")) for spec in (both, joined)]
    (tmp_path / "a" / "en.tsv").write_text("house\thuose\n", encoding="utf-8")
    after = [spec.resources(TextScope("en")) for spec in (both, joined)]
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_the_content_of_a_lexicon_is_identity_and_its_place_is_not(lexicons: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for name in ("en-de.txt", "en-zh.txt"):
        (elsewhere / name).write_bytes((lexicons / name).read_bytes())
    here, there = (f'codemix(embed=de,zh,lexicon="{p}")' for p in (lexicons, elsewhere))
    lines = ["the dog in the house", "a house and a dog"] * 20
    spec = [parse_spec(s, severity=0.5) for s in (here, there)]
    assert list(perturb_lines(lines, spec[0], "en")) == list(perturb_lines(lines, spec[1], "en"))
    assert spec[0].resources(TextScope("en")) == spec[1].resources(TextScope("en"))
    assert set(spec[0].resources(TextScope("en"))) == {"lexicon/en-de.txt", "lexicon/en-zh.txt"}
    assert "icu" in spec[0].resources(TextScope("zh"))
    (elsewhere / "en-de.txt").write_text("dog hund\n", encoding="utf-8")
    assert spec[0].resources(TextScope("en")) != spec[1].resources(TextScope("en"))


def test_muse_dictionaries_mix_german_and_chinese_into_english(official_data: Callable[..., Path]) -> None:
    environment = Environment(LexiconFolder(official_data("muse") / "muse/dictionaries"))
    sites = alternatives("codemix(embed=de,zh)", "The dog sleeps in the house.", "en", environment)
    words = {("The dog sleeps in the house."[s.start : s.end]): s.options for s in sites}
    assert "hund" in words["dog"]
    assert "房子" in words["house"]
    assert "Die" in words["The"]


def test_lines_do_not_depend_on_their_order_and_repeated_lines_differ() -> None:
    lines = [SENTENCES["en"], "another line of text", SENTENCES["en"], "", "a third, longer line of text"] * 3
    spec = parse_spec("swap:0.3+keyboard:0.1")
    forwards = list(perturb_lines(lines, spec, "en", draw=3))
    backwards = list(perturb_lines(lines[::-1], spec, "en", draw=3))
    assert sorted(forwards) == sorted(backwards)
    assert len({new for old, new in zip(lines, forwards, strict=True) if old == SENTENCES["en"]}) == 6
    assert forwards != list(perturb_lines(lines, spec, "en", draw=4))
    assert len(set(line_ids(lines))) == len(lines)
    assert forwards[3] == ""


def test_composition_is_one_perturbation_after_another() -> None:
    text = ["Ünïcödé ist schön für Größen"]
    swapped = list(perturb_lines(text, parse_spec("swap:0.5"), "de"))
    both = list(perturb_lines(text, parse_spec("swap:0.5+diacritics:1"), "de"))
    # diacritics at severity 1 strips whatever swap left.
    assert both == list(perturb_lines(swapped, parse_spec("diacritics:1"), "de"))
    twice = list(perturb_lines(text, parse_spec("swap:0.5+swap:0.5"), "de"))
    assert twice != text  # the second swap has a draw of its own and does not undo the first


@pytest.mark.parametrize("name", ["swap", "keyboard", "word-order", "homoglyph"])
def test_levels_nest(name: str) -> None:
    """Every cluster position that a low severity changed has the same change at a higher one."""
    from crosswind.data.examples import PairExample
    from crosswind.perturb.dataset import perturb_example

    text = " ".join(SENTENCES[k] for k in ("en", "de", "el"))
    example = PairExample("x/1", "x", "en", text, "")
    changed = []
    for severity in (0.05, 0.1, 0.3, 0.6):
        spec = parse_spec(name, severity=severity)
        result = perturb_example(example, spec, task="t", draw=1, fields=("first",))
        pieces = result.rewrites["first"].to_json()[1] if result.changed else []
        changed.append({str(p) for p in pieces if isinstance(p[0], str)})
        if name in ("swap", "word-order"):
            moved = [(a, b) for a, b in itertools.pairwise(pieces) if a[0] > b[0]]
            changed[-1] = {str(a) for a, _ in moved}
    if name in ("keyboard", "homoglyph"):
        for less, more in itertools.pairwise(changed):
            assert less <= more
    assert [len(c) for c in changed] == sorted(len(c) for c in changed)
    assert len(changed[-1]) > len(changed[0])


def test_a_lexicon_may_be_named_by_another_code_of_the_language(tmp_path: Path) -> None:
    (tmp_path / "en-tl.txt").write_text("house bahay\n", encoding="utf-8")
    (tmp_path / "khm-en.txt").write_text("ផ្ទះ house\n", encoding="utf-8")
    environment = Environment(LexiconFolder(tmp_path))
    for language, became in (("fil", "bahay"), ("tl", "bahay"), ("km", "ផ្ទះ")):
        spec = parse_spec(f"codemix(embed={language}):1")
        assert list(perturb_lines(["house"], spec, "en", environment=environment)) == [became]
