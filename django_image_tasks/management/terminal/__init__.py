"""What ``manage.py image_tasks`` is made of (docs/reference/terminal.md)."""
