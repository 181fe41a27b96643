"""drf-spectacular hooks that describe this API in OpenAPI 3.1 (the extra ``[openapi]``)."""
