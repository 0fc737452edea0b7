"""Letters, controls, digits and spaces: what each family makes of texts whose outcome can be said beforehand."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from crosswind.errors import UserError
from crosswind.perturb.alphabets import alphabet_of, letters_of
from crosswind.perturb.families.bidi import reordered
from crosswind.perturb.graphemes import clusters, is_border
from crosswind.perturb.lines import perturb_lines
from crosswind.perturb.matrix import MATRIX_KINDS, XTREME_R_LANGUAGES, matrix
from crosswind.perturb.passage import Passage
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.words import words


def options(spec: str, text: str, language: str) -> dict[str, tuple[object, ...]]:
    """The text of each site and what it may become."""
    atom = parse_spec(spec, severity=1).atoms[0]
    (sites,) = atom.prepare(TextScope(language)).sites([Passage.line(text, language)])
    return {text[s.start : s.end]: s.options for s in sites}


def everything(spec: str, text: str, language: str) -> str:
    (line,) = perturb_lines([text], parse_spec(spec, severity=1), language)
    return line


def test_a_word_keeps_its_first_letter() -> None:
    assert everything("delete", "The dog, élan!", "en") == "T d, é!"
    assert everything("delete", "भाषा में", "hi") == "भा में"  # clusters: भा षा · में
    assert everything("delete", "小男孩在", "zh") == "小"


def test_of_a_korean_syllable_the_final_consonant_goes_and_the_last_key_comes_twice() -> None:
    assert everything("delete", "값 책을", "ko") == "가 채으"
    assert everything("duplicate", "값 나", "ko") == "값ㅅ 나ㅏ"
    assert options("insert", "나", "ko")["나"][:3] == ("낙", "난", "낟")


def test_letters_come_twice() -> None:
    assert everything("duplicate", "été 5", "fr") == "ééttéé 5"
    assert everything("duplicate", "คำ", "th") == "คำคำ"


def test_exemplar_characters_become_an_alphabet() -> None:
    assert letters_of(r"[aä b {ch} \- \u00DF ё {क्ष} ि]") == "aäbßё"
    assert "".join(alphabet_of("tr").letters) == "abcçdefgğhıijklmnoöprsştuüvyz"
    assert "ך" not in alphabet_of("he").like("כ")


def test_an_alphabet_of_the_user_is_read_and_a_damaged_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text("x\t12\ny z\n", encoding="utf-8")
    assert options(f'insert(alphabet="{path}")', "Ab", "de") == {"A": ("AX", "AY", "AZ"), "b": ("bx", "by", "bz")}
    assert options(f'substitute(alphabet="{path}")', "小", "zh") == {}
    path.write_text("a b\nc 3\n", encoding="utf-8")
    with pytest.raises(UserError, match="'3' is no single letter") as error:
        alphabet_of("de", str(path))
    assert error.value.where == f"{path}:2"


def test_a_substitute_keeps_case_marks_and_kind() -> None:
    assert all(o.isupper() and len(o) == 1 for o in map(str, options("substitute", "Ж", "ru")["Ж"]))
    hindi = [str(o) for o in options("substitute", "कि", "hi")["कि"]]
    assert all(o[1] == "ि" and clusters(o) == [o] for o in hindi)
    assert "खि" in hindi
    assert "अि" not in hindi
    assert options("substitute", "क्ष", "hi") == {}
    assert "카" in options("substitute", "가", "ko")["가"]


def test_case_knows_turkish_and_leaves_georgian() -> None:
    assert everything("case", "Isı işi", "tr") == "ıSI İŞİ"
    assert everything("case(to=upper)", "Straße Ωmega", "de") == "STRAßE ΩMEGA"
    assert "no letters in two cases" in str(parse_spec("case:1").applies(TextScope("ka")))


def test_full_width_forms_and_digits() -> None:
    assert everything("full-width", "iOS 9!", "ja") == "ｉＯＳ ９！"
    assert everything("digits", "in 1990, 12٫5", "ar") == "in ١٩٩٠, ١٢٫٥"
    assert everything("digits", "१९९० und 7", "hi") == "1990 und ७"
    assert everything("digits", "1990 und 7", "ur") == "۱۹۹۰ und ۷"
    assert everything("digits", "1990年3月，3,500元", "zh") == "一九九〇年3月，3,500元"


def test_spaces_split_words_and_join_them_but_no_numbers() -> None:
    assert everything("whitespace", "ab cd 12 x", "en") == "a bc d 12 x"
    assert everything("whitespace(mode=split)", "小男孩。", "zh") == "小 男 孩。"
    assert everything("whitespace(mode=join)", "책을 읽는다", "ko") == "책을읽는다"
    assert "are given" in str(parse_spec("whitespace:1").applies(TextScope("en", "tagging", ("words",))))


def test_punctuation_goes_but_what_belongs_to_numbers_and_signs_stays() -> None:
    text = "“Don't,” he said (50% of 3.5; -1 @x)."
    assert everything("punctuation", text, "en") == "Dont he said 50% of 3.5 -1 @x"
    assert everything("punctuation", "他说：“好。”", "zh") == "他说好"


def test_scanners_take_letters_for_others_and_marks_stay() -> None:
    assert options("ocr", "burn", "en")["rn"] == ("m",)
    assert "भि" in options("ocr", "मि", "hi")["मि"]
    assert options("ocr", "己", "zh")["己"] == ("已", "巳")
    assert {"ت", "ث", "ن"} <= set(options("ocr", "ب", "ar")["ب"])


def test_invisible_characters_are_no_spelling() -> None:
    assert everything("invisible(characters=zwsp)", "ab c", "en") == "a\u200bb c"
    for language, text in (("fa", "کتاب"), ("hi", "नमक"), ("ml", "പുക")):
        assert not {"\u200c", "\u200d"} & set("".join(everything("invisible", text, language) for _ in range(3)))
        assert "spelling" in str(parse_spec("invisible(characters=zwj,zwnj):1").applies(TextScope(language)))


def test_reordering_controls_hold_the_letters_in_the_wrong_order() -> None:
    # Boucher et al. 2022, §IV-D: an override with two isolates, so that the pair is displayed as it was.
    assert reordered("a", "b") == "\u202d\u2066\u202e\u2066b\u2069\u2066a\u2069\u202c\u2069\u202c"
    shown = everything("bidi", "ab", "en")
    assert [c for c in shown if c.isalpha()] == ["b", "a"]
    assert parse_spec("bidi:1").applies(TextScope("ur")) is not None


def test_a_deletion_control_follows_the_letter_that_it_deletes() -> None:
    text = everything("deletion-control", "no", "en")
    assert [text[0], text[2:4], text[5:]] == ["n", "\bo", "\b"]


def test_visual_neighbours_have_the_name_of_the_letter() -> None:
    neighbours = [str(o) for o in options("visual(neighbours=200)", "a", "de")["a"]]
    assert {"à", "å", "ą", "ᶏ"} <= set(neighbours)
    assert "b" not in neighbours
    assert "e" in options("visual(neighbours=200)", "é", "fr")["é"]


def test_words_of_khmer_lao_and_burmese_end_at_clusters() -> None:
    texts = {"km": "ខ្ញុំរៀនភាសាខ្មែរនៅសាលា", "lo": "ຂ້ອຍຮຽນພາສາລາວຢູ່ໂຮງຮຽນ", "my": "ကျွန်တော်မြန်မာစာသင်နေပါတယ်"}
    for language, text in texts.items():
        spans = words(text, language)
        borders = {0}
        for cluster in clusters(text):
            borders.add(max(borders) + len(cluster))
        assert len(spans) > 3
        assert all(s.start in borders and s.end in borders for s in spans)


def test_the_matrix_says_of_every_cell_whether_it_applies() -> None:
    cells = {(c.perturbation, c.kind, c.language): c for c in matrix()}
    assert len(XTREME_R_LANGUAGES) == 50
    assert len(cells) == len({c[0] for c in cells}) * len(MATRIX_KINDS) * 50
    state = {key: cell.state for key, cell in cells.items()}
    for key in (("case", "line", "hi"), ("whitespace", "ner", "en"), ("distract-nli", "paraphrase", "de")):
        assert state[key] == "n/a"
    for key in (("delete", "pool", "my"), ("distract-nli", "nli", "sw"), ("option-order", "choice", "qu")):
        assert state[key] == "applies"
    for key in (("codemix", "line", "de"), ("inflect", "pos", "fi"), ("mlm", "qa", "zh")):
        assert state[key] == "needs"
    assert all(cell.reason for cell in cells.values() if cell.state != "applies")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("café rňáš crnl ring rn\u0308 é\u0331", "fr"),
        ("Việt Nam ớ ộ", "vi"),
        ("Ο ά είναι ώ", "el"),
        ("й ё и е", "ru"),
        ("한국어 가지", "ko"),
        ("ガパ べ", "ja"),
        ("آأإ ب", "ar"),
        ("שָׁלוֹם", "he"),
        ("बड़ा फ़", "hi"),
    ],
)
def test_ocr_takes_a_decomposed_letter_for_what_the_composed_one_is_taken_for(text: str, language: str) -> None:
    def composed(form: Literal["NFC", "NFD"]) -> list[tuple[str, set[str]]]:
        written = unicodedata.normalize(form, text)
        (sites,) = parse_spec("ocr:1").atoms[0].prepare(TextScope(language)).sites([Passage.line(written, language)])
        assert all(is_border(written, at) for at in (*sites.starts, *sites.ends))
        whole = [(written[s.start : s.end], s.options) for s in sites]
        return [(normalize(before), {normalize(str(o)) for o in after}) for before, after in whole]

    def normalize(some: str) -> str:
        return unicodedata.normalize("NFC", some)

    assert composed("NFD") == composed("NFC")
    line = unicodedata.normalize("NFD", text)
    for noisy in perturb_lines([line] * 100, parse_spec("ocr:1"), language):
        assert unicodedata.is_normalized("NFD", noisy)
        assert len(clusters(noisy)) in range(len(clusters(line)) - 2, len(clusters(line)) + 3)


def test_a_capital_sigma_becomes_the_small_one_of_its_place() -> None:
    assert everything("case(to=lower)", "ΟΔΟΣ ΣΑΣ. Σ ΣΟΣ ΌΣΟ", "el") == "οδος σας. σ σος όσο"
    assert everything("case(to=upper)", "οδός σας", "el") == "ΟΔΌΣ ΣΑΣ"
    texts = [f"ΟΔΟΣ {n} ΣΑΣ" for n in range(60)]
    many = list(perturb_lines(texts, parse_spec("case(to=lower):1"), "el"))
    assert many == [f"οδος {n} σας" for n in range(60)]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("language", "capital", "small"),
    [
        ("tr", "İ I Ç Ğ", "i ı ç ğ"),
        ("az", "İ I Ə Ö", "i ı ə ö"),
        # SpecialCasing.txt: a small letter keeps its dot below an accent, and loses it when it becomes a capital one.
        (
            "lt",
            "Ì Í Ĩ J\u0301 Į\u0303 Ė I",
            "i\u0307\u0300 i\u0307\u0301 i\u0307\u0303 j\u0307\u0301 į\u0307\u0303 ė i",
        ),
        ("en", "Í É", "í é"),
    ],
)
def test_the_case_of_a_letter_is_changed_by_the_rules_of_its_language(
    language: str, capital: str, small: str, form: Literal["NFC", "NFD"]
) -> None:
    capital, small = (unicodedata.normalize(form, text) for text in (capital, small))
    assert everything("case(to=lower)", capital, language) == small
    assert everything("case(to=upper)", small, language) == capital
    assert parse_spec("case:1").resources(TextScope(language))["case"] == "2"
