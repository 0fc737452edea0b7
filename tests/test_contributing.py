"""The files that CONTRIBUTING.md shows, used from a folder of the user's as it says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

TEXT = (Path(__file__).resolve().parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# mine/(\w+\.py)\n(.*?)```", TEXT, re.DOTALL))

STUDY = """
name: mine
encoder: {encoder}
data: {{source: files, root: {data}}}
training: {{batch_size: 8, learning_rate: 1.0e-3, max_length: 32}}
routes: {{none: []}}
targets: {{tasks: {{reviews: {{train: {{tasks: [reviews], budget: {{epochs: 1}}}}}}}}}}
perturb: ["shout:0.5"]
weights: {{contains: attention}}
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path) -> Path:
    root = tmp_path_factory.mktemp("contributing")
    (root / "mine").mkdir()
    for name, code in FILES.items():
        (root / "mine" / name).write_text(code, encoding="utf-8")
    (root / "data/reviews").mkdir(parents=True)
    for language, good, bad in (("en", "a great film", "a dull film"), ("de", "ein toller Film", "ein öder Film")):
        for split in ("train", "test"):
            rows = [f"{(good, bad)[i % 2]}, {split} {i}\t{('good', 'bad')[i % 2]}\n" for i in range(12)]
            (root / f"data/reviews/{split}-{language}.tsv").write_text("".join(rows), encoding="utf-8")
    (root / "study.yaml").write_text(STUDY.format(encoder=tiny_encoder, data=root / "data"), encoding="utf-8")
    return root


def crosswind(root: Path, *words: str) -> str:
    command = [sys.executable, "-c", "from crosswind.cli import main; main()", *words, "--include", "mine"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_shows_one_file_of_each_kind() -> None:
    assert sorted(FILES) == ["apart.py", "balanced.py", "reviews.py", "shout.py", "weights.py"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "languages"),
    # Apart, every unit imports the libraries in a process of its own: one language suffices.
    [(("--workers", "2"), {"en", "de"}), (("--executor", "apart"), {"en"})],
)
def test_a_study_may_use_the_declarations_of_an_included_folder(
    mine: Path, options: tuple[str, str], languages: set[str]
) -> None:
    out = f"run{options[1]}"
    wanted = ("--set", f"targets.languages=[{', '.join(sorted(languages))}]")
    crosswind(mine, "run", "study.yaml", "--out", out, "--store", f"store{options[1]}", "--quiet", *options, *wanted)
    rows = pl.read_parquet(mine / out / "results.parquet")
    assert set(rows["metric"]) == {"balanced-accuracy"}
    assert set(rows["key"]) == {"balanced_accuracy"}
    assert set(rows["perturbation"]) == {"clean", "shout"}
    assert set(rows["language"]) == languages
    norms = [*(mine / f"store{options[1]}").glob("objects/*/*/norms.tsv")]
    assert [len(path.read_text().splitlines()) for path in norms] == [2 * 10]  # of each layer's attention


@pytest.mark.slow
def test_they_are_listed(mine: Path) -> None:
    for kind, name in (("tasks", "reviews"), ("perturbations", "shout"), ("metrics", "balanced-accuracy")):
        assert f"\n{name} " in crosswind(mine, "list", kind)
    assert "\nweights " in crosswind(mine, "list", "steps")
