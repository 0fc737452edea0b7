"""Language codes: registered ones have a script and a name, others are explained by name."""

from __future__ import annotations

import pytest

from crosswind.data.languages import name_of, nearest, one_spelling, registered, script_of, spelled, unknown_language
from crosswind.errors import UserError
from crosswind.tasks.base import TASKS


@pytest.mark.parametrize(
    ("code", "script"),
    [("sr", "Cyrl"), ("sr-Latn", "Latn"), ("ku", "Latn"), ("ckb", "Arab"), ("ja", "Jpan"), ("qcy-Cyrl", "Cyrl")],
)
def test_a_script_is_the_codes_own_or_the_likely_one_of_cldr(code: str, script: str) -> None:
    assert script_of(code) == script


@pytest.mark.parametrize("code", ["ar-arz", "zh-yue", "pt-BR", "de-1996", "en-x-noisy", "tl", "mul", "bbj"])
def test_registered_codes_are_accepted(code: str) -> None:
    assert registered(code)


@pytest.mark.parametrize(
    ("codes", "one"),
    [
        (("en", "EN", "eng", "en-Latn", "en_US", "en-us"), "en"),
        (("sr-Latn", "sr_Latn", "SR-LATN", "srp-latn"), "sr-Latn"),
        (("sr", "sr-Cyrl", "sr_RS"), "sr"),
        (("zh", "zh-Hans", "zh-CN", "zh_Hans_CN"), "zh"),
        (("zh-TW", "zh-Hant", "zh-Hant-TW"), "zh-Hant"),
        (("zh-HK", "zh_Hant_HK"), "zh-HK"),
        (("pt-BR", "pt"), "pt"),
        (("pt-PT",), "pt-PT"),
        (("en-GB",), "en-GB"),
        (("tl", "fil"), "tl"),
        (("he", "iw"), "he"),
        (("ar-arz", "arz"), "arz"),
        (("de-1996",), "de-1996"),
        (("en-x-noisy",), "en-x-noisy"),
    ],
)
def test_a_language_has_one_spelling(codes: tuple[str, ...], one: str) -> None:
    assert {one_spelling(code) for code in codes} == {one}


def test_the_codes_of_tasks_are_spelled_as_they_are() -> None:
    codes = {code for name in TASKS.names() for code in TASKS[name].languages}
    assert [code for code in sorted(codes) if one_spelling(code) != code] == []
    with pytest.raises(UserError, match=r"^--language: 'xx' is no registered language code"):
        spelled("xx", "--language")


@pytest.mark.parametrize("code", ["xx", "sr-lat", "sr-Cyrrl", "zh-arz", "croatian", "not a language", "", "en_"])
def test_codes_that_are_not_registered_are_refused(code: str) -> None:
    with pytest.raises(UserError, match="is no registered language code"):
        registered(code)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("sr-lat", "did you mean sr-Latn: Serbian in Latn script or sr: Serbian?"),
        ("croatian", "did you mean hr: Croatian?"),
        ("croatien", "did you mean hr: Croatian?"),
        ("cz", "did you mean cs: Czech?"),
        ("jp", "did you mean ja: Japanese?"),
        ("Ukr-Cyr", "did you mean uk-Cyrl: Ukrainian in Cyrl script or uk: Ukrainian?"),
        ("xx", "write BCP 47 codes: en: English, zh: Chinese, sw: Swahili, sr-Latn, …"),
    ],
)
def test_a_wrong_code_is_explained_by_the_names_of_languages(code: str, hint: str) -> None:
    with pytest.raises(UserError) as raised:
        registered(code)
    assert raised.value.hint == hint


def test_a_language_that_a_task_lacks_is_explained_too() -> None:
    error = unknown_language("cz", ["cs", "de"], where="task mine")
    assert str(error) == "task mine: unknown language 'cz'\n  did you mean cs: Czech?"
    assert "'xx' is no registered language code" in str(unknown_language("xx", ["cs", "de"]))
    assert str(unknown_language("dee", ["cs", "de"])) == "unknown language 'dee'\n  did you mean 'de'?"


def test_names_are_those_of_cldr() -> None:
    assert [name_of(c) for c in ("hr", "sr-Latn", "tl", "bbj", "qlo-Latn", "no code")] == [
        "Croatian", "Serbian", "Filipino", "Ghomala", "qlo-Latn", "no code",
    ]  # fmt: skip
    assert nearest("swahilli") == ["swh"]  # Swahili (individual language), by its name


def test_another_code_of_a_known_language_is_proposed() -> None:
    for code, known in (("fil", "tl"), ("khm", "km")):
        error = unknown_language(code, ["de", known, "fi"])
        assert f"did you mean {known}: " in str(error.hint)
