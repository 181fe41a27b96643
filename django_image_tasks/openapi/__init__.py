"""Describes our views to drf-spectacular, in OpenAPI 3.1 (the extra ``[openapi]``).

Imported only where ``drf_spectacular`` is among the installed apps. drf-spectacular finds the
extensions below by the classes they name; the host's own views are not touched.
"""

from __future__ import annotations

from django_image_tasks.openapi import authentication, bodies, parameters, views  # noqa: F401
