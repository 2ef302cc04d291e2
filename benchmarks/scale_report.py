"""What ``scale.py`` measured, as ``docs/performance.md`` and its plot. Every figure of the tables is a measured one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("scale_page.txt")
"""The words around the tables."""
_NOT_COMPARED = "Not measured: an index of real trials was not at hand."
_COLOURS = ("#1b6ca8", "#c8553d", "#3f7d3a", "#8a5aa8")


class Figures:
    """The results by size; ``None`` for what was not measured."""

    def __init__(self, results: dict[str, Any]) -> None:
        self.results = results
        self.sizes = sorted(int(key) for key in results if key.isdecimal())

    def of(self, size: int, *path: str) -> Any:
        found: Any = self.results.get(str(size), {})
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found

    def row(
        self, label: str, form: str, *path: str, target: Callable[[float], bool] | None = None, goal: str = ""
    ) -> str:
        """A row of a table: the figure at each size, marked where the largest misses the target."""
        cells = []
        for size in self.sizes:
            value = self.of(size, *path)
            cells.append("not measured" if value is None else form.format(value))
        last = self.of(self.sizes[-1], *path)
        if target and last is not None:
            cells.append(f"{goal}, {'met' if target(last) else '**missed**'}")
        else:
            cells.append(goal)
        return f"| {label} | {' | '.join(cells)} |"

    def table(self, first: str, rows: Sequence[str], last: str = "target at the largest") -> str:
        head = f"| {first} | {' | '.join(f'{size:,}' for size in self.sizes)} | {last} |"
        return "\n".join([head, "| --- |" + " --- |" * (len(self.sizes) + 1), *rows])


def write_report(results: dict[str, Any], docs: Path) -> None:
    """Write ``performance.md`` and ``performance.svg`` into the folder *docs*."""
    figures = Figures(results)
    parts = {
        "machine": _machine(figures),
        "growth": _growth(figures),
        "recall": _recall(figures),
        "space": _space(figures),
        "baselines": _baselines(figures),
        **{name: figures.results.get("vectors", {}).get(name, _NOT_COMPARED) for name in ("chosen", "likeness")},
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, text in parts.items():
        page = page.replace(f"<!-- {name} -->", text)
    (docs / "performance.md").write_text(page, encoding="utf-8")
    (docs / "performance.svg").write_text(_plot(figures), encoding="utf-8")


def _machine(figures: Figures) -> str:
    machine = figures.results["machine"]
    loads = [load for size in figures.sizes for load in _loads(figures.of(size))]
    return (
        f"Measured on {machine['cores']} cores ({machine.get('processor', 'processor not stated')}), Python "
        f"{machine['python']}. Other programs were running: the load average was {min(loads):.1f} to {max(loads):.1f} "
        f"while the figures were taken, and above {machine['cores']} everything waits. *CPU* is the time for which the "
        "processors worked: what a query takes when nothing else runs is near to it, or below, since two work at once."
    )


def _loads(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "load":
                yield inner
            else:
                yield from _loads(inner)


def _growth(f: Figures) -> str:
    row = f.row
    rows = [
        row("passages", "{:,}", "sizes", "passages", goal="at least as many as trials"),
        row(
            "warm query, short text, p50, ms", "{:.1f}", "queries", "short", "p50", target=lambda v: v <= 50, goal="50"
        ),
        row("p95, ms", "{:.1f}", "queries", "short", "p95", target=lambda v: v <= 120, goal="120"),
        row("CPU, ms", "{:.1f}", "queries", "short", "cpu"),
        row("load meanwhile", "{:.1f}", "queries", "short", "load"),
        row("note of 150 words, p50, ms", "{:.1f}", "queries", "note", "p50"),
        row("p95, ms", "{:.1f}", "queries", "note", "p95"),
        row("CPU, ms", "{:.1f}", "queries", "note", "cpu"),
        row("`--mode vector`, p50, ms", "{:.1f}", "queries", "vector", "p50"),
        row("`--mode lexical`, p50, ms", "{:.1f}", "queries", "lexical", "p50"),
        row("short text, filter that leaves 50 %, p50, ms", "{:.1f}", "queries", "short, 50 %", "p50"),
        row("5 %, p50, ms", "{:.1f}", "queries", "short, 5 %", "p50"),
        row("0.1 %, p50, ms", "{:.1f}", "queries", "short, 0.1 %", "p50"),
        row("what a new filter takes more, 50 %, ms", "{:.1f}", "queries", "filter, 50 %", "p50"),
        row("5 %, ms", "{:.1f}", "queries", "filter, 5 %", "p50"),
        row("0.1 %, ms", "{:.1f}", "queries", "filter, 0.1 %", "p50"),
        row("a whole process for one query, s", "{:.2f}", "cold", "s", target=lambda v: v <= 1.2, goal="1.2"),
        row("its memory at most, MB", "{:.0f}", "cold", "mb", target=lambda v: v <= 600, goal="600"),
        row("refresh of 1,000 changed trials, s", "{:.1f}", "refresh", "s", target=lambda v: v <= 30, goal="30"),
        row("the next night's, s", "{:.1f}", "refresh", "second_s", target=lambda v: v <= 30, goal="30"),
        row("build without encoding, s", "{:.0f}", "build", "build_s"),
        row("memory while building, MB", "{:.0f}", "build", "peak_mb"),
    ]
    return f.table("trials", rows)


def _recall(f: Figures) -> str:
    rows = []
    for name, label in (("none", "no filter"), ("50 %", "50 %"), ("5 %", "5 %"), ("0.1 %", "0.1 %")):
        for k, what in ((10, "ten asked for"), (2000, "2,000, as a query does")):
            goal = {"target": lambda v: v >= 0.98, "goal": "0.98"}
            rows.append(f.row(f"{label}, {what}", "{:.4f}", "recall", f"{name}, k={k}", **goal))  # type: ignore[arg-type]
        rows.append(f.row(f"{label}: passages to choose from", "{:,}", "recall", f"{name}, allowed"))
    rows.append(f.row("the ten trials of a hybrid answer", "{:.4f}", "recall", "hybrid"))
    return f.table("left by the filter", rows)


def _space(f: Figures) -> str:
    names: dict[str, None] = {}
    for size in f.sizes:
        names |= dict.fromkeys(f.of(size, "sizes", "parts") or {})
    rows = [f.row(name, "{:,.0f}", "sizes", "parts", name) for name in names]
    rows.append(f.row("all", "{:,.0f}", "sizes", "bytes"))
    for size in f.sizes:
        sizes = f.of(size, "sizes")
        if sizes:
            parts = sizes["parts"]
            sizes["bare"] = sizes["bytes"] - parts["records"] - parts.get("raw", 0)
            sizes["a passage"] = sizes["bare"] * size / sizes["passages"]
    rows.append(f.row("without the records", "{:,.0f}", "sizes", "bare", target=lambda v: v <= 4096, goal="4,096"))
    rows.append(f.row("the same for each passage", "{:,.0f}", "sizes", "a passage"))
    return f.table("bytes a trial", rows)


def _baselines(f: Figures) -> str:
    rows = [
        f.row("vectors: this store, ten nearest, p50, ms", "{:.2f}", "recall", "store", "p50"),
        f.row("CPU, ms", "{:.2f}", "recall", "store", "cpu"),
        f.row("FAISS flat, p50, ms", "{:.2f}", "recall", "flat", "p50"),
        f.row("CPU, ms", "{:.2f}", "recall", "flat", "cpu"),
        f.row("words: this index, short text, CPU, ms", "{:.2f}", "fts5", "ours, short", "cpu"),
        f.row("SQLite FTS5, short text, CPU, ms", "{:.2f}", "fts5", "short", "cpu"),
        f.row("this index, note, CPU, ms", "{:.2f}", "fts5", "ours, note", "cpu"),
        f.row("SQLite FTS5, note, CPU, ms", "{:.2f}", "fts5", "note", "cpu"),
        f.row("SQLite FTS5, build, s", "{:.0f}", "fts5", "build_s"),
        f.row("SQLite FTS5, bytes a trial", "{:,.0f}", "fts5", "bytes"),
    ]
    table = f.table("trials", rows, "")
    encoding = f.results.get("encoding") or {}
    if encoding.get("plain"):
        told = (
            f"Encoding notes of 150 words: {encoding['ours']:.1f} a second by the default encoder, "
            f"{encoding['plain']:.1f} by plain sentence-transformers with the model it was made from (load "
            f"{encoding['load']:.1f})."
        )
    else:
        told = "Encoding was not compared: sentence-transformers was not at hand."
    return f"{table}\n\n{told}"


# --- the plot ---------------------------------------------------------------------------------------------------------


def _plot(f: Figures) -> str:
    """Four small plots, each over the number of trials, as SVG."""
    panels: list[tuple[str, list[tuple[str, tuple[str, ...], float]]]] = [
        (
            "warm query, p50 in ms",
            [("short text", ("queries", "short", "p50"), 1), ("note", ("queries", "note", "p50"), 1)],
        ),
        (
            "ten nearest vectors, CPU ms",
            [("this store", ("recall", "store", "cpu"), 1), ("FAISS flat", ("recall", "flat", "cpu"), 1)],
        ),
        (
            "one query from nothing",
            [("seconds", ("cold", "s"), 1), ("memory in GB", ("cold", "mb"), 0.001)],
        ),
        (
            "refresh of 1,000 trials, s",
            [("first night", ("refresh", "s"), 1), ("second", ("refresh", "second_s"), 1)],
        ),
    ]
    width, height = 340, 240
    drawn = "".join(
        _panel(f, title, lines, (n % 2) * width, (n // 2) * height, width, height)
        for n, (title, lines) in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * width} {2 * height}" font-family="sans-serif" '
        f'font-size="12"><rect width="100%" height="100%" fill="#fff"/>{drawn}</svg>\n'
    )


def _panel(
    f: Figures,
    title: str,
    lines: list[tuple[str, tuple[str, ...], float]],
    left: int,
    top: int,
    width: int,
    height: int,
) -> str:
    low, high = math.log10(f.sizes[0]), math.log10(f.sizes[-1])
    values = {
        name: [(size, value * by) for size in f.sizes if (value := f.of(size, *path)) is not None]
        for name, path, by in lines
    }
    most = max((value for points in values.values() for _, value in points), default=1.0) or 1.0

    def at(size: int, value: float) -> tuple[float, float]:
        share = (math.log10(size) - low) / ((high - low) or 1)
        return left + 50 + share * (width - 90), top + height - 40 - value / most * (height - 95)

    parts = [f'<text x="{left + 12}" y="{top + 20}" font-weight="bold">{title}</text>']
    for size in f.sizes:
        x, y = at(size, 0)
        parts.append(f'<text x="{x:.0f}" y="{y + 18:.0f}" text-anchor="middle">{size:,}</text>')
    for value in (0, most):
        x, y = at(f.sizes[0], value)
        parts.append(f'<line x1="{left + 50}" x2="{left + width - 40}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ccc"/>')
        parts.append(f'<text x="{left + 44}" y="{y + 4:.0f}" text-anchor="end">{value:.3g}</text>')
    for number, (name, points) in enumerate(values.items()):
        colour = _COLOURS[number]
        placed = [at(*point) for point in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        parts.append(f'<text x="{left + 56 + number * 120}" y="{top + 38}" fill="{colour}">{name}</text>')
    return "".join(parts)
