"""``latency.svg``: the time of a page against the size of the table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import results
from benchmarks.pages import SIDES
from benchmarks.report import NAMES
from benchmarks.runs.listing import DEEP

SHOWN = {"25 tasks": "First page of 25", DEEP: "25 tasks after 95 %"}
COLOURS = ["#0b6e4f", "#c1440e", "#d9a404", "#5b6770", "#8f6bb3"]
STYLE: dict[Any, Any] = {"svg.hashsalt": "image-tasks", "svg.fonttype": "none", "font.size": 9}


def write(directory: Path) -> None:
    found = {
        database: entries["list"]["data"]
        for database, entries in results.load(directory).items()
        if "list" in entries
    }
    if found:
        with mpl.rc_context(STYLE):
            _figure(found).savefig(directory / "latency.svg", metadata={"Date": None})


def _figure(found: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(9, 3.2 * len(found)), layout="constrained")
    grid = figure.subplots(len(found), len(SHOWN), sharex=True, sharey=True, squeeze=False)
    for axes_of_database, (database, sizes) in zip(grid, found.items(), strict=True):
        for axes, (case, title) in zip(axes_of_database, SHOWN.items(), strict=True):
            _draw(axes, sizes, case)
            axes.set_title(f"{NAMES[database]}: {title}")
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(SIDES), frameon=False)
    return figure


def _draw(axes: Axes, sizes: dict[str, Any], case: str) -> None:
    rows = sorted(map(int, sizes))
    for side, colour in zip(SIDES, COLOURS, strict=True):
        times = [sizes[str(size)][case][side]["median"] for size in rows]
        axes.loglog(rows, times, marker="o", markersize=4, color=colour, label=side)
    axes.set(xlabel="tasks in the table", ylabel="milliseconds")
    axes.grid(visible=True, which="major", color="#dddddd")
