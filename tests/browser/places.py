"""Where things lie on a page."""

from __future__ import annotations

from typing import Any


def lie_over_each_other(one: Any, other: Any) -> bool:
    """Whether two elements cover a place that is the same."""
    a, b = one.bounding_box(), other.bounding_box()
    return all(
        a[start] < b[start] + b[length] and b[start] < a[start] + a[length]
        for start, length in (("x", "width"), ("y", "height"))
    )


def lies_within(inner: Any, outer: Any) -> bool:
    """Whether nothing of an element sticks out at the sides of another one."""
    a, b = inner.bounding_box(), outer.bounding_box()
    return bool(b["x"] <= a["x"] and a["x"] + a["width"] <= b["x"] + b["width"])


def middle(element: Any) -> float:
    """How far from the left the middle of an element is."""
    box = element.bounding_box()
    return float(box["x"] + box["width"] / 2)


def style(element: Any, name: str, pseudo: str | None = None) -> str:
    """A property as the browser has computed it."""
    script = "(element, [name, pseudo]) => getComputedStyle(element, pseudo)[name]"
    return str(element.evaluate(script, [name, pseudo]))


def letters(element: Any) -> list[float]:
    """How far from the left each letter of an element's first words begins."""
    script = """element => {
      const range = document.createRange(), text = element.firstChild;
      return [...text.data].map((letter, at) => {
        range.setStart(text, at);
        range.setEnd(text, at + 1);
        return range.getBoundingClientRect().x;
      });
    }"""
    return list(element.evaluate(script))
