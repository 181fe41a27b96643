"""Sizes for messages."""

from __future__ import annotations

UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")


def readable(size: float) -> str:
    """A number of bytes in binary units, with four digits at most: ``10 GiB`` for 10737418240."""
    for unit in UNITS:
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.0f} EiB"
