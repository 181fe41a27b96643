"""What is printed, sheet by sheet."""

from __future__ import annotations

import re
import zlib

OBJECT = re.compile(rb"^(\d+) 0 obj\s(.*?)^endobj", re.DOTALL | re.MULTILINE)
PAGE = re.compile(rb"/Type /Page\b.*?/Contents (\d+) 0 R", re.DOTALL)
TEXT = re.compile(rb"\bTJ|\bTj")


def pieces_of_text(pdf: bytes) -> list[int]:
    """How many pieces of text Chromium has put on each sheet."""
    objects = dict(OBJECT.findall(pdf))
    contents = [objects[page[1]] for each in objects.values() if (page := PAGE.search(each))]
    return [len(TEXT.findall(_inflated(each))) for each in contents]


def _inflated(content: bytes) -> bytes:
    stream = content.partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
    return zlib.decompress(stream)
