"""Keyboard typos, in the layouts of many writing systems."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from crosswind import perturb
from crosswind.data.microworld.languages import CODES
from crosswind.errors import UserError
from crosswind.perturb.families.keyboard import layout_for, layouts
from crosswind.perturb.graphemes import clusters
from crosswind.perturb.input_methods import fuzzy, vietnamese_keys
from crosswind.perturb.passage import Passage
from crosswind.perturb.perturbation import NotApplicable
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.vietnamese import VietnameseKeys

MEMBERS = {"arb": "ar", "arz": "ar", "swh": "en", "nb": "no", "kmr": "ku", "ckb": "ckb", "pes": "fa", "ekk": "et"}


def options(text: str, language: str, spec: str = "keyboard:1") -> list[set[str]]:
    (sites,) = parse_spec(spec).atoms[0].prepare(TextScope(language)).sites([Passage.line(text, language)])
    return [{str(o) for o in site.options} for site in sites]


@pytest.mark.parametrize(
    ("language", "letter", "neighbours"),
    [
        ("en", "a", "qwsz"),
        ("en", "H", "GJYBNU"),
        ("de", "z", "tuhg"),
        ("de", "Ü", "PÄÖ"),  # ẞ is no key of the upper level
        ("fr", "q", "azsw"),
        ("es", "ñ", "lp"),
        ("pt", "ç", "lp"),
        ("tr", "ş", "ilpçğ"),
        ("ru", "ф", "ыйяц"),
        ("uk", "і", "вфцчяу"),
        ("el", "α", "σζς"),
        ("bg", "я", "аьуйюе"),
        ("ar", "ش", "سضئص"),
        ("he", "ש", "דז"),
        ("hi", "क", "तरगसद"),
        ("th", "ก", "ดหปพแ"),
        ("vi", "â", "êăqw"),
        ("sw", "a", "qwsz"),
        ("mr", "क", "तरगसद"),
    ],
)
def test_neighbours_are_those_of_the_physical_keyboard(language: str, letter: str, neighbours: str) -> None:
    assert options(letter, language) == [set(neighbours)]


@pytest.mark.parametrize("code", ["th", "tr"])
def test_neighbours_agree_with_an_independent_table(code: str, official_data: Callable[..., Path]) -> None:
    """nlpaug's tables hold every key in reach of one row and column, so all of ours must be among them."""
    table = json.loads((official_data("keyboard") / "keyboard/keyboard" / f"{code}.json").read_text(encoding="utf-8"))
    ours = layouts()[code].neighbours
    shared = set(ours) & set(table)
    assert len(shared) > 25
    assert {k: set(ours[k]) - set(table[k]) for k in shared} == {k: set() for k in shared}


def test_a_korean_typo_misses_one_jamo_of_a_syllable() -> None:
    # 값 is typed ㄱ ㅏ ㅂ ㅅ; on Dubeolsik ㄱ adjoins ㄷ ㅅ ㄹ ㅇ and ㅏ adjoins ㅓ ㅣ ㅑ ㅐ ㅡ.
    found = options("값", "ko")[0]
    assert found == set("닶삾랎앖겂깂걊갮긊걦")


def test_a_hindi_typo_changes_a_sign_into_its_like_inside_the_cluster() -> None:
    found = options("कि", "hi")[0]
    assert {"ति", "रि", "की"} <= found
    assert all(len(clusters(o)) == 1 and len(o) == 2 for o in found)
    assert all(unicodedata.category(o[0]) == "Lo" and unicodedata.category(o[1]).startswith("M") for o in found)


def test_vietnamese_tones_and_vowels_are_keys_of_their_own() -> None:
    found = options("ế", "vi")[0]  # ê and the acute tone
    assert {"ấ", "ố", "é", "ễ", "ệ"} <= found
    assert all(len(unicodedata.normalize("NFC", o)) == 1 for o in found)


def test_turkish_case_keeps_its_dots() -> None:
    assert options("İ", "tr") == [set("ŞĞÜ")]
    assert options("I", "tr") == [set("OUKJ")]
    assert options("U", "tr") == [set("YIJH")]


def test_an_accented_letter_without_a_key_keeps_its_accent_on_vowels_only() -> None:
    found = options("í", "es")[0]
    assert {"ú", "ó"} <= found
    assert "k" in found


@pytest.mark.parametrize(
    ("text", "language", "typos"),
    [
        ("각\u0301", "ko", {"닥\u0301", "걱\u0301"}),  # Hangul under a mark
        ("한\u200d", "ko", {"산\u200d"}),  # and before a joiner
        ("글\ufe0f", "ko", {"슬\ufe0f"}),  # and a variation selector
        ("ọ̀", "yo", {"z", "c", "s"}),  # o with a dot has a key; a consonant takes no tone
        ("ẹ́", "yo", {"w", "á"}),
        ("Ọ̀", "yo", {"Z", "C", "S"}),
        ("ɓ", "ha", {"v", "n", "g", "h"}),  # AltGr and B
        ("Ƙ", "ha", {"J", "L", "I", "M"}),
        ("ђ", "sr", {"ш", "ж", "ћ"}),
        ("Љ", "mk", {"Њ", "А"}),
        ("š", "hr", {"p", "đ", "č", "ć"}),
        ("y", "sl", {"x", "a", "s"}),  # QWERTZ
        ("z", "cs", {"t", "u", "g", "h"}),
        ("љ", "sr-Cyrl", {"њ", "а"}),
        ("ž", "sr-Latn", {"đ", "ć"}),
    ],
)
def test_letters_that_never_changed_do(text: str, language: str, typos: set[str]) -> None:
    assert typos <= options(text, language)[0]
    assert all(len(clusters(option)) == 1 for option in options(text, language)[0])


@pytest.mark.parametrize("language", ["sr-Arab", "hr-Cyrl", "ru-Latn", "tl-Tglg"])
def test_a_language_without_a_layout_in_its_script_is_refused_and_never_typed_on_another(language: str) -> None:
    with pytest.raises(NotApplicable, match=f"keyboard has no layout for {language}"):
        options("a", language)


def test_the_languages_of_the_microworld_are_typed_on_the_keyboards_of_their_scripts() -> None:
    chosen = {code: layout_for(parse_spec("keyboard:1").atoms[0].setting(TextScope(code))).code for code in CODES}
    assert chosen == {
        "en": "en", "qla-Latn": "en", "qlo-Latn": "en", "qcy-Cyrl": "ru", "qgr-Grek": "el", "qdv-Deva": "hi",
        "qhb-Hebr": "he", "qth-Thai": "th",
    }  # fmt: skip


def test_a_member_of_a_macrolanguage_is_typed_on_its_layout_in_the_same_script() -> None:
    chosen = {code: layout_for(parse_spec("keyboard:1").atoms[0].setting(TextScope(code))).code for code in MEMBERS}
    assert chosen == MEMBERS


def test_no_letter_of_an_alphabet_is_without_a_neighbour() -> None:
    """Alphabets by CLDR's main exemplar characters (Burmese ရ and အ stand among digits and vowels)."""
    alphabets = {
        "hr": "abcčćdđefghijklmnoprsštuvzž", "sl": "abcčdefghijklmnoprsštuvzž",
        "sr": "абвгдђежзијклљмнњопрстћуфхцчџш", "mk": "абвгдѓежзѕијклљмнњопрстќуфхцчџш",
        "ro": "aăâbcdefghiîjklmnopqrsștțuvwxyz", "lt": "aąbcčdeęėfghiįyjklmnoprsštuųūvzž",
        "az": "abcçdeəfgğhxıijkqlmnoöprsştuüvyz", "ha": "abɓcdɗefghijkƙlmnorstuwyƴz",
        "yo": "abdeẹfghijklmnoọprsṣtuwy", "ka": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
        "ur": "ابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنوہھی", "my": "ကခဂဃငစဆဇဈညဋဌဍဎဏတထဒဓနပဖဗဘမယလဝသဟဠ",
        "bbj": "abcdefghijklmnŋopsʉvwyzəɔ",
    }  # fmt: skip
    still = {code: {letter for letter in letters if not options(letter, code)} for code, letters in alphabets.items()}
    assert still == {code: set() for code in alphabets}


@pytest.mark.parametrize("text", ["2024", "…!?", "   ", "👍🏽"])
def test_digits_signs_and_spaces_stay(text: str) -> None:
    assert options(text, "en") == []


def test_a_decomposed_text_stays_decomposed() -> None:
    text = unicodedata.normalize("NFD", "한")
    assert all(o == unicodedata.normalize("NFD", o) for o in options(text, "ko")[0])


def test_chinese_is_typed_by_pinyin() -> None:
    (found,) = options("是", "zh")  # shi; si is the syllable that is confused with it
    assert {"事", "市", "十", "四", "思"} <= found
    assert not found & {"是", "我", "知"}
    (traditional,) = options("學", "zh-Hant")
    assert "雪" in traditional
    assert options("龘", "zh") == []  # no character of GB 2312
    assert sorted(fuzzy("zhang")) == ["zang", "zhan"]
    assert sorted(fuzzy("nin")) == ["lin", "ning"]
    assert sorted(fuzzy("sheng")) == ["seng", "shen"]
    assert list(fuzzy("ma")) == []


def test_japanese_is_typed_in_romaji_and_converted() -> None:
    assert "ま" in options("か", "ja")[0]  # k and m are neighbours
    assert options("カ", "ja")[0] == {chr(ord(kana) + 0x60) for kana in options("か", "ja")[0]}
    (sites,) = parse_spec("keyboard:1").atoms[0].prepare(TextScope("ja")).sites([Passage.line("会館で", "ja")])
    assert [(s.start, s.end) for s in sites] == [(0, 2), (2, 3)]
    assert "開館" in sites[0].options


def test_an_ethiopic_syllable_is_typed_by_consonant_and_vowel() -> None:
    (found,) = options("ሉ", "am")  # LU
    assert {"ሊ", "ሎ", "ኩ"} <= found  # LI, LO, KU


def test_languages_of_xtreme_r_that_are_typed_change_their_letters() -> None:
    languages = "af ar az bg bn de el en es et eu fa fi fr gu he hi ht hu id it ja jv ka kk ko lt ml mr ms my nl pa pl pt qu ro ru sw ta te th tl tr uk ur vi wo yo zh"  # noqa: E501
    without = [code for code in languages.split(" ") if parse_spec("keyboard:1").applies(TextScope(code)) is not None]
    assert (len(languages.split(" ")), without) == (50, [])
    assert [letter for letter in "กขคงจฉชซญดตถทธนบปผฝพฟภมยรลวศษสหอฮาแไใโเ" if not options(letter, "th")] == []
    assert options("ذ", "ar") != []
    assert not any("ـ" in option for letter in "تنم" for option in options(letter, "ar")[0])  # no tatweel


def test_multypo_types_a_word_wrong_by_fingers_and_hands() -> None:
    """The weights of the package `multypo` 0.1.1: its operations, positions and neighbours."""
    (sites,) = (
        parse_spec("keyboard(model=multypo):1")
        .atoms[0]
        .prepare(TextScope("en"))
        .sites([Passage.line("the a x2y", "en")])
    )
    assert [(s.start, s.end) for s in sites] == [(0, 3)]  # no word of one letter, none with a digit
    assert sites.weights is not None
    weights = dict(zip(sites[0].options, sites.weights(0), strict=True))
    assert all(str(option)[0] == "t" for option in weights)  # the first letter stays
    assert weights["te"] == pytest.approx(0.28 / 3)  # h has the weight .1, e .2
    assert weights["th"] == pytest.approx(0.28 * 2 / 3)
    assert weights["teh"] == pytest.approx(0.28)  # h by the right hand, e by the left
    assert weights["tge"] == pytest.approx(9 * weights["tye"])  # beside, above
    assert "thw" in weights
    (sites,) = (
        parse_spec("keyboard(model=multypo):1").atoms[0].prepare(TextScope("hi")).sites([Passage.line("हिन्दी", "hi")])
    )
    assert all(clusters(str(o))[0] == "हि" for o in sites[0].options)


def test_an_unknown_layout_is_refused() -> None:
    with pytest.raises(UserError, match="no keyboard layout 'qwertz'"):
        options("a", "en", "keyboard(layout=qwertz):1")


def test_a_layout_can_be_named_and_is_part_of_the_identity() -> None:
    assert options("z", "en", "keyboard(layout=de):1") == [set("tuhg")]
    de = parse_spec("keyboard:0.1").resources(TextScope("de"))
    assert list(de) == ["keyboard/de"]
    assert de == parse_spec("keyboard(layout=de):0.2").resources(TextScope("en"))
    assert de != parse_spec("keyboard:0.1").resources(TextScope("en"))


def test_the_common_languages_have_a_layout_of_their_own() -> None:
    languages = {language for layout in layouts().values() for language in layout.languages}
    wanted = "en de fr es it pt tr ru uk el bg ar he hi th ko vi"
    assert languages >= set(wanted.split(" "))


def slips(text: str, method: str) -> list[set[str]]:
    return options(text, "vi", f"keyboard(layout={method}):1")


def test_vietnamese_keys_are_those_of_keymans_help() -> None:
    """Words and keys by help.keyman.com/keyboard/vietnamese_telex and vietnamese_vni: sample input, sample output."""
    telex, vni = vietnamese_keys("telex"), vietnamese_keys("vni")

    def shown(keys: VietnameseKeys, typed: str) -> str:
        letters: list[str] = []
        for key in typed:
            letters = keys.press(letters, key)
        return "".join(letters)

    for typed, word in (
        ("trawng", "trăng"), ("caan", "cân"), ("ddaau", "đâu"), ("ddeem", "đêm"), ("nhoo", "nhô"), ("mow", "mơ"),
        ("tuw", "tư"), ("huyeenf", "huyền"), ("sawcs", "sắc"), ("hoir", "hỏi"), ("ngax", "ngã"), ("nawngj", "nặng"),
        ("asf", "à"), ("her", "hẻ"), ("herr", "her"), ("xooong", "xoong"), ("hoaf", "hòa"), ("uys", "úy"),
        ("quas", "quá"), ("gias", "giá"), ("asz", "a"),
    ):  # fmt: skip
        assert shown(telex, typed) == word
    for typed, word in (
        ("sa8c1", "sắc"), ("huye6n2", "huyền"), ("hoi3", "hỏi"), ("nga4", "ngã"), ("na8ng5", "nặng"), ("can6", "can6"),
        ("d9e6m", "đêm"), ("nho6", "nhô"), ("mo7", "mơ"), ("tu7", "tư"), ("a12", "à"), ("he3", "hẻ"), ("he33", "he3"),
    ):  # fmt: skip
        assert shown(vni, typed) == word
    assert [telex.strokes(letter) for letter in "ếđơaüß1"] == ["ees", "dd", "ow", "a", "", "", ""]
    assert [vni.strokes(letter) for letter in "ếđựă"] == ["e61", "d9", "u75", "a8"]


def test_a_vietnamese_letter_is_missed_by_one_of_its_keys() -> None:
    # On QWERTY s adjoins a d e w x z, a adjoins q s w z. In Telex x is the tilde, w and a are shapes.
    assert slips("á", "telex") == [{"â", "ad", "ae", "ă", "ã", "az", "qs", "ss", "ws", "zs"}]
    # d adjoins s f e r x c: đ is typed dd.
    assert slips("đ", "telex") == [{o + "d" for o in "sferxc"} | {"d" + o for o in "sferxc"}]
    # n adjoins b h j m, and j gives the vowel before it the dot; t adjoins r, f, g and y.
    assert slips("an", "telex")[1] == {"ab", "ah", "ạ", "am"}
    assert slips("mất", "telex")[2] == {"mẩ", "mầ", "mấg", "mấy"}
    # A digit adjoins the digits beside it: 6 (circumflex) 5 (dot) and 7, 1 (acute) 2 (grave); e adjoins w r s d.
    assert slips("tiếng", "vni")[2] == {"tié7ng", "tiéng", "tiềng", *(f"tí{o}6ng" for o in "wrsd")}
    assert slips("đã", "vni") == [
        {*(f"{o}9ã" for o in "serfxc"), "d8ã", "d0ã"},
        {"đả", "đạ", *(f"đ{o}4" for o in "qwsz")},
    ]
    assert slips("hoà", "vni")[2] >= {"hoá", "hoả"}  # a tone lies where the text has it
    assert slips("hòa", "vni")[1] >= {"hóa", "hỏa"}
    # Capitals: Shift on the first key, on all keys in a syllable of capitals.
    assert "Ad" in slips("Á", "telex")[0]
    assert "TÂM" not in slips("TÁM", "telex")[0]
    assert {"TÂM", "TADM"} <= slips("TÁM", "telex")[1]
    # A text in NFD stays in it.
    (spelt, *_) = slips(unicodedata.normalize("NFD", "á"), "telex")
    assert unicodedata.normalize("NFD", "ã") in spelt


def test_telex_and_vni_are_for_vietnamese_alone_and_have_one_model() -> None:
    for method in ("telex", "vni"):
        spec = parse_spec(f"keyboard(layout={method}):1")
        assert spec.applies(TextScope("vi")) is None
        assert "not of de" in str(spec.applies(TextScope("de")))
        assert list(spec.resources(TextScope("vi"))) == ["keyboard/en", f"keyboard/{method}"]
    with pytest.raises(UserError, match="has one model"):
        parse_spec("keyboard(layout=vni,model=multypo):1").applies(TextScope("vi"))


@pytest.mark.parametrize("method", ["telex", "vni"])
def test_vietnamese_slips_leave_whole_clusters_and_the_normal_form(
    method: str, official_data: Callable[..., Path]
) -> None:
    text = (official_data("tatoeba") / "tatoeba/v1/tatoeba.vie-eng.vie").read_text(encoding="utf-8")
    lines = [unicodedata.normalize("NFC", line) for line in text.splitlines()[:150]]
    changed = [perturb(line, f"keyboard(layout={method}):0.1", "vi") for line in lines]
    assert all(new == unicodedata.normalize("NFC", new) for new in changed)
    assert all(len(cluster) == 1 for new in changed for cluster in clusters(new))
    assert sum(new != old for new, old in zip(changed, lines, strict=True)) > 100
    assert changed == [perturb(line, f"keyboard(layout={method}):0.1", "vi") for line in lines]
