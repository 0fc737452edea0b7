"""The grammar of perturbations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind.attack.recipe import parse_recipe
from crosswind.errors import UserError
from crosswind.perturb.constraint import parse_constraints
from crosswind.perturb.perturbation import PERTURBATIONS
from crosswind.perturb.spec import parse_spec, parse_specs

NAMES = ("codemix", "diacritics", "homoglyph", "keyboard", "swap", "word-order")


def test_every_perturbation_declares_what_a_reader_needs() -> None:
    assert set(NAMES) <= set(PERTURBATIONS.names())
    for p in PERTURBATIONS:
        assert p.nature in ("preserving", "diagnostic")
        assert p.summary
        assert "\n" not in p.summary
        assert p.source


def test_several_severities_are_several_specs() -> None:
    assert [str(s) for s in parse_specs("keyboard:0.05,0.1,0.2")] == ["keyboard:0.05", "keyboard:0.1", "keyboard:0.2"]


def test_a_list_of_languages_has_each_in_one_spelling() -> None:
    assert str(parse_spec("codemix(embed=DE,deu,sr_latn,fil):0.2")) == "codemix(embed=de,sr-Latn,tl):0.2"
    with pytest.raises(UserError, match=r"^SPEC: 'xx' is no registered language code"):
        parse_spec("codemix(embed=xx):0.2", where="SPEC")


def test_a_bare_name_takes_its_severity_from_the_argument() -> None:
    assert str(parse_spec("keyboard", severity=0.3)) == "keyboard:0.3"
    with pytest.raises(UserError, match="no severity"):
        parse_spec("keyboard")


def test_parameters_are_typed_lists_run_to_the_next_key_and_defaults_are_not_printed() -> None:
    spec = parse_spec('codemix(embed=de, zh, lexicon="my, (dir)/x"):0.20')
    assert dict(spec.atoms[0].params) == {"embed": ("de", "zh"), "lexicon": "my, (dir)/x"}
    assert str(spec) == 'codemix(embed=de,zh,lexicon="my, (dir)/x"):0.2'
    assert str(parse_spec("word-order(window=2):0.1")) == "word-order:0.1"
    assert spec.atoms[0].identity == "codemix(embed=de,zh)"  # where lexicons lie changes no draw
    assert spec.name == "codemix(embed=de,zh)"  # and is no part of the name in results


def test_composition_keeps_its_order() -> None:
    spec = parse_spec(" swap:0.1 + diacritics:0.2 ")
    assert str(spec) == "swap:0.1+diacritics:0.2"
    assert [a.name for a in spec.atoms] == ["swap", "diacritics"]


def test_a_single_perturbation_is_named_without_its_severity_and_joined_ones_with_all_of_them() -> None:
    assert [s.condition for s in parse_specs("swap:0.1,0.2")] == [("swap", 0.1), ("swap", 0.2)]
    assert parse_spec("codemix(embed=de,lexicon=DIR):0.2").condition == ("codemix(embed=de)", 0.2)
    assert [s.condition for s in parse_specs("swap:0.1,0.2+word-order:0.1,0.2")] == [
        ("swap:0.1+word-order:0.1", 0.1),
        ("swap:0.1+word-order:0.2", 0.2),
        ("swap:0.2+word-order:0.1", 0.2),
        ("swap:0.2+word-order:0.2", 0.2),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("keybord:0.1", "did you mean 'keyboard'"),
        ("keyboard(layuot=de):0.1", "did you mean 'layout'"),
        ("keyboard:0", r"severity 0 is outside \(0, 1\]"),
        ("keyboard:1.5", r"severity 1.5 is outside \(0, 1\]"),
        ("keyboard:nan", r"outside \(0, 1\]"),
        ("keyboard:lots", "'lots' is no severity"),
        ("keyboard@chrf=90", "the severity that does a damage is found on data(.|\n)*keyboard --damage chrf=90"),
        ("keyboard:0.2@hypothesis", "fields are no part of a perturbation"),
        ("keyboard@premise, hypothesis", "fields are no part of a perturbation"),
        ("swap:0.1+keyboard@chrf=90@words", "fields are no part of a perturbation"),
        ("keyboard@edits:0.2", "unknown perturbation 'keyboard@edits'"),
        ("keyboard:0.1+", "expected the name of a perturbation at the end"),
        ("codemix:0.1", "'embed' is missing"),
        ("codemix(embed=de:0.1", "not closed"),
        ("word-order(window=99):0.1", "it is an integer from 2 to 8"),
        ("word-order(window=two):0.1", "integer"),
        ("keyboard:0.1)", "unexpected"),
        ("", "expected the name"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        parse_specs(text, where="perturb[0]")
    assert "perturb[0]" in str(error.value)


def test_who_leaves_out_a_parameter_is_shown_the_call_that_it_belongs_to() -> None:
    """Only perturbations have a severity: recipes and constraints are not told to write one."""
    calls = {
        "write mlm(model=FOLDER):SEVERITY": lambda: parse_specs("mlm:0.1"),
        "write bert-attack(model=FOLDER)": lambda: parse_recipe("bert-attack"),
        "write similarity(model=FOLDER)": lambda: parse_constraints(["similarity"]),
    }
    for hint, call in calls.items():
        with pytest.raises(UserError, match="the parameter 'model' is missing") as error:
            call()
        assert error.value.hint == hint
    with pytest.raises(UserError, match="recipe 'polygloss\\(': expected a parameter") as error:
        parse_recipe("polygloss(")
    assert error.value.hint == "write name or name(key=value,key=value)"


values = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
codes = st.sampled_from(("de", "zh", "sr-Latn", "tl", "zh-Hant", "qaa-Latn"))


@given(
    st.lists(
        st.tuples(values, st.lists(codes, min_size=1, max_size=3, unique=True), st.floats(1e-9, 1, exclude_min=True)),
        min_size=1,
        max_size=3,
    )
)
def test_printing_parses_back(parts: list[tuple[str, list[str], float]]) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    text = "+".join(
        f"codemix(embed={','.join(map(quoted, embed))},lexicon={quoted(place)}):{severity!r}"
        for place, embed, severity in parts
    )
    spec = parse_spec(text)
    assert parse_spec(str(spec)) == spec
    assert [(dict(a.params)["lexicon"], dict(a.params)["embed"], a.severity) for a in spec.atoms] == [
        (place, tuple(embed), severity) for place, embed, severity in parts
    ]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("visual(neighbours=0):0.1", "the parameter 'neighbours' is 0: it is an integer from 1"),
        ("word-order(window=9):0.1", "the parameter 'window' is 9: it is an integer from 2 to 8"),
        ("homoglyph(similarity=nan):0.1", "the parameter 'similarity' is nan: it is a number from"),
    ],
)
def test_a_number_out_of_its_range_is_told_the_range(spec: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        parse_spec(spec)
    assert message in str(raised.value)
    assert "None" not in str(raised.value)
