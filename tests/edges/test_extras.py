from __future__ import annotations

import pytest

from django_image_tasks.extras import _reference, install


def test_the_command_names_the_extra() -> None:
    assert install("celery").startswith("pip install 'django-image-tasks[celery]")


@pytest.mark.parametrize(
    ("origin", "reference"),
    [
        (None, ""),
        ('{"url": "file:///src/tasks", "dir_info": {"editable": true}}', " @ file:///src/tasks"),
        (
            '{"url": "https://example.org/t.whl", "archive_info": {}}',
            " @ https://example.org/t.whl",
        ),
        (
            '{"url": "https://example.org/t", "vcs_info": {"vcs": "git", "commit_id": "4f2"}}',
            " @ git+https://example.org/t@4f2",
        ),
    ],
)
def test_it_installs_from_where_the_package_came_from(origin: str | None, reference: str) -> None:
    assert _reference(origin) == reference
