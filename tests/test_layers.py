"""The house: lower rooms never import upper ones (the contract in pyproject.toml)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_lower_rooms_never_import_upper_ones() -> None:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", code, "--no-cache", "--config", str(ROOT / "pyproject.toml")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "1 kept, 0 broken" in checked.stdout


def test_a_study_is_planned_and_listed_without_torch() -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from crosswind.study.catalogue import CATALOGUE\n"
        "from crosswind.study.plan import make_plan\n"
        "from crosswind.study.spec import read_study\n"
        "import crosswind.study.run, crosswind.run.worker\n"
        "[listing() for listing in CATALOGUE.values()]\n"
        "assert len(make_plan(read_study(Path(sys.argv[1]))).graph) > 1000\n"
        "print([name for name in ('torch', 'transformers', 'datasets') if name in sys.modules])\n"
    )
    demo = ROOT / "src" / "crosswind" / "study" / "configs" / "demo.yaml"
    planned = subprocess.run([sys.executable, "-c", code, str(demo)], capture_output=True, text=True, check=False)
    assert (planned.stdout, planned.stderr) == ("[]\n", "")
