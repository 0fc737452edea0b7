"""Segmenters that declare themselves, for languages written without spaces between words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crosswind.registry import Registry


@dataclass(frozen=True)
class Segmenter:
    """Cuts the text of a language into pieces that give it back when joined.

    `name` is the language's subtag (`qth`); `version` names what the borders depend on.
    """

    name: str
    cut: Callable[[str], list[str]]
    version: Callable[[], str]


SEGMENTERS: Registry[Segmenter] = Registry("segmenter", "crosswind.data.segmenters", "crosswind.segmenters", Segmenter)
