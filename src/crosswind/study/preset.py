"""Protocol presets: targets, routes and training settings as papers and official scripts have them.

A file of `presets/` has `summary`, `training` for all phases, `targets`, and `routes` that a study may ask for.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any

from crosswind.errors import UserError, unknown
from crosswind.plain_yaml import parse_yaml


def preset_named(name: str, where: str = "targets.preset") -> dict[str, Any]:
    """The preset as written; a `UserError` with "did you mean" for an unknown name."""
    known = presets()
    if name not in known:
        raise unknown("preset", name, known, where=where)
    text = (resources.files("crosswind.study") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_yaml(text, f"preset {name}")


def presets() -> dict[str, str]:
    """The presets by name, with their summaries."""
    folder = resources.files("crosswind.study") / "presets"
    files = sorted(f.name for f in folder.iterdir() if f.name.endswith(".yaml"))
    texts = {}
    for name in files:
        value = parse_yaml((folder / name).read_text(encoding="utf-8"), name)
        texts[name.removesuffix(".yaml")] = str(value.get("summary", ""))
    return texts


def with_preset_routes(routes: Any) -> Any:
    """The routes of a study with those of the preset that it names (`routes: {preset: phang2020, none: []}`).

    They stand where `preset` stood; a route that the study writes itself goes before the preset's of its name.
    """
    if not isinstance(routes, Mapping) or not isinstance(routes.get("preset"), str):
        return routes
    name = routes["preset"]
    given = preset_named(name, "routes.preset").get("routes")
    if not given:
        hint = "phang2020 has the intermediate tasks of its paper"
        raise UserError(f"the preset {name!r} has no routes", where="routes.preset", hint=hint)
    merged: dict[str, Any] = {}
    for route, phases in routes.items():
        merged |= {r: p for r, p in given.items() if r not in routes} if route == "preset" else {route: phases}
    return merged
