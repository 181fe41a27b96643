from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django_image_tasks.exceptions import InvalidInput
from django_image_tasks.handlers.base import Handler


class Echo(Handler):
    type = "import"
    title = "Returns its input"

    def run(self, context: Any) -> Mapping[str, Any]:
        return context.input


class Refusing(Echo):
    def validate(self, input: Mapping[str, Any]) -> None:
        raise InvalidInput("Not on a Monday, <b>please</b>.")


class Broken(Echo):
    def validate(self, input: Mapping[str, Any]) -> None:
        raise ZeroDivisionError("secret")
