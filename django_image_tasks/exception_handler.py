"""From an exception to OpenStack's nested error (docs/reference/http.md, "Errors")."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.http import Http404, UnreadablePostError
from django.utils.log import log_response
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from django_image_tasks.database_faults import RETRY_AFTER, is_temporary
from django_image_tasks.exceptions import (
    InputTooLarge,
    InvalidInput,
    InvalidTransition,
    KeyInUse,
    KeyReused,
    LengthRequired,
    TookTooLong,
    TooManyWaiting,
)

ERRORS = {
    400: ("badRequest", "Bad Request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("itemNotFound", "Not Found"),
    405: ("badMethod", "Method Not Allowed"),
    406: ("notAcceptable", "Not Acceptable"),
    409: ("conflictingRequest", "Conflict"),
    411: ("lengthRequired", "Length Required"),
    413: ("requestTooLarge", "Request Entity Too Large"),
    415: ("badMediaType", "Unsupported Media Type"),
    422: ("unprocessableEntity", "Unprocessable Entity"),
    429: ("overLimit", "Too Many Requests"),
    500: ("imageFault", "Internal Server Error"),
    503: ("serviceUnavailable", "Service Unavailable"),
}


class ServiceUnavailable(exceptions.APIException):
    """503: the same request may succeed later, with nothing changed but the database's state."""

    status_code = 503
    default_code = "unavailable"
    default_detail = "The database is away or busy. Try again."
    wait = RETRY_AFTER


class Conflict(exceptions.APIException):
    """409: the task is in a state that rules the request out."""

    status_code = 409
    default_code = "conflict"


class NoLength(exceptions.APIException):
    """411: the body has no ``Content-Length``, and the server does not show such a body."""

    status_code = 411


class UnprocessableEntity(exceptions.APIException):
    """422: the request contradicts an earlier one, which it says that it repeats."""

    status_code = 422


class RequestTooLarge(exceptions.APIException):
    """413: the body, or the input in it, is larger than a setting allows."""

    status_code = 413
    default_detail = "The request body is larger than this server accepts."


class TooManyRequests(exceptions.APIException):
    """429: the owner has as many waiting tasks as they may."""

    status_code = 429
    default_code = "throttled"
    wait = 30


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response:
    """A DRF exception handler that answers every exception.

    What is nobody's fault but ours becomes a 500 that still reaches Django's signal and log. A
    database that is away is a 503, and a warning in that log.
    """
    set_rollback()
    known = as_api_exception(exc)
    response = error_response(known)
    request = context["request"]._request
    about: dict[str, Any] = {"response": response, "request": request, "exception": exc}
    if known.status_code == 500:
        got_request_exception.send(sender=type(context["view"]), request=request)
        log_response("Internal Server Error: %s", request.path, **about)
    elif isinstance(known, ServiceUnavailable):
        log_response("Service Unavailable: %s", request.path, level="warning", **about)
    return response


def error_response(exc: exceptions.APIException) -> Response:
    key, title = ERRORS.get(exc.status_code) or ERRORS[500 if exc.status_code >= 500 else 400]
    body = {"code": exc.status_code, "title": title, "message": _one_line(exc.detail)}
    return Response({key: body}, status=exc.status_code, headers=_headers(exc))


def as_api_exception(exc: Exception) -> exceptions.APIException:
    match exc:
        case exceptions.APIException():
            return exc
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case InvalidTransition():
            return Conflict(str(exc))
        case LengthRequired():
            return NoLength(str(exc))
        case KeyReused():
            return UnprocessableEntity(str(exc))
        case TookTooLong() | KeyInUse():
            return ServiceUnavailable(str(exc))
        case RequestDataTooBig():
            return RequestTooLarge()
        case TooManyWaiting():
            return TooManyRequests(str(exc))
        case InputTooLarge():
            return RequestTooLarge(str(exc))
        case InvalidInput() | SuspiciousOperation() | BadRequest():
            return exceptions.ParseError(str(exc) or None)
        case UnreadablePostError():
            return exceptions.ParseError("The request body ended early.")
        case _ if is_temporary(exc):
            return ServiceUnavailable()
        case _:
            return exceptions.APIException("The server could not process the request.")


def _one_line(detail: Any, path: tuple[str, ...] = ()) -> str:
    """The first message of DRF's nested details, behind the names that lead to it."""
    match detail:
        case {**named} if named:
            name, inner = next(iter(named.items()))
            return _one_line(inner, path if name == "non_field_errors" else (*path, str(name)))
        case [first, *_]:
            return _one_line(first, path)
        case _:
            return ": ".join([*filter(None, [".".join(path)]), str(detail)])


def _headers(exc: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if auth_header := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = auth_header
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(wait)
    return headers
