"""YAML says what it seems to say, or is refused with line and column."""

from __future__ import annotations

import pytest
import yaml

from crosswind.errors import UserError
from crosswind.plain_yaml import dump_yaml, parse_yaml, parse_yaml_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("[no, yes, on, off, y]", ["no", "yes", "on", "off", "y"]),
        ("[true, False]", [True, False]),
        ("2024-01-01", "2024-01-01"),
        ("2024-13-45", "2024-13-45"),
        ("=", "="),
        ("[1, -2, +3, 1_000, 0x1F, 0b11, 0o17]", [1, -2, 3, 1000, 31, 3, 15]),
        ("[1.5, 1e-4, .5, 1.e3, -2E+2]", [1.5, 1e-4, 0.5, 1000.0, -200.0]),
        ("[~, null, '', 'null']", [None, None, "", "null"]),
        ("'1:30:00'", "1:30:00"),
        ("!!str 010", "010"),
        ("keyboard:0.1,0.2", "keyboard:0.1,0.2"),
        ("1a", "1a"),
        ("- &a {x: 1}\n- {<<: *a, y: 2}\n- {<<: *a, x: 3}", [{"x": 1}, {"x": 1, "y": 2}, {"x": 3}]),
    ],
)
def test_a_value_is_what_it_says(text: str, value: object) -> None:
    assert parse_yaml_value(text, "s.yaml") == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", r"s\.yaml:3: the key 'a' is given twice, first in line 1 \(column 1\)"),
        ("a: {b: 1, b: 2}", r"s\.yaml:1: the key 'b' is given twice, first in line 1 \(column 11\)"),
        ("a: 1:30:00", r"s\.yaml:1: 1:30:00 would be a number of base 60 \(column 4\)"),
        ("a: 1:30.5", "would be a number of base 60"),
        ("a: 010", r"s\.yaml:1: 010 would be a number of base 8"),
        ("a: .inf", r"s\.yaml:1: \.inf is no finite number"),
        ("a: -.Inf", "is no finite number"),
        ("a: .nan", "is no finite number"),
        ("a: 1e400", "is no finite number"),
        ("a: " + "9" * 5000, r"s\.yaml:1: a number of 5,000 digits"),
        ('a: "x\\0y"', r"s\.yaml:1: a null character in a text \(column 4\)"),
        ("a: x\0y", r"s\.yaml: not YAML: .*#x0000"),
        ('a: "\\ud83d"', r"s\.yaml:1: half of a surrogate pair in a text"),
        ("a: !!timestamp x", r"s\.yaml:1: the tag 'tag:yaml\.org,2002:timestamp' is not taken \(column 4\)"),
        ("a: !!binary x", "is not taken"),
        ("a: !!python/object:os.system x", "is not taken"),
        ("a: !mine x", "is not taken"),
        ("a: !!int x", "is no number"),
        ("a: !!bool maybe", "neither true nor false"),
        ("a: !!map x", "not YAML"),
        ("a: !!int [1]", "not YAML"),
        ("a: &a [*a]", "holds itself"),
        ("? [1, 2]\n: 3", "a key that is no text"),
        ("a: *nowhere", r"s\.yaml:1: not YAML: found undefined alias"),
        ("a: [1,\nb: {", r"s\.yaml:2: not YAML"),
        ("[" * 100_000, "nested too deeply"),
        ("- " * 50_000, "nested too deeply"),
        ("[1, 2]", "not a mapping of keys to values"),
        ("", "not a mapping of keys to values"),
        ("a: 1\n---\nb: 2", r"s\.yaml:2: not YAML: .*another document"),
    ],
)
def test_what_would_mean_something_else_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_yaml(text, "s.yaml")


def test_aliases_that_unfold_to_billions_are_refused_at_once() -> None:
    text = "a: &a [x, x, x, x, x, x, x, x, x]\n"
    for before, name in zip("abcdefghi", "bcdefghij", strict=True):
        text += f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    with pytest.raises(UserError, match="more than 100,000 values, aliases unfolded"):
        parse_yaml(text, "s.yaml")


@pytest.mark.parametrize(
    "text",
    [
        *("1e3", "12e45678", "0o17", "08", "010", "1:30", "1_000", ".inf", ".5", "0x1f", "+1", "12", "1.5"),
        *("2024-01-01", "no", "yes", "on", "null", "~", "true", "=", "<<", "", " a ", "a: b", "# a", "- a"),
        *("Ä 😀 \u2028 x\ny", "word " * 60),
    ],
)
def test_a_text_that_is_written_is_read_back_by_either_version_of_yaml(text: str) -> None:
    value = {"revision": text, "list": [text], text or "empty": {"a": text}}
    written = dump_yaml(value)
    assert parse_yaml(written, "s.yaml") == value
    assert yaml.safe_load(written) == value


def test_numbers_truth_and_nothing_are_read_back_too() -> None:
    value = {"i": [0, -3, 10**20], "f": [1e-5, 1e22, 0.1, -2.0, 5e-324], "b": [True, False], "n": None, "e": [[], {}]}
    assert parse_yaml(dump_yaml(value), "s.yaml") == value
