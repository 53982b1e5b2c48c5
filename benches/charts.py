"""Line charts as small SVG: logarithmic axes, curves named at their ends, readable on light and dark pages."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Final
from xml.sax.saxutils import escape

_WIDTH, _HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 170, 48, 56
_LABEL_HEIGHT: Final = 16
_COLOURS: Final = ("ours", "also", "peer")
_HEAD: Final = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" \
font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" role="img" aria-label="{title}">
<title>{title}</title>
<style>
.panel{{fill:#ffffff;stroke:#d0d7de}}.head{{fill:#1f2328;font-size:15px;font-weight:600}}.text{{fill:#424a53}}
.grid{{stroke:#d8dee4}}.curve{{fill:none;stroke-width:2}}.dashed{{stroke-dasharray:5 4}}
.ours{{stroke:#0969da}}.also{{stroke:#bc4c00}}.peer{{stroke:#6e7781}}
.name.ours,.dot.ours{{fill:#0969da;stroke:none}}.name.also,.dot.also{{fill:#bc4c00;stroke:none}}
.name.peer,.dot.peer{{fill:#57606a;stroke:none}}
@media (prefers-color-scheme: dark){{.panel{{fill:#0d1117;stroke:#30363d}}.head{{fill:#e6edf3}}.text{{fill:#c9d1d9}}
.grid{{stroke:#30363d}}.ours{{stroke:#58a6ff}}.also{{stroke:#f0883e}}.peer{{stroke:#8b949e}}
.name.ours,.dot.ours{{fill:#58a6ff}}.name.also,.dot.also{{fill:#f0883e}}.name.peer,.dot.peer{{fill:#8b949e}}}}
</style>
<rect class="panel" x="0.5" y="0.5" width="{inner_width}" height="{inner_height}" rx="8"/>
"""


@dataclasses.dataclass(frozen=True)
class Curve:
    """One line: a name, heights for the first places of the axis, a colour (0 to 2), and whether it is dashed."""

    name: str
    heights: Sequence[float]
    colour: int
    dashed: bool = False


@dataclasses.dataclass(frozen=True)
class Chart:
    """A picture: what varies along the bottom, what is measured, and its curves. All numbers are above 0."""

    title: str
    along: str
    measured: str
    axis: Sequence[int]
    curves: Sequence[Curve]
    doubling: bool = True
    """Whether places double from one to the next, as on a logarithmic axis, or lie evenly."""

    def svg(self) -> str:
        """The picture as text."""
        head = _HEAD.format(
            width=_WIDTH,
            height=_HEIGHT,
            inner_width=_WIDTH - 1,
            inner_height=_HEIGHT - 1,
            title=escape(self.title, {'"': "&quot;"}),
        )
        parts = [head, _text(20, 28, self.title, "head"), self._grid(), self._curves(), "</svg>\n"]
        return "".join(parts)

    def _grid(self) -> str:
        bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
        lines = [_text(_LEFT, 46, self.measured, "text", size=12)]
        for tick in _ticks(*self._extent()):
            y = self._y(tick)
            lines.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{right}"/>\n')
            lines.append(_text(_LEFT - 8, y + 4, f"{tick:g}", "text", anchor="end"))
        lines += [_text(self._x(place), bottom + 20, f"{place:d}", "text", anchor="middle") for place in self.axis]
        lines.append(_text((_LEFT + right) / 2, bottom + 42, self.along, "text", anchor="middle"))
        return "".join(lines)

    def _curves(self) -> str:
        drawn, ends = [], []
        for curve in self.curves:
            points = [
                (self._x(place), self._y(height)) for place, height in zip(self.axis, curve.heights, strict=False)
            ]
            style = _COLOURS[curve.colour]
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
            drawn.append(f'<path class="curve {style}{" dashed" if curve.dashed else ""}" d="M{path}"/>\n')
            drawn += [f'<circle class="dot {style}" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>\n' for x, y in points]
            ends.append((points[-1][1], curve.name, style))
        names = [_text(_WIDTH - _RIGHT + 10, y + 4, name, f"name {style}") for y, name, style in _spread(ends)]
        return "".join(drawn + names)

    def _extent(self) -> tuple[float, float]:
        heights = [height for curve in self.curves for height in curve.heights]
        return _edge(min(heights), downwards=True), _edge(max(heights), downwards=False)

    def _x(self, place: float) -> float:
        def scale(value: float) -> float:
            return math.log2(value) if self.doubling else value

        first, last = scale(self.axis[0]), scale(self.axis[-1])
        return _LEFT + 12 + (_WIDTH - _LEFT - _RIGHT - 24) * (scale(place) - first) / (last - first)

    def _y(self, height: float) -> float:
        low, high = (math.log10(edge) for edge in self._extent())
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM - 12) * (math.log10(height) - low) / (high - low)


def _edge(height: float, *, downwards: bool) -> float:
    """The next of 1, 2, 5, 10, … below or above."""
    steps = [step * 10.0**power for power in range(-6, 7) for step in (1, 2, 5)]
    return max(s for s in steps if s <= height) if downwards else min(s for s in steps if s >= height)


def _ticks(low: float, high: float) -> list[float]:
    steps = (step * 10.0**power for power in range(-6, 7) for step in (1, 2, 5))
    return [step for step in steps if low <= step * 1.0001 and step <= high * 1.0001]


def _spread(ends: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Names at the ends of curves, moved down where they would cover one another."""
    placed: list[tuple[float, str, str]] = []
    for y, name, style in sorted(ends):
        lowest = placed[-1][0] + _LABEL_HEIGHT if placed else y
        placed.append((max(y, lowest), name, style))
    return placed


def _text(x: float, y: float, text: str, style: str, anchor: str = "start", size: int | None = None) -> str:
    extra = ("" if anchor == "start" else f' text-anchor="{anchor}"') + (f' font-size="{size}"' if size else "")
    return f'<text class="{style}" x="{x:.1f}" y="{y:.1f}"{extra}>{escape(text)}</text>\n'
