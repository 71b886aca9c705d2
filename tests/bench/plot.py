"""Curves as one SVG picture: a panel a curve, sizes by powers of ten, cost from nothing up. Standard library alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tests.bench.curves import Point

WIDTH, HEIGHT, COLUMNS = 300, 210, 3
HEAD = 30
LEFT, RIGHT, TOP, BOTTOM, PAD = 40, 14, 36, 30, 16
TITLE = "CPU time of one event in µs, by how much there is of what it meets"
INK, GRID, LINE = "#24292f", "#d0d7de", "#0969da"
STEPS = (10, 20, 30, 40, 50, 100, 200, 300, 400, 500, 1_000)


def svg(curves: Mapping[str, Sequence[Point]]) -> str:
    """All panels, on one scale of cost."""
    top = _top(max(point.cost_us for points in curves.values() for point in points))
    rows = math.ceil(len(curves) / COLUMNS)
    body = "".join(
        f'<g transform="translate({number % COLUMNS * WIDTH},{HEAD + number // COLUMNS * HEIGHT})">{_panel(name, points, top)}</g>'
        for number, (name, points) in enumerate(curves.items())
    )
    width, height = COLUMNS * WIDTH, HEAD + rows * HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        f' font-family="Helvetica, Arial, sans-serif" font-size="11" fill="{INK}">'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/><text x="{LEFT}" y="22" font-size="15" font-weight="bold">{TITLE}</text>{body}</svg>\n'
    )


def _top(cost: float) -> int:
    """Where the scale ends: a round number of five steps."""
    return 5 * next(step for step in STEPS if 5 * step >= cost)


def _panel(name: str, points: Sequence[Point], top: int) -> str:
    powers = range(
        math.floor(math.log10(points[0].size)), max(1, math.ceil(math.log10(points[-1].size) - 1e-9)) + 1
    )

    def x(size: float) -> float:
        share = (math.log10(size) - powers[0]) / (powers[-1] - powers[0])
        return round(LEFT + PAD + share * (WIDTH - LEFT - RIGHT - 2 * PAD), 1)

    def y(cost: float) -> float:
        return round(HEIGHT - BOTTOM - cost / top * (HEIGHT - TOP - BOTTOM), 1)

    found = [f'<text x="{LEFT}" y="20" font-size="13" font-weight="bold">{name}</text>']
    for number in range(6):
        cost = top * number // 5
        found.append(f'<path d="M{LEFT} {y(cost)}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        found.append(f'<text x="{LEFT - 6}" y="{y(cost) + 4}" text-anchor="end">{cost}</text>')
    for power in powers:
        found.append(
            f'<text x="{x(10**power)}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{_size(10**power)}</text>'
        )
    path = " ".join(f"{x(point.size)},{y(point.cost_us)}" for point in points)
    found.append(f'<polyline points="{path}" fill="none" stroke="{LINE}" stroke-width="2"/>')
    for point in points:
        at = x(point.size), y(point.cost_us)
        found.append(f'<circle cx="{at[0]}" cy="{at[1]}" r="3" fill="{LINE}"/>')
        found.append(f'<text x="{at[0]}" y="{at[1] - 8}" text-anchor="middle">{point.cost_us:.0f}</text>')
    return "".join(found)


def _size(size: int) -> str:
    return (
        f"{size // 1_000_000} M"
        if size >= 1_000_000
        else f"{size // 1_000} k"
        if size >= 1_000
        else str(size)
    )
