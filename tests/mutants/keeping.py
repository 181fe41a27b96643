"""Mutants of checkpoints: what is kept, for whom, how long, and what of a file is relied on."""

from __future__ import annotations

from tests.mutants.mutant import mutants

MUTANTS = [
    *mutants(
        "models/task.py",
        "engine/checkpoints transitions machine",
        (
            "self._write(self._row_if_leased(), self._values_of_checkpoint())",
            "self._write(self.row_if_held(), self._values_of_checkpoint())",
        ),
        (
            "self._write(self._row_if_leased(), self._values_of_checkpoint())",
            "self._write(self._row_if(Status.PROCESSING), self._values_of_checkpoint())",
        ),
        ("        values |= self._values_of_checkpoint()", "        pass"),
    ),
    *mutants(
        "checkpoints.py",
        "engine/checkpoints",
        (", status__in=UNFINISHED", ""),
        (
            "    return {name for name in names if",
            "    return set() and {name for name in names if",
        ),
        ("    return {name for name in names if", "    return names or {name for name in names if"),
        (
            "directory_name(task.pk, task.checkpoint_attempt)",
            "directory_name(task.pk, task.attempts - 1)",
        ),
        ("return scratch.remove_abandoned(_wanted)", "return scratch.remove_abandoned()"),
    ),
    *mutants(
        "context.py",
        "engine/checkpoints heartbeat",
        ("        _check_state(state)\n", ""),
        ("> MAX_CHECKPOINT_SIZE", ">= MAX_CHECKPOINT_SIZE"),
        ("8 * 2**10", "80 * 2**10"),
        ("deepcopy(state), self.attempt", "state, self.attempt"),
        ("                scratch.keep(self.scratch)", "                pass"),
        ("        if self._has_checkpoint_to_write:", "        if False:"),
        ("time.monotonic() - self._written_at[what] < WRITE_INTERVAL", "False"),
        (
            "record_checkpoint()\n        self._has_checkpoint_to_write = False",
            "record_checkpoint()",
        ),
    ),
    *mutants(
        "executor.py",
        "engine/checkpoints",
        ("            checkpoints.remove_abandoned()", "            pass"),
        ("        scratch.remove_abandoned()  #", "        pass  #"),
        ("if task.checkpoint_attempt is not None:", "if True:"),
    ),
    *mutants(
        "scratch.py",
        "engine/scratch checkpoints",
        (
            "                if not _is_kept(path.name, lock.fileno()):\n",
            "                if True:\n",
        ),
        ("        if lock.read() == _claim(path.name):", "        if lock.read() or True:"),
        ("if not _is_ours(name, lock) or not _lock(lock):", "if not _is_ours(name, lock):"),
        ("if not _is_ours(name, lock) or not _lock(lock):", "if not _lock(lock):"),
        ("            if kept is not None and _is_kept(name, lock):", "            if False:"),
        ("unwanted = kept - wanted(kept)", "unwanted = set()"),
        ("unwanted = kept - wanted(kept)", "unwanted = kept"),
        ("wanted(kept) if kept else kept", "wanted(kept)"),
        ("        if not _is_kept(path.name, descriptor):\n            return None\n", ""),
        ("if time.monotonic() >= until or stopped.wait(0.1):", "if stopped.wait(0.1):"),
        (
            "if time.monotonic() >= until or stopped.wait(0.1):",
            "if time.sleep(0.1) or time.monotonic() >= until:",
        ),
    ),
    *mutants(
        "handlers/image_import/rest.py",
        "handlers/image_import_resumed image_import_download",
        ("{0,1000}", "*"),
        ("r'\"[", "r'(?:W/)?\"["),
        (
            'if (etag := headers.get("ETag")) is not None:',
            'if (etag := headers.get("ETag", "")).startswith(\'"\'):',
        ),
        (
            "if not match or is_multipart or int(match[1]) != done:",
            "if not match or int(match[1]) != done:",
        ),
        ("int(match[1]) != done", "int(match[1]) < done"),
        ("int(match[1]) != done", "int(match[1]) > done"),
        ("    if named != validator:", "    if False:"),
        ('headers.get("Last-Modified", validator)', 'headers.get("Last-Modified")'),
        ("return date if format_datetime(date, usegmt=True) == value else None", "return date"),
        (', "If-Range": validator', ""),
    ),
    *mutants(
        "handlers/image_import/partial_file.py",
        "handlers/image_import_resumed",
        ("            os.link(earlier, path)", "            os.replace(earlier, path)"),
        ('kept.state["boot"] is None or kept.state["boot"] != boot()', "False"),
        ('kept.state["boot"] is None or', ""),
        ('min(kept.state["flushed"], path.stat().st_size)', 'kept.state["flushed"]'),
        ('flushed=kept.state["flushed"])', "flushed=0)"),
        (
            "            path.unlink(missing_ok=True)\n            return None",
            "            return None",
        ),
        ("for path in filter(None, (self.path, self._earlier)):", "for path in (self.path,):"),
        ("self.number + 1)", "self.number)"),
        ("            self._file.flush()\n", ""),
        (
            "self.flushed, self._flushed_at, self._is_flushing = size,",
            "self.flushed, self._flushed_at, self._is_flushing = size + 1,",
        ),
        ("time.monotonic() >= self._flushed_at + FLUSH_INTERVAL", "True"),
        ("            logger.warning(", "            self._is_flushing = False; logger.warning("),
    ),
    *mutants(
        "handlers/image_import/download.py",
        "handlers/image_import_resumed image_import_download",
        ("        if self.done:\n            self.file = self.file.replaced()", "        pass"),
        ("context.kept.state if kept and context.kept else {}", "{}"),
        (
            "            self._check_size(self.done)\n            self.digests.update(chunk)\n",
            "            self.digests.update(chunk)\n",
        ),
        (
            "            self.digests.update(chunk)\n            self._report()",
            "            self._report()",
        ),
        ("while not 0 < self.done == self.total:", "while True:"),
        ("furthest, fruitless = self.done, 0", "furthest = fruitless = 0"),
        ("total not in (0, self.total or total)", "False"),
        (
            "if self.validator and self.kept != self.file.flushed:",
            "if self.kept != self.file.flushed:",
        ),
        ("if self.validator and self.kept != self.file.flushed:", "if self.validator:"),
        ("        if not self.validator or not 0 < self.done <", "        if not 0 < self.done <"),
    ),
]
