"""Drawing static figures: shapes and texts with attributes alone, so that no style and no script is needed.

Text and lines have the colour of the page they stand on (`currentColor`), which is black in a file of their own; data
have colours that are told apart in every colour vision, on white and on dark, and shapes besides.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from crosswind.report.inert import inert, wide

# Okabe and Ito 2008, "Color Universal Design", but for orange, sky blue, yellow and black: on white the first three
# have a contrast below 3:1 (WCAG 2.2, 1.4.11), black is the text's. Brown and indigo stand in their places.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#6B4E00", "#332288", "#808080")
# The same series on a dark page, where the darker ones could hardly be seen.
_ON_DARK = ("#4AA3E0", "#E8752A", "#22B585", "#DE92BC", "#F2C14E", "#B9E3FF", "#9A9A9A")
SHAPES = ("circle", "square", "triangle", "diamond", "cross")
INK = "currentColor"
FONT = "system-ui, -apple-system, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif"
SIZE = 12.0  # pixels of a text
MINUS = "−"


def colour_of(number: int) -> str:
    """The colour of a series by its number."""
    return COLOURS[number % len(COLOURS)]


def shape_of(number: int) -> str:
    """The shape of a series by its number."""
    return SHAPES[number % len(SHAPES)]


def dark_rules() -> str:
    """The style of a page that shows figures on a dark ground: each colour of a series becomes its lighter one."""
    rules = [
        f'figure svg [{what}="{colour}"] {{ {what}: {lighter}; }}'
        for colour, lighter in zip(COLOURS, _ON_DARK, strict=True)
        for what in ("stroke", "fill")
    ]
    return "@media screen and (prefers-color-scheme: dark) {\n  " + "\n  ".join(rules) + "\n}\n"


def signed(value: float) -> str:
    """A number with its sign, one decimal."""
    return f"{value:+.1f}".replace("-", MINUS)


class Drawing:
    """Shapes on a canvas of `width` x `height` pixels, the origin at its upper left."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._shapes: list[str] = []

    def line(
        self, x: float, y: float, x2: float, y2: float, *, colour: str = INK, width: float = 1.0, opacity: float = 1.0,
        dashed: bool = False,
    ) -> None:  # fmt: skip
        """A straight line; none where an end is no number, and so for paths and marks."""
        if not all(map(math.isfinite, (x, y, x2, y2))):
            return
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        self._shapes.append(
            f'<line x1="{_n(x)}" y1="{_n(y)}" x2="{_n(x2)}" y2="{_n(y2)}" stroke="{colour}" stroke-width="{_n(width)}"'
            f"{_opacity('stroke', opacity)}{dash}/>"
        )

    def path(
        self, points: Sequence[tuple[float, float]], *, colour: str, width: float = 1.8, dashed: bool = False
    ) -> None:
        """A line through points."""
        points = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
        if len(points) < 2:
            return
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        route = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        self._shapes.append(f'<path d="{route}" fill="none" stroke="{colour}" stroke-width="{_n(width)}"{dash}/>')

    def band(self, edges: Sequence[tuple[float, float, float]], *, colour: str, opacity: float = 0.12) -> None:
        """The ground between two lines through (x, y, other y); nothing of a single point."""
        edges = [edge for edge in edges if all(map(math.isfinite, edge))]
        if len(edges) < 2:
            return
        corners = [*((x, y) for x, y, _ in edges), *((x, y) for x, _, y in reversed(edges))]
        route = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in corners) + "Z"
        self._shapes.append(f'<path d="{route}" fill="{colour}"{_opacity("fill", opacity)}/>')

    def rect(
        self, x: float, y: float, width: float, height: float, *, fill: str, opacity: float = 1.0, stroke: str = ""
    ) -> None:
        """A rectangle."""
        line = f' stroke="{stroke}"' if stroke else ""
        self._shapes.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" fill="{fill}"'
            f"{_opacity('fill', opacity)}{line}/>"
        )

    def text(
        self, x: float, y: float, text: str, *, anchor: str = "start", size: float = SIZE, bold: bool = False,
        opacity: float = 1.0, colour: str = INK, upright: bool = False,
    ) -> None:  # fmt: skip
        """A text whose middle line is at `y`; `upright`: turned, to be read from below."""
        at = f'x="{_n(x)}" y="{_n(y + size * 0.35)}"'
        if upright:
            at = f'transform="translate({_n(x + size * 0.35)} {_n(y)}) rotate(-90)"'
        look = f' text-anchor="{anchor}"' if anchor != "start" else ""
        look += f' font-size="{_n(size)}"' if size != SIZE else ""
        look += ' font-weight="600"' if bold else ""
        self._shapes.append(
            f'<text {at} fill="{colour}"{_opacity("fill", opacity)}{look}>{escape(inert(text), quote=False)}</text>'
        )

    def mark(
        self, x: float, y: float, *, colour: str, shape: str = "circle", size: float = 4.5, hollow: bool = False,
        opacity: float = 1.0,
    ) -> None:  # fmt: skip
        """A mark of a series; hollow ones are outlines."""
        if not (math.isfinite(x) and math.isfinite(y)):
            return
        paint = f'fill="none" stroke="{colour}" stroke-width="1.6"' if hollow else f'fill="{colour}"'
        paint += _opacity("stroke" if hollow else "fill", opacity)
        if shape == "circle":
            self._shapes.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(size)}" {paint}/>')
            return
        corners = {
            "square": [(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            "triangle": [(0, -1.15), (1.1, 0.85), (-1.1, 0.85)],
            "diamond": [(0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)],
            "cross": [(-0.35, -1.1), (0.35, -1.1), (0.35, -0.35), (1.1, -0.35), (1.1, 0.35), (0.35, 0.35),
                      (0.35, 1.1), (-0.35, 1.1), (-0.35, 0.35), (-1.1, 0.35), (-1.1, -0.35), (-0.35, -0.35)],
        }[shape]  # fmt: skip
        route = "M" + "L".join(f"{_n(x + size * dx)} {_n(y + size * dy)}" for dx, dy in corners) + "Z"
        self._shapes.append(f'<path d="{route}" {paint}/>')

    def svg(self) -> str:
        """The figure; it has no title, for the page says what it shows."""
        size = f'width="{_n(self.width)}" height="{_n(self.height)}" viewBox="0 0 {_n(self.width)} {_n(self.height)}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="{FONT}" font-size="{_n(SIZE)}">'
        return head + "".join(self._shapes) + "</svg>"


def _n(value: float) -> str:
    text = f"{value:.1f}"
    return text[:-2] if text.endswith(".0") else text


def _opacity(of: str, value: float) -> str:
    return "" if value >= 1 else f' {of}-opacity="{value:g}"'


class Scale:
    """A linear scale from data to pixels."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        if high <= low:
            low, high = low - 1, high + 1
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        if not math.isfinite(value):
            return math.nan
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)

    def ticks(self, about: int = 5) -> list[float]:
        """Round numbers within it."""
        raw = (self.high - self.low) / max(1, about)
        power = 10 ** math.floor(math.log10(raw))
        step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [k * step for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def scale_over(values: Sequence[float], start: float, end: float, pad: float = 0.05) -> Scale:
    """A scale that holds the values, with a little room."""
    finite = [v for v in values if math.isfinite(v)] or [0.0]
    low, high = min(finite), max(finite)
    room = pad * (high - low or 1.0)
    return Scale(low - room, high + room, start, end)


def tick_label(value: float) -> str:
    """A number at an axis."""
    return f"{value:g}".replace("-", MINUS)


def legend_row(
    drawing: Drawing, x: float, y: float, names: Sequence[str], *, hollow: bool = False, width: float = 760.0
) -> float:
    """The names of series with their marks, in a row that wraps; returns the y below."""
    start = x
    for number, name in enumerate(names):
        label = inert(name, 60)
        needed = 18 + SIZE * wide(label) + 16
        if x + needed > width and x > start:
            x, y = start, y + 20
        drawing.mark(x + 5, y, colour=colour_of(number), shape=shape_of(number), hollow=hollow)
        drawing.text(x + 15, y, label)
        x += needed
    return y + 20
