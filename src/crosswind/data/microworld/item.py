"""An item is made once, from its key, and rendered in any language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crosswind.data.microworld.render import Renderer

Item = Callable[[Renderer], Any]
"""Gives the item's example in a renderer's language."""
