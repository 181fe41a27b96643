from __future__ import annotations

from typing import Any


class Troubles:
    """What a page complains of: errors, refusals of the content policy, files that are missing."""

    def __init__(self, page: Any) -> None:
        self.seen: list[str] = []
        self._page = page
        page.on("console", self._note_message)
        page.on("pageerror", lambda error: self.seen.append(f"{page.url}: {error}"))

    def _note_message(self, message: Any) -> None:
        if message.type == "error" and not self._is_no_trouble(message):
            self.seen.append(f"{self._page.url}: {message.text} ({message.location['url']})")

    def _is_no_trouble(self, message: Any) -> bool:
        page, source = self._page.url.partition("#")[0], message.location["url"]
        if source.endswith("/favicon.ico"):
            return True
        if "/accounts/login/" in page:  # REST framework's own
            return "inline style" in message.text
        # A page that answers "Bad Request" is what a test asked for, and so is a task that is gone.
        return (
            source == page or source.endswith("/live/")
        ) and "responded with a status of 4" in message.text
