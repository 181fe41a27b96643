from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.requirements import needs


def grave_faults(page: Any, *, exclude: Sequence[str] = (), rules: Sequence[str] = ()) -> list[str]:
    """What axe-core finds serious or critical in a page, but for what others have made."""
    axe = needs("axe_playwright_python.sync_playwright").Axe()
    context = {"include": ["html"], "exclude": [[selector] for selector in exclude]}
    # What it would load beforehand it puts into the page as inline styles.
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = [*rules]
    found = axe.run(page, context=context, options=options).response["violations"]
    return [
        f"{fault['id']} ({fault['help']}): {node['target']} {node['html']}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
