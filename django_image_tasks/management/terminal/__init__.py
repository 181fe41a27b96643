"""What ``manage.py image_tasks`` is made of (docs/terminal.md)."""
