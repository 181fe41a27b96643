"""What a project may receive (docs/reference/python.md, "Signals")."""

from django.dispatch import Signal

__all__ = ["image_imported", "task_finished", "task_progressed", "task_started"]

# Sent after the change is written, with sender=Task and task=<the task as it is now>. The two that
# tell of an end are sent at least once: if a receiver raises, or the process dies, all of them are
# called again, up to ten times. So a receiver must bear a repetition.

# An attempt began. Arguments: task
task_started = Signal()

# Progress was written, at most once a second for each task. Arguments: task
task_progressed = Signal()

# The task reached success or failure. Arguments: task
task_finished = Signal()

# An import ended in success: the moment for a host to make its own row. Arguments: task, result
image_imported = Signal()
