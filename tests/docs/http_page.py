"""The examples of ``docs/reference/http.md``, taken apart.

A fenced block of ``http`` or ``sh`` (one ``curl`` command) is a request, and the block behind it is
the answer: ``http`` gives its status, headers and body, ``json`` the body of a 200. In a table a
request is a code span, and so are its headers and its body.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from tests.docs.readme import ROOT

PAGE = (ROOT / "docs" / "reference" / "http.md").read_text()
SERVER = "https://images.example.org"

# The page tells of one day, which is yesterday whenever it is read: its tasks have not expired.
DAY = datetime(2026, 3, 1, tzinfo=UTC)
AGE = (datetime.now(UTC) - DAY).days - 1


def in_our_days(text: str) -> str:
    return re.sub(r"2026-\d\d-\d\d", _later, text)


def _later(date: re.Match[str]) -> str:
    return str(datetime.fromisoformat(date[0]).date() + timedelta(days=AGE))


class Request(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str] = {}
    body: str = ""


class Answer(NamedTuple):
    status_line: str
    headers: Mapping[str, str]
    body: Any
    """Its JSON, in which objects are lists of pairs, whose order counts."""


def exchanges() -> list[list[tuple[str, str]]]:
    """Each request and its answer, as language and text of their blocks."""
    blocks = re.findall(r"^```(http|sh|json)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [blocks[number : number + 2] for number in range(0, len(blocks), 2)]


def request(language: str, text: str) -> Request:
    if language == "sh":
        _, *options, url = shlex.split(text)
        return Request("GET", url.removeprefix(SERVER), _headers(options[1::2]))
    line, headers, body = _parts(text)
    method, path = line.split()
    return Request(method, path, headers, body)


def answer(language: str, text: str) -> Answer:
    if language == "json":
        text = f"HTTP/1.1 200 OK\n\n{text}"
    status_line, headers, body = _parts(text)
    return Answer(status_line, headers, json.loads(body or "null", object_pairs_hook=_pairs))


def _pairs(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    # PostgreSQL has an order of its own for the keys of JSON that it keeps.
    kept = ("input", "result")
    return [(key, sorted(value) if key in kept and value else value) for key, value in pairs]


def request_in(cell: str) -> Request:
    """The request in a table's cell: its first line, then headers or a body, each a code span."""
    line, *more = code([cell])
    headers = [span for span in more if re.match(r"[\w-]+:", span)]
    [body] = [span for span in more if span not in headers] or [""]
    method, path = line.split()
    return Request(method, path, _headers(headers), body)


def section(heading: str) -> str:
    """What stands below a heading, up to the next of its level or of a higher one."""
    level = heading.partition(" ")[0]
    text = PAGE.partition(f"\n{heading}\n")[2]
    return re.split(rf"^#{{1,{len(level)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table, row by row, less the heads."""
    tables = re.findall(r"^\|[-|]+\|\n((?:\|.+\|\n)+)", text, re.MULTILINE)
    lines = [line.strip("|") for table in tables for line in table.splitlines()]
    return [[cell.strip() for cell in line.split("|")] for line in lines]


def code(cells: Iterable[str]) -> list[str]:
    """The code spans of the cells."""
    return [span for cell in cells for span in re.findall("`([^`]+)`", cell)]


def _parts(text: str) -> tuple[str, dict[str, str], str]:
    head, _, body = text.partition("\n\n")
    first, *headers = head.strip().splitlines()
    return first, _headers(headers), body.strip()


def _headers(lines: Iterable[str]) -> dict[str, str]:
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
