"""How many bytes the tables and each of their indexes take on disk."""

from __future__ import annotations

from django.db import connections

from benchmarks.markdown import mib, table
from benchmarks.runs import Options
from benchmarks.sizes import alias_of
from django_image_tasks.models import Attempt, Task

TITLE = "Bytes on disk"
MANY = 100_000_000

STATEMENTS = {
    "sqlite": """
        SELECT name, SUM(pgsize) FROM dbstat WHERE name IN
            (SELECT name FROM sqlite_master WHERE tbl_name = %s)
        GROUP BY name""",
    "postgresql": """
        SELECT relname, pg_relation_size(oid) FROM pg_class WHERE oid IN
            (SELECT indexrelid FROM pg_index WHERE indrelid = %s::regclass)
        UNION SELECT relname, pg_table_size(oid) FROM pg_class WHERE oid = %s::regclass""",
    "mysql": """
        SELECT CASE index_name WHEN 'PRIMARY' THEN table_name ELSE index_name END,
            stat_value * @@innodb_page_size
        FROM mysql.innodb_index_stats
        WHERE database_name = DATABASE() AND table_name = %s AND stat_name = 'size'""",
}


def measure(options: Options) -> str:
    rows = options.rows_up_to(1_000_000)
    return _table(rows, _bytes(alias_of(rows), Task) | _bytes(alias_of(rows), Attempt))


def _bytes(alias: str, model: type[Task] | type[Attempt]) -> dict[str, int]:
    statement = STATEMENTS[connections[alias].vendor]
    with connections[alias].cursor() as cursor:
        cursor.execute(statement, [model._meta.db_table] * statement.count("%s"))
        return {name: int(size) for name, size in cursor.fetchall()}


def _table(rows: int, sizes: dict[str, int]) -> str:
    total = "all of it", sum(sizes.values())
    lines = [
        [name, mib(size), f"{size / rows:.0f}", f"{size / rows * MANY / 2**30:.1f} GiB"]
        for name, size in [*sorted(sizes.items()), total]
    ]
    header = [
        "table or index",
        f"at {rows:,} tasks (measured)",
        "bytes a task",
        f"at {MANY:,} tasks (extrapolated: bytes a task × {MANY:,})",
    ]
    return table(header, lines)
