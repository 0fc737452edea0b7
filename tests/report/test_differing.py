"""Where two texts differ: word by word, nothing lost, unseen characters written out."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crosswind.report.differing import differing_runs, plain_runs
from crosswind.report.parts import Run


def shown(runs: tuple[Run, ...]) -> list[tuple[str, str]]:
    return [(run.kind, run.text) for run in runs]


def test_changed_words_are_marked_on_both_sides() -> None:
    before, after = differing_runs("the old house here", "the odl house there is")
    assert shown(before) == [("same", "the "), ("cut", "old"), ("same", " house "), ("cut", "here")]
    assert shown(after)[:3] == [("same", "the "), ("new", "odl"), ("same", " house ")]
    assert "".join(text for _, text in shown(after)) == "the odl house there is"


def test_scripts_without_blanks_are_compared_character_by_character_and_joined_ones_stay_whole() -> None:
    before, after = differing_runs("私は学生です", "私は先生です")
    assert shown(before) == [("same", "私は"), ("cut", "学"), ("same", "生です")]
    assert shown(after) == [("same", "私は"), ("new", "先"), ("same", "生です")]
    # Arabic letters join and Devanagari marks combine: the whole word is marked.
    before, after = differing_runs("هذا كتاب", "هذا كتبا")
    assert shown(before)[-1] == ("cut", "كتاب")
    before, _ = differing_runs("यह किताब है", "यह कतिाब है")
    assert ("cut", "किताब") in shown(before)


def test_unseen_characters_are_written_out_where_they_were_put_in() -> None:
    before, after = differing_runs("pay pal", "pay\u200bpal\u202e")
    assert ("unseen", "⟨U+200B⟩") in shown(after)
    assert ("unseen", "⟨U+202E⟩") in shown(after)
    assert all(kind != "unseen" for kind, _ in shown(before))
    assert shown(plain_runs("می\u200cخواهم")) == [("same", "می\u200cخواهم")]  # the script needs it
    _, after = differing_runs("word", "wo\u200crd")
    assert ("unseen", "⟨U+200C⟩") in shown(after)


def test_long_words_and_long_texts_are_cut_and_say_so() -> None:
    before, _ = differing_runs("x" * 10_000, "y")
    assert shown(before) == [("cut", "x" * 120 + "…(10,000 characters)")]
    text = " ".join(f"w{i}" for i in range(300))
    before, after = differing_runs(text, text.replace("w150", "w15O"))
    assert [kind for kind, _ in shown(before)] == ["skipped", "same", "cut", "same", "skipped"]
    assert len("".join(t for _, t in shown(after))) < 200


@given(st.text("ab é\u0301كत学 ", max_size=60), st.text("ab é\u0301كत学 ", max_size=60))
def test_nothing_of_a_short_text_is_lost(before: str, after: str) -> None:
    left, right = differing_runs(before, after)
    assert "".join(r.text for r in left) == before
    assert "".join(r.text for r in right) == after
    assert {r.kind for r in left} <= {"same", "cut"}
    if before == after:
        assert {r.kind for r in (*left, *right)} <= {"same"}
