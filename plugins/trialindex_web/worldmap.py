"""A map of the world as inline SVG, and where places lie on it. It is drawn here: no tile and no script is loaded.

The outlines of land are those of Natural Earth (public domain), 1:110 million, rounded. ``python -m
trialindex_web.worldmap land-110m.json`` writes them from the TopoJSON file of the npm package *world-atlas*.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

LAND = Path(__file__).parent / "static" / "land.txt"
STEPS = 3
"""Units of the map to a degree."""
NORTH, SOUTH = 84.0, -58.0
"""Degrees of latitude that are drawn: nobody is treated beyond."""
WIDTH, HEIGHT = 360 * STEPS, round((NORTH - SOUTH) * STEPS)
MARGIN = 12.0
"""Degrees around the places of a map."""
NARROWEST = 30.0


class Pin(NamedTuple):
    """A place on a map, in its units; whether people can join there; and its name."""

    x: float
    y: float
    open: bool
    name: str


class Map(NamedTuple):
    """A map, ready to be drawn.

    :param box: the view box.
    :param radius: of a pin, in units of the map.
    """

    box: str
    land: str
    pins: tuple[Pin, ...]
    radius: float


def draw(places: Iterable[tuple[float, float, bool, str]]) -> Map | None:
    """The map of these places, as near as shows all of them; ``None`` if there is none.

    :param places: latitude and longitude in degrees, whether people can join there, and the name.
    """
    pins = sorted({Pin(*_position(lat, long), is_open, name) for lat, long, is_open, name in places})
    if not pins:
        return None
    left, right = min(pin.x for pin in pins) - MARGIN * STEPS, max(pin.x for pin in pins) + MARGIN * STEPS
    top, bottom = min(pin.y for pin in pins) - MARGIN * STEPS, max(pin.y for pin in pins) + MARGIN * STEPS
    width = min(WIDTH, max(right - left, 2 * (bottom - top), NARROWEST * STEPS))
    height = min(HEIGHT, width / 2)
    x = min(max(0.0, (left + right - width) / 2), WIDTH - width)
    y = min(max(0.0, (top + bottom - height) / 2), HEIGHT - height)
    closed_first = tuple(sorted(pins, key=lambda pin: pin.open))
    return Map(f"{x:.0f} {y:.0f} {width:.0f} {height:.0f}", land(), closed_first, round(width / 110, 2))


def _position(latitude: float, longitude: float) -> tuple[float, float]:
    """Where a place lies, equirectangular: a degree is as long everywhere."""
    return round((longitude + 180) * STEPS, 1), round((NORTH - latitude) * STEPS, 1)


@cache
def land() -> str:
    """The outlines of land as the path of SVG."""
    return LAND.read_text(encoding="ascii").strip()


# --- making it ------------------------------------------------------------------------------------------------------


def outlines(topology: dict[str, Any]) -> str:
    """The land of a TopoJSON file as one path of whole units."""
    scale, shift = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = [list(_absolute(arc, scale, shift)) for arc in topology["arcs"]]
    shapes = topology["objects"]["land"]["geometries"]
    polygons = [
        polygon
        for shape in shapes
        for polygon in (shape["arcs"] if shape["type"] == "MultiPolygon" else [shape["arcs"]])
    ]
    paths = []
    for ring in (ring for polygon in polygons for ring in polygon):
        points: list[tuple[int, int]] = []
        for number in ring:
            for longitude, latitude in arcs[number] if number >= 0 else reversed(arcs[~number]):
                x, y = _position(latitude, longitude)
                point = round(x), min(round(y), HEIGHT)
                if not points or points[-1] != point:
                    points.append(point)
        if len(points) > 3 and any(y < HEIGHT for _, y in points):
            paths.append(_path(points))
    return "".join(paths)


def _absolute(arc: list[list[int]], scale: list[float], shift: list[float]) -> Iterator[tuple[float, float]]:
    x = y = 0
    for dx, dy in arc:
        x, y = x + dx, y + dy
        yield x * scale[0] + shift[0], y * scale[1] + shift[1]


def _path(points: list[tuple[int, int]]) -> str:
    """A ring as relative lines; points in the middle of a straight line are left out."""
    kept = [points[0]]
    for point, after in pairwise(points[1:]):
        before = kept[-1]
        if (point[0] - before[0]) * (after[1] - before[1]) != (after[0] - before[0]) * (point[1] - before[1]):
            kept.append(point)
    steps = (f"{x - a} {y - b}" for (a, b), (x, y) in pairwise(kept))
    return f"M{kept[0][0]} {kept[0][1]}l{' '.join(steps).replace(' -', '-')}z"


if __name__ == "__main__":
    LAND.write_text(outlines(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))) + "\n", encoding="ascii")
