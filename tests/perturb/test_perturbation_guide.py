"""docs/perturbations.md is what the program does now."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from crosswind.perturb.perturbation import PERTURBATIONS

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("romanize",)  # uroman reads its data for seconds


@pytest.fixture(scope="module")
def guide() -> ModuleType:
    spec = importlib.util.spec_from_file_location("perturbation_guide", ROOT / "benchmarks" / "perturbation_guide.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_section_of_the_page_is_up_to_date(guide: ModuleType) -> None:
    page = (ROOT / "docs" / "perturbations.md").read_text(encoding="utf-8")
    made = guide.sections(left_out=SLOW)
    assert sorted([*made, *SLOW]) == [n for n in PERTURBATIONS.names() if PERTURBATIONS.origin(n) is None]
    stale = [name for name, section in made.items() if section not in page]
    assert stale == [], "python benchmarks/perturbation_guide.py writes them"
    assert [name for name, section in made.items() if section.count("<br>") < 3] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_sections_of_slow_ones_are_up_to_date(guide: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / "perturbations.md").read_text(encoding="utf-8")
    others = set(PERTURBATIONS.names()) - {name}
    assert guide.sections(left_out=others)[name] in page
