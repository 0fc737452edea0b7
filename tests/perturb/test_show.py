"""What perturbations look like, before any model: ten scripts, five perturbations, edits marked."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from crosswind.errors import UserError
from crosswind.perturb.show import SHOWN_SPECS, lines_of, shown_texts
from crosswind.perturb.words import script

MAIN = "from crosswind.cli import main; main()"


def test_ten_scripts_are_shown_under_five_perturbations() -> None:
    texts = list(shown_texts())
    assert len({script(shown.language) for shown in texts}) == 10
    assert all([name for name, _ in shown.outcomes] == [s.partition(":")[0] for s in SHOWN_SPECS] for shown in texts)
    for shown in texts:
        changed = [outcome for _, outcome in shown.outcomes if not isinstance(outcome, str)]
        assert len(changed) >= 2
        assert all(any(edit for _, edit in outcome) for outcome in changed)


def test_edits_are_marked_and_the_rest_is_the_text() -> None:
    (shown,) = shown_texts("Größe über alles", ["de"], ["diacritics:1", "word-order:1"])
    assert list(lines_of(shown, colour=False)) == [
        "German (de)",
        "              Größe über alles",
        "  diacritics  Gr‹oss›e ‹u›ber alles",
        "  word-order  ‹über Größe› alles",
    ]
    assert "\x1b[7mu\x1b[27mber" in list(lines_of(shown, colour=True))[2]


def test_what_does_not_apply_says_why() -> None:
    (shown,) = shown_texts("我在这里", ["zh"], ["swap:1", "diacritics:1"])
    reasons = [outcome for _, outcome in shown.outcomes]
    assert "swap has no letters to swap in zh (Hans)" in str(reasons[0])
    assert "nothing to strip" in str(reasons[1])
    with pytest.raises(UserError, match="no sample in Croatian"):
        list(shown_texts(None, ["hr"]))


def test_the_command_loads_no_model_and_none_of_the_libraries_that_take_long() -> None:
    watched = f"import sys, atexit, json; atexit.register(lambda: print(json.dumps([*sys.modules]))); {MAIN}"
    ended = subprocess.run([sys.executable, "-c", watched, "show"], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0
    *lines, modules = ended.stdout.splitlines()
    assert lines[0] == "German (de)"
    assert len(lines) == 10 * 7 + 9
    assert not {"torch", "transformers", "datasets", "requests"} & set(json.loads(modules))
