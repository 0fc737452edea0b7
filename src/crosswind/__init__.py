"""Crosswind: does zero-shot cross-lingual transfer survive adversarial perturbation?"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# What `import crosswind` offers, each with its module; nothing is imported before it is asked for.
_OFFERED = {"perturb": "crosswind.perturb"}


def __getattr__(name: str) -> Any:
    if name not in _OFFERED:
        raise AttributeError(f"module 'crosswind' has no attribute {name!r}")
    return import_module(_OFFERED[name])


def __dir__() -> list[str]:
    return sorted([*globals(), *_OFFERED])
