"""What the demonstration shows: two users, and for each of them a task in every state."""

from django.contrib.auth import get_user_model
from django.utils import timezone
from rest_framework.authtoken.models import Token

from django_image_tasks.keyset import NEVER
from django_image_tasks.models import Task
from django_image_tasks.states import Status

WORKER = "demonstration"


def seed():
    """Create what is missing; returns the tokens' keys by user name."""
    return {name: _user(name, is_admin=name == "admin") for name in ("demo", "admin")}


def _user(name, *, is_admin):
    user, created = get_user_model().objects.get_or_create(
        username=name, defaults={"is_staff": is_admin, "is_superuser": is_admin}
    )
    if created:
        user.set_password(name)
        user.save()
    token, _ = Token.objects.get_or_create(user=user, defaults={"key": f"{name}-token"})
    tasks = Task.objects.filter(owner=str(user.pk)).unexpired(timezone.now())
    for status, bring in STATES.items():
        if not tasks.filter(name=f"Example, {status}").exists():
            bring(_task(user, f"Example, {status}"))
    return token.key


def _task(user, name):
    return Task.objects.create(
        type="import",
        name=name,
        owner=str(user.pk),
        user_id=str(user.pk),
        input={
            "import_from": "https://images.example.org/cirros-0.6.3.qcow2",
            "import_from_format": "qcow2",
            "image_properties": {"name": "cirros-0.6.3", "container_format": "bare"},
        },
    )


def _processing(task):
    task.start(WORKER)
    task.record_progress(9_437_184, 20_971_520)
    _leave_alone(task)


def _success(task):
    task.start(WORKER)
    task.succeed(
        {
            "image_id": str(task.pk),
            "name": "cirros-0.6.3",
            "size": 20_971_520,
            "disk_format": "qcow2",
            "container_format": "bare",
        }
    )


def _failure(task):
    task.start(WORKER)
    task.fail("Source answered 404 Not Found")


def _leave_alone(task):
    """Keep the worker and its sweep away from a task that is only shown."""
    Task.objects.filter(pk=task.pk).update(lease_expires_at=NEVER)


STATES = {
    Status.PENDING: _leave_alone,
    Status.PROCESSING: _processing,
    Status.SUCCESS: _success,
    Status.FAILURE: _failure,
}
