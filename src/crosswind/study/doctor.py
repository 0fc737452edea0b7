"""What works on this machine, for `crosswind doctor`."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from crosswind import __version__
from crosswind.errors import UserError
from crosswind.run.machine import cpu_has_bf16, cpu_model, gpu_count, gpu_has_bf16
from crosswind.run.store import Store
from crosswind.study.run import default_store

NEEDED = ("torch", "transformers", "tokenizers", "safetensors", "datasets", "polars", "numpy", "scipy", "icu4py")
ROOM = 5 * 2**30  # bytes; a study with XLM-R Base keeps about 1 GB a trained model


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: it works (`ok`), is worth knowing (`note`) or has to be mended (`broken`)."""

    state: Literal["ok", "note", "broken"]
    what: str
    text: str

    def to_json(self) -> dict[str, str]:
        """The fields by name."""
        return asdict(self)


def examine(store: Path | None = None) -> list[Check]:
    """Look at Python, libraries, processor, graphics card, data and the store."""
    return [
        Check("ok", "crosswind", __version__),
        _python(),
        *(_library(name) for name in NEEDED),
        *_extras(),
        Check("ok", "processor", f"{cpu_model()}, {_cores()} cores, bf16: {'yes' if cpu_has_bf16() else 'no'}"),
        _gpu(),
        _data(),
        _hub(),
        _store(store),
    ]


def _python() -> Check:
    supported = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Check("ok" if supported else "broken", "Python", f"{platform.python_version()} (3.11 to 3.13 are supported)")


def _library(name: str) -> Check:
    try:
        return Check("ok", name, importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Check("broken", name, "is not installed: pip install crosswind again")


def _extras() -> list[Check]:
    """What of the package's extras is installed, as the package's own metadata list them."""
    try:
        requires = importlib.metadata.requires("crosswind") or []
    except importlib.metadata.PackageNotFoundError:
        return [Check("note", "extras", "unknown: the package is used from a source tree")]
    checks = []
    for requirement in requires:
        name, _, marker = requirement.partition(";")
        if "extra ==" not in marker or "test" in marker:
            continue
        package = name.split(">")[0].split("<")[0].split("=")[0].split("[")[0].strip()
        extra = marker.split("==")[1].strip().strip("'\"")
        try:
            checks.append(Check("ok", f"extra {extra}: {package}", importlib.metadata.version(package)))
        except importlib.metadata.PackageNotFoundError:
            checks.append(
                Check("note", f"extra {extra}: {package}", f"not installed: pip install 'crosswind[{extra}]'")
            )
    return checks


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpu() -> Check:
    count = gpu_count()
    if not count:
        return Check("note", "graphics card", "none that torch can use: models compute on the processor")
    return Check("ok", "graphics card", f"{count}, bf16: {'yes' if gpu_has_bf16() else 'no'}")


def _data() -> Check:
    named = os.environ.get("CROSSWIND_DATA")
    if not named:
        return Check("note", "CROSSWIND_DATA", "not set: --data DIR or data.root name the folder of official files")
    if not Path(named).is_dir():
        return Check("broken", "CROSSWIND_DATA", f"{named} is no folder")
    return Check(
        "ok", "CROSSWIND_DATA", f"{named}: {', '.join(sorted(p.name for p in Path(named).iterdir())) or 'empty'}"
    )


def _hub() -> Check:
    offline = os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
    text = (
        "HF_HUB_OFFLINE is set: only what was downloaded before is found"
        if offline
        else "is asked when a study names it"
    )
    return Check("note" if offline else "ok", "hub", text)


def _store(given: Path | None) -> Check:
    folder = given or default_store()
    try:
        root = Store(folder).root
    except UserError as error:
        return Check("broken", "store", str(error))
    free = shutil.disk_usage(root).free
    text = f"{root}, {free / 2**30:,.0f} GiB free"
    return Check("ok" if free > ROOM else "note", "store", text)
