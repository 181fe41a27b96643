"""What our pages tell people to paste."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str, heading: str = "", *, page: str = "README.md") -> list[str]:
    """The code blocks in this language, of a whole page or below one heading."""
    text = (ROOT / page).read_text()
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def code_for(file: str, heading: str) -> str:
    """The README's one block below a heading that says it belongs into this file."""
    [code] = [code for code in blocks("python", heading) if code.startswith(f"# {file}\n")]
    return code


def headings(page: str) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", text, re.MULTILINE)
