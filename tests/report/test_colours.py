"""The colours of figures: seen on white and on dark, and told apart in every colour vision."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import crosswind.report
from crosswind.report.svg import COLOURS, dark_rules

STYLE = (Path(crosswind.report.__file__).parent / "style.css").read_text()
# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0, for linear RGB.
VISIONS = {
    "usual": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip


def linear(colour: str) -> NDArray[np.float64]:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    channels = np.array([int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)])
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """WCAG 2.2, contrast ratio."""
    low, high = sorted(float(linear(x) @ [0.2126, 0.7152, 0.0722]) for x in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(colour: str, vision: str) -> NDArray[np.float64]:
    """CIE L*a*b* under D65."""
    seen = np.clip(VISIONS[vision] @ linear(colour), 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen
    x, y, z = np.cbrt(np.maximum(xyz / [0.9505, 1, 1.089], 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def pages() -> list[str]:
    """The grounds of the page: light, dark, print."""
    return re.findall(r"--page: (#[0-9a-f]+)", STYLE)


def on_dark() -> list[str]:
    """What the page makes of each colour on a dark ground, of lines and of areas alike."""
    rules = re.findall(r'\[(stroke|fill)="(#\w+)"\] \{ (\w+): (#\w+); \}', dark_rules())
    assert {(what, colour) for what, colour, *_ in rules} == {(w, c) for w in ("stroke", "fill") for c in COLOURS}
    assert all(what == changed for what, _, changed, _ in rules)
    made = {colour: lighter for _, colour, _, lighter in rules}
    assert len({(colour, lighter) for _, colour, _, lighter in rules}) == len(COLOURS)
    return [made[colour] for colour in COLOURS]


def test_every_series_is_seen_on_the_ground_that_it_stands_on() -> None:
    """WCAG 2.2, 1.4.11: graphics have 3:1; thin lines on a dark ground more."""
    light, dark, printed = pages()
    assert (light, printed) == ("#fff", "#fff")
    assert {c: contrast(c, light) for c in COLOURS if contrast(c, light) < 3} == {}
    assert {c: contrast(c, dark) for c in on_dark() if contrast(c, dark) < 4.5} == {}


@pytest.mark.parametrize("vision", VISIONS)
def test_series_are_told_apart_in_every_colour_vision(vision: str) -> None:
    """As far as Okabe and Ito's seven at least: under deuteranopia their green and a grey are 9.6 apart."""
    for colours in (COLOURS, on_dark()):
        for a, b in combinations(colours, 2):
            assert np.linalg.norm(lab(a, vision) - lab(b, vision)) > 9, (a, b)


def test_no_data_are_drawn_half_seen() -> None:
    """A colour of a series keeps its contrast: none is blended with the ground, but the shading behind figures."""
    coloured = 0
    for path in (Path(crosswind.report.__file__).parent / "sections").glob("*.py"):
        calls = re.findall(r"drawing\.(?:line|mark|path)\((?:[^()]|\([^()]*\))*\)", path.read_text())
        assert not [call for call in calls if "colour=" in call and "opacity" in call], path
        coloured += sum("colour=" in call for call in calls)
    assert coloured > 8  # such calls are seen at all
