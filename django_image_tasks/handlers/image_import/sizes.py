"""Sizes as people write them."""

from __future__ import annotations


def readable(size: float) -> str:
    """``10 GiB`` for 10737418240."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"
