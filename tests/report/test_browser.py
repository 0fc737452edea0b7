"""The page in a real Chromium: filters, both schemes, print, wide and narrow windows, and a hostile run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import NEEDED, chromium, opened
from made_pages import HOSTILE, example, full

from crosswind.analysis.summary import Summary
from crosswind.report.content import AuditRow, ExampleSample
from crosswind.report.page import write_report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def page(summary: Summary, tmp_path_factory: pytest.TempPathFactory) -> Path:
    examples = [
        example(f"xnli/test/{i}", language=("de", "ar", "zh")[i % 3], target=("xnli", "pawsx")[i % 2],
                perturbation=("keyboard", "swap")[i // 15], said=[("none", "a", "b", i % 5 == 0)])
        for i in range(30)
    ]  # fmt: skip
    examples[1] = replace(examples[1], fields=[("first", "هذا كتاب جديد", "هذا كتبا جديد")])
    content = replace(full(summary), examples=ExampleSample(examples, 500))
    return write_report(tmp_path_factory.mktemp("page") / "report.html", content)


def test_filters_narrow_the_examples_and_the_tables(browser: Any, page: Path) -> None:
    with opened(browser, page) as seen:
        window = seen.page

        def shown() -> int:
            return int(window.locator("article.example:visible").count())

        form = window.locator('form[data-for="examples"]')
        assert shown() == 12
        assert form.locator("output").inner_text() == "12 of 30 shown"
        window.locator("#examples-more").click()
        assert shown() == 24
        form.locator('select[name="language"]').select_option("ar")
        assert shown() == 10
        assert form.locator("output").inner_text() == "10 of 10 shown (30 without filters)"
        form.locator('select[name="target"]').select_option("pawsx")
        assert shown() == 5  # 1, 7, 13, 19, 25
        form.locator('select[name="perturbation"]').select_option("swap")
        assert shown() == 2  # 19, 25
        form.locator('input[name="flipped"]').check()
        assert shown() == 1  # 25
        assert "(flipped)" in window.locator("article.example:visible").inner_text()
        form.locator('select[name="language"]').select_option("zh")
        assert shown() == 0
        assert form.locator("output").inner_text() == "0 of 0 shown (30 without filters)"
        table = window.locator("#all-contrasts")
        table.locator("summary").click()
        rows = table.locator("tbody tr")
        whole = rows.count()
        table.locator('select[name="c2"]').select_option("target")
        some = table.locator("tbody tr:visible").count()
        assert 0 < some < whole
        assert {x.inner_text() for x in table.locator("tbody tr:visible td:nth-child(3)").all()} == {"target"}
        assert seen.quiet, (seen.console, seen.requests)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def test_the_answer_fills_the_first_screen_and_nothing_runs_over_its_edge(
    browser: Any, page: Path, width: int, scheme: str
) -> None:
    with opened(browser, page, width=width, height=844, scheme=scheme) as seen:
        assert seen.overflow() <= 0
        lead = seen.page.locator(".lead").bounding_box()
        assert lead["y"] + lead["height"] < 420
        figure = seen.page.locator("figure svg").first.bounding_box()
        assert figure["y"] < 844
        ink, paper = (
            seen.page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor")
        )
        assert _contrast(ink, paper) > 12
        soft = seen.page.evaluate("getComputedStyle(document.querySelector('.about')).color")
        assert _contrast(soft, paper) > 4.5  # WCAG 2.2, 1.4.3
        # The text of a figure has the ink of the page.
        assert seen.page.evaluate("getComputedStyle(document.querySelector('figure text')).fill") == ink
        assert seen.quiet, (seen.console, seen.requests)


def test_what_is_wider_than_the_window_says_that_it_scrolls_and_does_so_by_keys(browser: Any, page: Path) -> None:
    sign = "x => getComputedStyle(x, '::before').content"
    with opened(browser, page, width=390, height=844) as seen:
        forest = seen.page.locator("#contrasts .scroll").first
        assert forest.evaluate("x => x.scrollWidth > x.clientWidth")
        assert "scrolls sideways" in forest.evaluate(sign)
        assert forest.evaluate("x => getComputedStyle(x).borderRightStyle") == "dashed"
        forest.focus()
        assert forest.evaluate("x => document.activeElement === x && getComputedStyle(x).outlineStyle") == "solid"
        seen.page.keyboard.press("ArrowRight")
        moved = "const look = frames => frames && !x.scrollLeft ? requestAnimationFrame(() => look(frames - 1))"
        assert forest.evaluate(f"x => new Promise(done => {{ {moved} : done(x.scrollLeft > 0); look(600); }})")
        # Whatever scrolls says so, and can be reached by keys, what was folded too.
        opening = (
            "for (const x of document.querySelectorAll('details')) x.open = true; const soon = requestAnimationFrame"
        )
        seen.page.evaluate(f"() => new Promise(done => {{ {opening}; soon(() => soon(() => soon(() => done()))); }})")
        wider = "[...document.querySelectorAll('.scroll')].filter(x => x.scrollWidth > x.clientWidth + 2)"
        boxes = seen.page.evaluate(f"{wider}.map(x => [x.ariaLabel, x.matches('.scrolls'), x.tabIndex])")
        assert len(boxes) > 3
        assert [x for x in boxes if x[1:] != [True, 0]] == []
        seen.page.emulate_media(media="print")
        shown = "(s => s.content !== 'none' && s.display !== 'none')(getComputedStyle(x, '::before'))"
        assert forest.evaluate(f"x => {shown}") is False
        assert seen.quiet, (seen.console, seen.requests)
    with opened(browser, page, width=1280) as seen:
        forest = seen.page.locator("#contrasts .scroll").first
        assert forest.evaluate(sign) == "none"  # all of it is there


def test_figures_have_lighter_series_on_a_dark_ground_and_dark_ones_in_print(browser: Any, page: Path) -> None:
    line = "#contrasts svg line[stroke='#0072B2']"
    blue = f'getComputedStyle(document.querySelector("{line}")).stroke'
    with opened(browser, page, scheme="light") as seen:
        assert seen.page.evaluate(blue) == "rgb(0, 114, 178)"
    with opened(browser, page, scheme="dark") as seen:
        assert seen.page.evaluate(blue) == "rgb(74, 163, 224)"
        ground = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        painted = seen.page.evaluate(
            '[...document.querySelectorAll(\'figure svg [stroke^="#"], figure svg [fill^="#"]:not(rect):not(text)\')]'
            ".map(x => getComputedStyle(x)).map(x => x.stroke === 'none' ? x.fill : x.stroke)"
        )
        assert {colour for colour in painted if _contrast(colour, ground) < 4.5} == set()
        seen.page.emulate_media(media="print")
        assert seen.page.evaluate(blue) == "rgb(0, 114, 178)"


def _contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(x) / 255 for x in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_the_page_prints_dark_on_white_without_controls(browser: Any, page: Path, tmp_path: Path) -> None:
    with opened(browser, page, scheme="dark") as seen:
        seen.page.emulate_media(media="print")
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert seen.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
        assert seen.page.locator("form.filters:visible, nav:visible, button:visible").count() == 0
        seen.page.pdf(path=tmp_path / "page.pdf", format="A4")
        assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF-")
        assert seen.quiet, (seen.console, seen.requests)


def test_scripts_from_right_to_left_run_so_and_the_page_is_read_out_in_order(browser: Any, page: Path) -> None:
    with opened(browser, page) as seen:
        arabic = seen.page.locator("article[data-language=ar] p[lang=ar]").first
        assert arabic.evaluate("x => getComputedStyle(x).direction") == "rtl"
        # The first word stands right of the marked one.
        marked = seen.page.locator("article[data-language=ar] del").first.bounding_box()
        paragraph = arabic.bounding_box()
        assert marked["x"] + marked["width"] < paragraph["x"] + paragraph["width"] - 10
        tree = seen.page.locator("body").aria_snapshot()
        assert 'heading "Examples" [level=2]' in tree
        assert 'img "Forest plot of 3 contrasts' in tree
        assert 'checkbox "flipped only"' in tree


def test_a_hostile_run_does_nothing_in_a_browser(browser: Any, summary: Summary, tmp_path: Path) -> None:
    lines = tuple(replace(x, target=f"t{HOSTILE}") for x in summary.lines)
    hostile = example(
        HOSTILE, target=HOSTILE, perturbation=HOSTILE, condition=HOSTILE, gold=HOSTILE,
        fields=[(HOSTILE, HOSTILE, f"x {HOSTILE}")], said=[(HOSTILE, HOSTILE, HOSTILE, True)],
    )  # fmt: skip
    content = replace(
        full(replace(summary, lines=lines)), title=HOSTILE, notes=[HOSTILE], examples=ExampleSample([hostile], 9),
        audit=[AuditRow(HOSTILE, HOSTILE, True, HOSTILE)],
    )  # fmt: skip
    path = write_report(tmp_path / "report.html", content)
    for width in (1280, 390):
        with opened(browser, path, width=width) as seen:
            assert seen.quiet, (seen.console, seen.requests, seen.dialogs)
            assert seen.page.locator("img, iframe").count() == 0
            assert seen.overflow() <= 0
            assert "⟨U+202E⟩" in seen.page.locator("article.example").inner_text()
            form = seen.page.locator('form[data-for="examples"]')
            form.locator('select[name="target"]').select_option(index=1)
            assert seen.page.locator("article.example:visible").count() == 1


@pytest.mark.parametrize("width", [390, 1280])
def test_captions_of_wide_tables_stay_in_the_window_before_and_after_scrolling(
    browser: Any, page: Path, width: int
) -> None:
    with opened(browser, page, width=width, height=844) as seen:
        seen.page.evaluate("for (const x of document.querySelectorAll('details')) x.open = true")
        for scrolled in (0, 10_000):
            seen.page.evaluate(f"for (const x of document.querySelectorAll('.scroll')) x.scrollLeft = {scrolled}")
            boxes = seen.page.evaluate(
                "[...document.querySelectorAll('.scroll caption:not(.unheard) > span')].map(x => {"
                " const box = x.getBoundingClientRect(), frame = x.closest('.scroll').getBoundingClientRect();"
                " return [x.textContent, box.left - frame.left, frame.right - box.right, box.width]; })"
            )
            assert len(boxes) > 10
            assert [x for x in boxes if x[1] < -1 or x[2] < -1 or x[3] < 60] == []
        wider = "[...document.querySelectorAll('.scroll')].filter(x => x.scrollLeft > 0).length"
        assert seen.page.evaluate(wider) > (5 if width == 390 else 0)  # some tables were scrolled at all
        assert seen.overflow() <= 0


def test_without_a_browser_the_tests_fail_where_one_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv(NEEDED, raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs Chromium"), chromium():
        pass
    monkeypatch.setenv(NEEDED, "1")
    with pytest.raises(pytest.fail.Exception, match="CROSSWIND_NEEDS_BROWSER=1, but none of chromium"), chromium():
        pass
