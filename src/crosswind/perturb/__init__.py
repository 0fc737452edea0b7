"""The room of perturbations; called, it perturbs: `crosswind.perturb(text, "keyboard:0.1", "de")` (see `api.py`)."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class CallableRoom(ModuleType):
    """A module that can be called, so that the function has the name of its room."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        """See `api.perturb_anything`."""
        from crosswind.perturb.api import perturb_anything

        return perturb_anything(*args, **options)


sys.modules[__name__].__class__ = CallableRoom
