"""What an event costs does not grow with how much there is: by calls of functions, which are the same on every machine."""

from __future__ import annotations

import pathlib
import xml.etree.ElementTree as ET

import pytest

from tests.bench import plot, report
from tests.bench.curves import CURVES, PACK_EVENTS, Curve, Point, calls

SMALL = {
    "accounts": (PACK_EVENTS, 5 * PACK_EVENTS),
    "groups of an account": (1, 20),
    "tiers of a price": (5, 60),
    "cells of a matrix": (5, 200),
    "open periods of an account": (2, 30),
}
LEVEL = 0.03
"""How much more a larger size may take: places of a pack fall together in fewer or more hours and groups."""
FOUND = {
    "accounts": [Point(1_000, 60.2, 350.0), Point(1_000_000, 90.4, 350.0)],
    "tiers": [Point(1, 80.0, 7.0)],
}


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: str(curve.name))
def test_an_event_takes_as_many_calls_whatever_the_size(curve: Curve, tmp_path: pathlib.Path) -> None:
    small, large = (calls(curve.world(size), tmp_path / str(size)) for size in SMALL[curve.name])
    assert large < small * (1 + LEVEL), (small, large)


def test_there_is_a_small_size_of_every_curve() -> None:
    assert [curve.name for curve in CURVES] == list(SMALL)


def test_the_picture_has_a_line_and_its_figures_for_every_curve() -> None:
    drawn = ET.fromstring(plot.svg(FOUND))
    space = "{http://www.w3.org/2000/svg}"
    assert len(drawn.findall(f".//{space}polyline")) == len(FOUND)
    assert len(drawn.findall(f".//{space}circle")) == 3
    texts = [each.text for each in drawn.iter(f"{space}text")]
    assert {"accounts", "tiers", "1 k", "1 M", "60", "90", "80"} <= set(texts)
    low, high = (each.get("points", "").split() for each in drawn.findall(f".//{space}polyline"))
    first, last = ([float(part) for part in point.split(",")] for point in low)
    assert first[0] < last[0]
    assert first[1] > last[1]
    assert high == [f"{plot.LEFT + plot.PAD}.0,{high[0].partition(',')[2]}"]


def test_new_curves_take_the_place_of_the_old_ones_on_the_page() -> None:
    page = f"# Benchmarks\n\n{report.CURVES_HEAD}\n\nstale\n\n## How to read it\n\n- so\n"
    made = report.with_curves(page, FOUND)
    assert made.startswith(f"# Benchmarks\n\n{report.CURVES_HEAD}\n")
    assert made.endswith("\n\n## How to read it\n\n- so\n")
    assert "stale" not in made
    assert "| accounts | 1,000,000 | 90 | 1.50 | 350 |" in made
    assert report.with_curves(made, FOUND) == made
