from tests.wire.conftest import api, create, task_defaults, user

__all__ = ["api", "create", "task_defaults", "user"]
