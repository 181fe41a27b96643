from tests.wire.conftest import api, create, make_task, user

__all__ = ["api", "create", "make_task", "user"]
