from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.contrib.auth.models import Permission
from django.core.checks import run_checks
from django.core.checks.registry import registry
from django.test import modify_settings
from rest_framework.authentication import TokenAuthentication

from django_image_tasks import checks
from django_image_tasks.checks import project
from django_image_tasks.conf import conf
from django_image_tasks.extras import install
from django_image_tasks.handlers.base import Handler
from django_image_tasks.serializers import TaskSerializer


class Other(Handler):
    type: ClassVar[str] = "other"

    def run(self, context: Any) -> Any:
        raise NotImplementedError


def found() -> list[tuple[str, str]]:
    return [(message.id, message.msg) for message in checks.check_settings()]


def test_the_checks_are_registered_and_the_example_passes_them() -> None:
    assert run_checks(tags=["image_tasks"]) == []


def test_each_check_is_one_that_django_runs() -> None:
    registered = {check.__name__ for check in registry.get_checks()}

    assert {
        "check_settings",
        "check_engine",
        "check_sqlite",
        "check_charset_option",
        "check_database",
    } <= registered


def test_a_setting_that_there_is_not(settings: Any) -> None:
    settings.IMAGE_TASKS = {"LIMIT": 3}
    assert found() == [("image_tasks.E001", "IMAGE_TASKS has no setting 'LIMIT'.")]


TIME = "it must be a timedelta or a number of seconds, from {} seconds to {} days"
WHOLE = "it must be a whole number from {} to {}"
LIST = "it must be a list of strings"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("LEASE", "60", TIME.format("3", 36500)),
        ("LEASE", 0, TIME.format("3", 36500)),
        ("LEASE", True, TIME.format("3", 36500)),
        ("TASK_TIME_TO_LIVE", timedelta(days=-1), TIME.format("0", 36500)),
        ("TASK_TIMEOUT", float("inf"), TIME.format("0.001", 36500)),
        ("TASK_TIMEOUT", 10**400, TIME.format("0.001", 36500)),
        ("NEXT_ATTEMPT_DELAY", "10s", TIME.format("0", 1)),
        ("NEXT_ATTEMPT_DELAY", timedelta(days=2), TIME.format("0", 1)),
        ("IMPORT_TIMEOUT", -1, TIME.format("0.001", 36500)),
        ("LIST_TIMEOUT", "10", TIME.format("0", 36500)),
        ("MAX_INPUT_SIZE", 1.5, WHOLE.format(1, 2**63 - 1)),
        ("MAX_ATTEMPTS", 0, WHOLE.format(1, 16)),
        ("MAX_ATTEMPTS", 17, WHOLE.format(1, 16)),
        ("MAX_ATTEMPTS", True, WHOLE.format(1, 16)),
        ("API_LIMIT_MAX", -1, WHOLE.format(1, 2**63 - 1)),
        ("API_LIMIT_MAX", "many", WHOLE.format(1, 2**63 - 1)),
        ("IMPORT_MAX_REDIRECTS", 1.5, WHOLE.format(0, 100)),
        ("IMPORT_ALLOWED_PORTS", "80", "it must be a list of numbers from 1 to 65535"),
        ("IMPORT_ALLOWED_PORTS", [0], "it must be a list of numbers from 1 to 65535"),
        ("IMPORT_ALLOWED_PORTS", [2**16], "it must be a list of numbers from 1 to 65535"),
        ("IMPORT_ALLOWED_PORTS", ["80"], "it must be a list of numbers from 1 to 65535"),
        ("IMPORT_TRUSTED_HOSTS", "mirror", LIST),
        ("IMPORT_ALLOWED_SCHEMES", [80], LIST),
        ("KEYSTONE_ADMIN_ROLES", "admin", LIST),
        ("PERMISSION_CLASSES", "nobody.Nobody", LIST),
        ("ANONYMOUS_OWNER", 7, "it must be a string"),
        ("TRACING", "no", "it must be True or False"),
        ("ENGINE", "", "it must be a string"),
        ("QUEUE", 7, "it must be a string"),
        ("SCRATCH_DIR", "scratch", "it must be an absolute path"),
        ("OWNER", print, "it must be a string"),
    ],
)
def test_a_setting_of_the_wrong_type_or_out_of_range(
    settings: Any, name: str, value: Any, message: str
) -> None:
    settings.IMAGE_TASKS = {name: value}
    [(id_, told)] = found()
    assert id_ == "image_tasks.E002"
    assert told == f"IMAGE_TASKS['{name}']: {message}, and not {value!r}"


def test_a_path_that_leads_nowhere(settings: Any) -> None:
    settings.IMAGE_TASKS = {"OWNER": "nowhere.owner"}
    message = "IMAGE_TASKS['OWNER']: No module named 'nowhere'"
    assert found() == [("image_tasks.E002", message)]


@pytest.mark.parametrize("types", ["import", {"": None}, {"t" * 65: None}, {7: None}])
def test_handlers_that_are_no_dictionary_of_types(settings: Any, types: Any) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": types}
    message = "it must be a dictionary from task types of 1 to 64 characters"
    assert found() == [("image_tasks.E002", f"IMAGE_TASKS['HANDLERS']: {message}")]


@pytest.mark.parametrize("value", [None, ["LEASE"], "LEASE"])
def test_settings_that_are_no_dictionary(settings: Any, value: Any) -> None:
    settings.IMAGE_TASKS = value
    assert found() == [("image_tasks.E001", "IMAGE_TASKS must be a dictionary.")]


def test_times_are_understood_as_seconds_too(settings: Any) -> None:
    settings.IMAGE_TASKS = {"LEASE": 90, "IMPORT_TIMEOUT": timedelta(minutes=2)}
    assert found() == []
    assert (timedelta(seconds=90), 120.0) == (conf.LEASE, conf.IMPORT_TIMEOUT)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.Handler", "The handler of 'import': No module named 'nowhere'"),
        (f"{__name__}.Other", f"{__name__}.Other does not handle tasks of type 'import'."),
        ("django.test.Client", "django.test.Client does not handle tasks of type 'import'."),
    ],
)
def test_a_handler_that_is_none(settings: Any, path: str, message: str) -> None:
    settings.IMAGE_TASKS = {"HANDLERS": {"import": path, "retired": None}}
    assert found() == [("image_tasks.E003", message)]


def test_naive_times(settings: Any) -> None:
    settings.USE_TZ = False
    assert found() == [("image_tasks.E004", "Tasks are ordered and expire by aware times.")]


@modify_settings(INSTALLED_APPS={"remove": ["rest_framework", "rest_framework.authtoken"]})
def test_rest_framework_not_installed() -> None:
    message = "The pages that browsers get need REST framework's templates."
    assert found() == [("image_tasks.E005", message)]


class Strict(TaskSerializer):
    def validate_name(self, name: str) -> str:
        return name


@pytest.mark.parametrize(
    ("name", "path", "message"),
    [
        ("FILTERSET_CLASS", "django_filters.FilterSet", "is no TaskFilterSet"),
        (
            "SERIALIZER_CLASS",
            "rest_framework.serializers.ModelSerializer",
            "is no TaskSerializer",
        ),
        (
            "LIST_SERIALIZER_CLASS",
            "django_image_tasks.serializers.TaskSerializer",
            "is no TaskSummarySerializer",
        ),
        ("PERMISSION_CLASSES", ["django.test.Client"], "is no BasePermission"),
        ("RENDERER_CLASSES", ["django.utils.timezone.now"], "is no BaseRenderer"),
    ],
)
def test_a_class_that_is_none_of_ours(settings: Any, name: str, path: Any, message: str) -> None:
    settings.IMAGE_TASKS = {name: path}
    [(id_, told)] = found()
    assert id_ == "image_tasks.E016"
    assert told.startswith(f"IMAGE_TASKS['{name}']: ")
    assert told.endswith(f" {message}.")


def test_rules_that_the_api_alone_would_obey(settings: Any) -> None:
    settings.IMAGE_TASKS = {"SERIALIZER_CLASS": f"{__name__}.Strict"}
    message = (
        f"IMAGE_TASKS['SERIALIZER_CLASS']: the rules of {__name__}.Strict for new tasks "
        "(validate_name) would hold in the API alone."
    )
    assert found() == [("image_tasks.E017", message)]


@pytest.mark.parametrize("hook", ["to_internal_value", "run_validation", "create", "validate"])
def test_a_hook_that_the_api_alone_would_call(
    settings: Any, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    monkeypatch.setattr(Strict, hook, lambda self, data: data, raising=False)
    settings.IMAGE_TASKS = {"SERIALIZER_CLASS": f"{__name__}.Strict"}
    message = (
        f"IMAGE_TASKS['SERIALIZER_CLASS']: the rules of {__name__}.Strict for new tasks "
        f"({hook}, validate_name) would hold in the API alone."
    )
    assert found() == [("image_tasks.E017", message)]


def test_an_api_that_no_url_leads_to(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.edges.admin.only_admin"
    assert found() == [("image_tasks.W007", "The API is not routed.")]


class OwnTokens(TokenAuthentication):
    """A host's own, whose tokens are no matter of REST framework's app."""

    model = Permission


@modify_settings(INSTALLED_APPS={"remove": ["rest_framework.authtoken"]})
def test_tokens_that_there_are_none_of(settings: Any) -> None:
    assert found() == []
    path = "django_image_tasks.authentication.XAuthTokenAuthentication"
    settings.IMAGE_TASKS = {"AUTHENTICATION_CLASSES": [path]}
    assert found() == [("image_tasks.E018", f"{path} has no tokens to look for.")]
    settings.IMAGE_TASKS = {"AUTHENTICATION_CLASSES": [f"{__name__}.OwnTokens"]}
    assert found() == []


def test_images_that_would_lie_anywhere(settings: Any) -> None:
    settings.MEDIA_ROOT = ""
    message = "Imported images are stored in whatever directory a worker is started in."
    assert found() == [("image_tasks.W008", message)]
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    assert found() == []


def test_tracing_without_its_extra(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IMAGE_TASKS = {"TRACING": True, "HANDLERS": {"import": None}}
    monkeypatch.setattr(project, "find_spec", lambda name: None)
    [error] = checks.check_settings()
    assert error.id == "image_tasks.E022"
    assert "[opentelemetry]" in error.hint


def test_the_import_without_its_extra(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project, "find_spec", lambda name: None)
    [warning] = checks.check_settings()
    assert warning.id == "image_tasks.W001"
    assert warning.hint == install("import")
    settings.IMAGE_TASKS = {"HANDLERS": {"import": None}}
    assert found() == []


def test_trusted_hosts_that_no_url_can_match(settings: Any) -> None:
    settings.IMAGE_TASKS = {"IMPORT_TRUSTED_HOSTS": ["http://a/", "Mirror.Internal.", "10.0.0.0/8"]}
    assert found() == [
        (
            "image_tasks.W005",
            f"IMAGE_TASKS['IMPORT_TRUSTED_HOSTS'] has '{entry}', which no URL can match.",
        )
        for entry in ("http://a/", "10.0.0.0/8")
    ]


@pytest.mark.parametrize("mode", [0o1777, 0o755, 0o710])
def test_a_scratch_directory_that_is_open_to_others(
    settings: Any, tmp_path: Path, mode: int
) -> None:
    settings.IMAGE_TASKS = {"SCRATCH_DIR": tmp_path}
    assert found() == []
    tmp_path.chmod(mode)
    message = "IMAGE_TASKS['SCRATCH_DIR'] cannot hold workers' files: It is open to other users."
    assert found() == [("image_tasks.E013", message)]


def test_a_scratch_directory_that_is_a_link(settings: Any, tmp_path: Path) -> None:
    settings.IMAGE_TASKS = {"SCRATCH_DIR": tmp_path / "link"}
    assert found() == []
    (tmp_path / "link").symlink_to(tmp_path)
    message = "IMAGE_TASKS['SCRATCH_DIR'] cannot hold workers' files: It is not a directory."
    assert found() == [("image_tasks.E013", message)]


def test_a_scratch_directory_that_only_another_user_can_use(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.IMAGE_TASKS = {"SCRATCH_DIR": tmp_path}
    monkeypatch.setattr("os.geteuid", lambda: tmp_path.stat().st_uid + 1)
    message = "IMAGE_TASKS['SCRATCH_DIR'] cannot hold workers' files: It belongs to another user."
    assert found() == [("image_tasks.W006", message)]
