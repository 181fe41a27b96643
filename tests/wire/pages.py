"""What tests look at in a page."""

from __future__ import annotations

from html.parser import HTMLParser
from itertools import takewhile
from typing import Any
from urllib.parse import urlencode

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
VOID = {"meta", "link", "input", "img", "br", "path", "circle"}


Attributes = dict[str, str | None]


class Page(HTMLParser):
    """The tags of a page with their attributes, and its texts by the innermost tag's name."""

    def __init__(self, response: Any) -> None:
        super().__init__()
        assert response["Content-Type"] == "text/html; charset=utf-8"
        self.tags: list[tuple[str, Attributes]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[tuple[str, Attributes]] = []
        self._controls: list[tuple[str, Attributes]] = []
        self.feed(response.content.decode())
        self.close()
        assert not self._open, "Each tag is closed."

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if self._is_in("form", "data-query") and not self._is_in("template"):
            self._controls.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.texts.setdefault(self._open[-1][0] if self._open else "", []).append(text)

    def _is_in(self, tag: str, *names: str) -> bool:
        return any(tag == outer and {*names} <= {*attrs} for outer, attrs in self._open)

    def all(self, tag: str, *names: str, **values: str) -> list[Attributes]:
        """The attributes of such tags that have these attributes."""
        return [
            attrs
            for found, attrs in self.tags
            if found == tag and {*names} <= {*attrs} and values.items() <= attrs.items()
        ]

    @property
    def links(self) -> list[str | None]:
        return [link["href"] for link in self.all("a")]

    def sent_query(self) -> str:
        """What the filter form sends, as it stands, in a browser without JavaScript."""
        sent: list[tuple[str | None, str | None]] = []
        for number, (tag, attrs) in enumerate(self._controls):
            if tag == "select":
                following = self._controls[number + 1 :]
                options = [of for _, of in takewhile(lambda item: item[0] == "option", following)]
                [option, *_] = [of for of in options if "selected" in of] or options
                sent.append((attrs["name"], option["value"]))
            elif tag == "input" and "name" in attrs and _is_sent(attrs):
                sent.append((attrs["name"], attrs.get("value", "")))
        return urlencode(sent)


def _is_sent(control: Attributes) -> bool:
    return control["type"] != "checkbox" or "checked" in control
