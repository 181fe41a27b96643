"""The body of a request that creates a task."""

from __future__ import annotations

import json
import os
import re
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from django_image_tasks.exceptions import InvalidInput, LengthRequired
from django_image_tasks.json_values import MAX_DEPTH, mismatch


class JSONParser(BaseParser):
    """JSON in UTF-8, whatever ``charset`` says; read through Django's limit on a body's size."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        """The body as Python's objects. Raises InvalidInput for what is no JSON in UTF-8."""
        try:
            return json.loads(parser_context["request"].body.decode())
        except (json.JSONDecodeError, UnicodeDecodeError):
            raise InvalidInput("Malformed JSON in request body.") from None
        except RecursionError:
            raise mismatch(f"body: nested more than {MAX_DEPTH} levels deep") from None
        except ValueError:
            raise mismatch("body: an integer has too many digits") from None


def measure_body(request: HttpRequest) -> None:
    """Note the length of a body that came without one, where the server shows it (ASGI).

    Without a length REST framework takes it for empty, as soon as anybody asks what is in it.
    """
    if request.META.get("CONTENT_LENGTH") or not isinstance(request, ASGIRequest):
        return
    # Django has received the whole body, into memory or a file; Django's test client has a fake.
    body = request._stream
    if body.seekable():
        request.META["CONTENT_LENGTH"] = str(body.seek(0, os.SEEK_END))
        body.seek(0)


def check_body(request: Request) -> None:
    """Refuse a missing body, then one of another content type, before any of it is read.

    Raises InvalidInput, LengthRequired, and REST framework's UnsupportedMediaType.
    """
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and "HTTP_TRANSFER_ENCODING" in request.META:
        raise LengthRequired
    if not (re.fullmatch("[0-9]{1,18}", length) and int(length)):
        raise InvalidInput("Body expected in request.")
    negotiator: Any = request.negotiator
    if negotiator.select_parser(request, request.parsers) is None:
        raise UnsupportedMediaType(request.content_type)
