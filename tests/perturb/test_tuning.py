"""The severity that does a given damage."""

from __future__ import annotations

import pytest

from crosswind.errors import UserError
from crosswind.perturb.damage import Damage
from crosswind.perturb.spec import TextScope, parse_spec
from crosswind.perturb.tuning import SEVERITY_STEPS, DamageTarget, damage_of_lines, parse_damage, tuned_severity

LINES = {
    "en": [f"The quick brown fox number {i} jumps over the lazy dog and sleeps" for i in range(60)],
    "zh": [f"我昨天在北京大学学习自然语言处理，今天休息第{i}天。" for i in range(60)],
}


def test_the_lowest_severity_that_does_the_damage_is_the_one_of_a_search_of_all() -> None:
    def measured(severity: float) -> Damage:
        return Damage(texts=10, edits=int(severity * 100))

    for wanted in (0.5, 2.0, 9.0):
        target = DamageTarget("edits", wanted)
        every = next(
            k / SEVERITY_STEPS for k in range(1, SEVERITY_STEPS + 1) if target.reached_by(measured(k / SEVERITY_STEPS))
        )
        assert tuned_severity(measured, target) == every
    with pytest.raises(UserError, match="out of reach: at severity 1 it is edits=10"):
        tuned_severity(measured, DamageTarget("edits", 11))


@pytest.mark.parametrize("wanted", ["chrf=85", "edits=3", "words=0.3"])
def test_two_languages_are_damaged_alike(wanted: str) -> None:
    target = parse_damage(wanted, "--damage")
    levels = {}
    for language, lines in LINES.items():
        measured = damage_of_lines(lines, lambda s: parse_spec("keyboard", severity=s), TextScope(language), draw=1)
        levels[language] = severity = tuned_severity(measured, target)
        done = target.of(measured(severity))
        assert done == pytest.approx(target.value, rel=0.06)
        assert not target.reached_by(measured(severity - 1 / SEVERITY_STEPS))
    assert levels["en"] != levels["zh"]


@pytest.mark.parametrize(
    ("text", "says"),
    [("90", "is no damage"), ("chrf=100", "is no change"), ("edits=0", "is no change"), ("chfr=90", "unknown axis")],
)
def test_a_target_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        parse_damage(text, "--damage")
