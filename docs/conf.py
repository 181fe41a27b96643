"""The documentation's site. ``sphinx-build -W docs DIRECTORY`` makes it; warnings are errors."""

import re
import tomllib
from pathlib import Path

project = "django-image-tasks"

release = tomllib.loads(Path("../pyproject.toml").read_text())["project"]["version"]

extensions = ["myst_parser"]
myst_heading_anchors = 4
exclude_patterns = ["screenshots"]
# The HTTP reference shows requests without the version of HTTP in their first line.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_title = project
html_extra_path = ["openapi.yaml", "alerts.yml"]
html_copy_source = False
html_show_copyright = False

LINK_INTO_THE_CLONE = re.compile(
    r"(?<!!)\[([^\]]+)\]\((?:\.\./)+(?:benchmarks|example_project|README\.md)[^)]*\)"
)


def setup(app):
    app.connect("source-read", _unlink)


def _unlink(app, page, source):
    """Replace a link to what a clone has, and the site has not, by its text."""
    source[0] = LINK_INTO_THE_CLONE.sub(r"\1", source[0])
