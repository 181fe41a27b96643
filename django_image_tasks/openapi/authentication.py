"""How a client may say who is asking, for a document in OpenAPI."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from django_image_tasks.openapi.components import component


class XAuthTokenExtension(OpenApiAuthenticationExtension):
    """The header ``X-Auth-Token``, which two authentication classes read."""

    target_class = "django_image_tasks.authentication.XAuthTokenAuthentication"
    match_subclasses = True
    # One scheme for two classes, which drf-spectacular would warn of: registered here instead.
    name: list[str] = []

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:
        return [{"XAuthToken": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        scheme = {
            "type": "apiKey",
            "in": "header",
            "name": "X-Auth-Token",
            "description": "A token of REST framework's, or of Keystone's behind its middleware.",
        }
        component(auto_schema, "securitySchemes", "XAuthToken", scheme)
        return []


class KeystoneExtension(XAuthTokenExtension):
    """The same header, for keystonemiddleware to read."""

    target_class = "django_image_tasks.authentication.KeystoneAuthentication"
