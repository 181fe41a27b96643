"""Mutants of what runs a task: its verbs, claims, heartbeat, executor and sweep."""

from __future__ import annotations

from tests.mutants.mutant import mutants

VERBS = "engine/transitions locks announcements executor turns sweep"

MUTANTS = [
    *mutants(
        "models/task.py",
        f"{VERBS} heartbeat",
        # Who may write: the worker of this attempt alone, while its lease runs, uncancelled.
        ("if not row.update(**values):", "row.update(**values)\n            if False:"),
        ('values |= {"lease_owner": self.lease_owner, "attempts": self.attempts}', "pass"),
        (
            "return self.row_if_held(leased, cancel_requested_at=None)",
            "return self.row_if_held(leased)",
        ),
        (
            "return self.row_if_held(leased, cancel_requested_at=None)",
            "return self.row_if_held(cancel_requested_at=None)",
        ),
        ("self._update(self._row_if_leased(), values)", "self._update(self.row_if_held(), values)"),
        (
            "self._update(self._row_if_leased(), values)",
            "self._update(self._row_if(Status.PROCESSING), values)",
        ),
        (
            "self._end_attempt(self._row_if_leased(), Outcome.SUCCESS",
            "self._end_attempt(self.row_if_held(), Outcome.SUCCESS",
        ),
        (
            "self._end_attempt(self._row_if_leased(), Outcome.SUCCESS",
            "self._end_attempt(self._row_if(Status.PROCESSING), Outcome.SUCCESS",
        ),
        ("row = self._row_if_leased()\n", "row = self.row_if_held()\n"),
        ("row = self._row_if_leased()\n", "row = self._row_if(Status.PROCESSING)\n"),
        # A cancel forgotten on the way back to pending.
        (
            "self._end_attempt(self._row_if_leased(), Outcome.RETRY",
            "self._end_attempt(self.row_if_held(), Outcome.RETRY",
        ),
        (
            "row, message = self._row_if_leased(), ",
            "row, message = self.row_if_held(), ",
        ),
        (
            "uncancelled = self.row_if_held(expired, cancel_requested_at=None)",
            "uncancelled = self.row_if_held(expired)",
        ),
        (
            "        if self.status == Status.PENDING:\n            self.cancel(by)\n        el",
            "        ",
        ),
        ("        self.refresh_from_db(using=self._db)\n", ""),
        # What each verb starts from.
        (
            "row = self._row_if(Status.PENDING, attempts=self.attempts)\n        self._write(row",
            "row = self._row_if(Status.PENDING)\n        self._write(row",
        ),
        (
            "row = self._row_if(Status.PENDING, attempts=self.attempts)\n        now",
            "row = self._row_if(Status.PENDING)\n        now",
        ),
        (
            "row = self.row_if_held(cancel_requested_at=None)",
            "row = self.row_if_held()",
        ),
        (
            "row = self.row_if_held(cancel_requested_at=None)",
            "row = self._row_if(Status.PROCESSING, cancel_requested_at=None)",
        ),
        ("row = self.row_if_held(cancel_requested_at__isnull=False)", "row = self.row_if_held()"),
        (
            "uncancelled = self._row_if(Status.PROCESSING, cancel_requested_at=None)",
            "uncancelled = self._row_if(Status.PROCESSING)",
        ),
        (
            "uncancelled = self.row_if_held(expired, cancel_requested_at=None)",
            "uncancelled = self.row_if_held(cancel_requested_at=None)",
        ),
        ("lost = self.row_if_held(expired)", "lost = self.row_if_held()"),
        (
            "        if self.cancel_requested_at:\n            lost",
            "        if False:\n            lost",
        ),
        ("row = Task.objects.filter(is_due, pk=self.pk)", "row = Task.objects.filter(pk=self.pk)"),
        # How often, and when.
        (
            "self.failed_attempts + 1 < conf.MAX_ATTEMPTS",
            "self.failed_attempts < conf.MAX_ATTEMPTS",
        ),
        ("self.failed_attempts + 1 < conf.MAX_ATTEMPTS", "self.attempts < conf.MAX_ATTEMPTS"),
        ("elif self.may_be_tried_again:", "elif True:"),
        ('"lease_expires_at": due, **self._one_more_failed()}', '"lease_expires_at": due}'),
        ("self._one_more_failed() | self._first_in_turn()", "self._first_in_turn()"),
        ("due = DatabaseNow() + delay", "due = DatabaseNow()"),
        (
            '"handler_returned": handler_returned, **self._first_in_turn()}',
            '"handler_returned": handler_returned}',
        ),
        (
            "turn = Task.objects.for_deciding().lowest_turn()",
            "turn = Task.objects.for_deciding().next_turn(self.owner)",
        ),
        ("DatabaseNow() + (lease or conf.LEASE)", "DatabaseNow() + conf.LEASE"),
        ('"turn": None,\n            "progress": 0', '"progress": 0'),
        ('"lease_expires_at": None,\n            "turn": None,', '"lease_expires_at": None,'),
        ('"expires_at": now + conf.TASK_TIME_TO_LIVE', '"expires_at": now'),
        ("min(99, done * 100 // total)", "min(100, done * 100 // total)"),
        ("progress=100, result=result", "progress=99, result=result"),
    ),
    *mutants(
        "models/task.py",
        "engine/transitions locks announcements receivers bulk leftovers heartbeat",
        # What is written with an end, and told of it.
        (
            "with transaction.atomic(using=self._db) if then else nullcontext():",
            "with nullcontext():",
        ),
        ("lambda: attempt.save(force_insert=True)", "None"),
        ('                .filter(outcome="")\n', ""),
        ("ended_at=now if handler_returned else None", "ended_at=now"),
        ("self._attempt().filter(ended_at=None)", "self._attempt()"),
        ("if ended and outcome != Outcome.SUCCESS:", "if False:"),
        ("if ended and outcome != Outcome.SUCCESS:", "if ended:"),
        ("if ended and outcome != Outcome.SUCCESS:", "if outcome != Outcome.SUCCESS:"),
        ("leftover.due_at = now + conf.TASK_TIMEOUT", "pass"),
        ("transaction.on_commit(self.announce_end, using=self._db, robust=True)", "pass"),
        (
            "transaction.on_commit(self.announce_end, using=self._db, robust=True)",
            "self.announce_end()",
        ),
        (
            "transaction.on_commit(self.announce_end, using=self._db, robust=True)",
            "transaction.on_commit(self.announce_end, using=self._db)",
        ),
        ("done = heard or self.announcements >= ANNOUNCEMENTS", "done = True"),
        ("done = heard or self.announcements >= ANNOUNCEMENTS", "done = heard"),
        ("FIRST_PAUSE * 2 ** (self.announcements - 1)", "FIRST_PAUSE"),
        ("rows.filter(pk__in=unheard).update", "rows.update"),
        ("task_finished.send_robust(sender", "task_finished.send(sender"),
        ("        except Exception:  # Django", "        except ZeroDivisionError:  # Django"),
        # A host's receiver that takes the run with it.
        ("send_robust(sender=Task, task=self), using", "send(sender=Task, task=self), using"),
        ("task=self), using=self._db, robust=True", "task=self), using=self._db"),
        (
            "transaction.on_commit(\n            lambda: signal",
            "(lambda *args, **kwargs: args[0]())(\n            lambda: signal",
        ),
        # A lock that another one holds.
        ("    @outlasts_locks\n", ""),
    ),
    *mutants(
        "claims.py",
        "engine/turns locks executor sweep",
        ("if not limits.may_run_more(task.owner):", "if False:"),
        ("at_limit.add(task.owner)", "return None"),
        ("if task is None and give_turns() else task", "if False else task"),
        ("tasks.next_waiting(registry.importable_types())", "tasks.next_waiting(registry.types())"),
        ("return conf.TASK_TIMEOUT + conf.LEASE", "return conf.LEASE / 100_000"),
        ("task.start(worker, lease)", "task.start(worker)"),
        ("leftovers.discard(task.leftover())", "pass"),
        ("task = tasks.due().first()", "task = tasks.first()"),
        ("without_turn()[:CLAIMS]", "without_turn()"),
        ("for _ in range(CLAIMS):", "for _ in range(1):"),
        # One lost race.
        ("    except InvalidTransition:  # another", "    except ZeroDivisionError:  # another"),
        (
            "with suppress(InvalidTransition):  # another",
            "with suppress(ZeroDivisionError):  # another",
        ),
        (
            "with suppress(InvalidTransition):\n            end_lost",
            "with suppress(ZeroDivisionError):\n            end_lost",
        ),
        ("@outlasts_locks\n", ""),
    ),
    *mutants(
        "querysets.py",
        "engine/turns sweep executor announcements leftovers",
        ("max(turn or 0, own + 1)", "max(turn or 0, own)"),
        ("rows.filter(owner=values[0], turn__isnull=False)", "rows.filter(turn__isnull=False)"),
        ('due.order_by("turn", "created_at", "id")', 'due.order_by("created_at", "id")'),
        ('due.order_by("turn", "created_at", "id")', 'due.order_by("turn", "-created_at", "id")'),
        ("self.filter(turn__isnull=False, status", "self.filter(status"),
        ("tasks.waiting(**{lookup: types})", "tasks.waiting()"),
        (
            "self.filter(status=Status.PROCESSING, lease_expires_at__lte=DatabaseNow())",
            "self.filter(status=Status.PROCESSING)",
        ),
        (
            "self.filter(status=Status.PENDING, lease_expires_at__lte=DatabaseNow())",
            "self.filter(status=Status.PENDING)",
        ),
        ("return self.expired(now).filter(announce_at=None)", "return self.expired(now)"),
        (
            "return self.expired(now).filter(announce_at=None)",
            "return self.filter(announce_at=None)",
        ),
        ("status=Status.SUCCESS, attempts=attempt", "attempts=attempt"),
        ("status=Status.SUCCESS, attempts=attempt", "status=Status.SUCCESS"),
        ("is_due = Q(available_at=None) | Q(available_at__lte=DatabaseNow())", "is_due = Q()"),
        ("rows._db = router.db_for_write(self.model)", "rows._db = router.db_for_read(self.model)"),
    ),
    *mutants(
        "limits.py",
        "engine/turns bulk",
        ("return number if number >= limit else 0", "return number if number > limit else 0"),
        ("filter(owner=owner, status=status)", "filter(status=status)"),
        ("filter(owner=owner, status=status)", "filter(owner=owner)"),
        ("filter(owner=owner, status=Status.PENDING)", "filter(status=Status.PENDING)"),
        ("filter(owner=owner, status=Status.PENDING)", "filter(owner=owner)"),
        ("int(max(0, limit - waiting))", "int(limit)"),
    ),
    *mutants(
        "executor.py",
        "engine/executor turns leftovers announcements heartbeat",
        # What an attempt ends in.
        ("if is_temporary(error):", "if False:"),
        ("case TaskCancelled() | LeaseLost():", "case TaskCancelled():"),
        ("case TaskCancelled() | LeaseLost():", "case LeaseLost():"),
        (
            "            return partial(_hand_over, task)",
            "            return partial(_fail, task, str(error))",
        ),
        ("return _record_of(context.reason or error, task)", "return _record_of(error, task)"),
        ("told = isinstance(error, KeyboardInterrupt) or (", "told = ("),
        ("or (watched and watched.told_at)", ""),
        ("except (SystemExit, KeyboardInterrupt) as error:", "except ZeroDivisionError as error:"),
        ("if raised:\n        raise raised", "if False:\n        raise raised"),
        (
            "    except InvalidTransition:\n        _abandon(task)",
            "    except InvalidTransition:\n        pass",
        ),
        ("        held.carry_out_cancel()", "        pass"),
        ("task.note_that_handler_returned()", "pass"),
        # What a result may be.
        ("if left:", "if False:"),
        ("if not isinstance(result, Mapping):", "if False:"),
        ("        check_json(result)", "        pass"),
        ("> MAX_RESULT_SIZE:", ">= MAX_RESULT_SIZE:"),
        ("> MAX_RESULT_SIZE:", "> 2 * MAX_RESULT_SIZE:"),
        # Another attempt.
        ("    if task.may_be_tried_again:", "    if True:"),
        (
            "max(conf.NEXT_ATTEMPT_DELAY * 2**task.failed_attempts, after or timedelta())",
            "conf.NEXT_ATTEMPT_DELAY * 2**task.failed_attempts",
        ),
        (
            "max(conf.NEXT_ATTEMPT_DELAY * 2**task.failed_attempts, after or timedelta())",
            "max(conf.NEXT_ATTEMPT_DELAY, after or timedelta())",
        ),
        ("tickets.publish(task.pk, delay)", "tickets.publish(task.pk)"),
        # What was stored.
        (
            "attempt(message, delay)\n        leftovers.discard(task.leftover())",
            "attempt(message, delay)",
        ),
        ("task.fail(message)\n    leftovers.discard(task.leftover())", "task.fail(message)"),
        ("task.hand_over()\n    leftovers.discard(task.leftover())", "task.hand_over()"),
        ("if not Task.objects.for_deciding().has_result_of(task.pk, task.attempts):", "if True:"),
        ("if not Task.objects.for_deciding().has_result_of(task.pk, task.attempts):", "if False:"),
        # The record of an end.
        ("heartbeat.of_this_process().wait_for_look()", "raise"),
        ("if not waits or not is_temporary(error):", "if True:"),
        ("if not waits or not is_temporary(error):", "if not waits:"),
        # Tickets.
        ("if goes_on and claims.next_due():", "if claims.next_due():"),
        ("if goes_on and claims.next_due():", "if False:"),
        ("    tickets.publish(task.pk)\n", "    pass\n"),
        ("        tickets.publish(waiting.pk)", "        pass"),
        # Without a heartbeat the lease must last as long as the attempt may.
        ("conf.LEASE if has_heartbeat else claims.whole_lease()", "conf.LEASE"),
        ("        has_heartbeat = False\n", "        pass\n"),
        # The signal of a handler's own.
        ("    if task.status == Status.SUCCESS and (", "    if ("),
        ("                raise answer", "                pass"),
        ("        task_finished.connect(send_success)", "        pass"),
    ),
    *mutants(
        "heartbeat.py",
        "engine/heartbeat",
        (
            'if not row or (row["status"], row["attempts"], row["lease_owner"]) != held:',
            "if not row:",
        ),
        (
            'if not row or (row["status"], row["attempts"], row["lease_owner"]) != held:',
            "if row and held != held:",
        ),
        ('elif row["cancel_requested_at"]:', "elif False:"),
        ('elif row["is_expired"] and paused:', "elif False:"),
        ('elif row["is_expired"] and paused:', 'elif row["is_expired"]:'),
        ("elif context.is_overdue:", "elif False:"),
        ("elif self.must_be_handed_over:", "elif False:"),
        (
            'elif row["is_expired"] or time.monotonic() >= self.renewed_at + lease_seconds() / 3:',
            "elif False:",
        ),
        (
            'elif row["is_expired"] or time.monotonic() >= self.renewed_at + lease_seconds() / 3:',
            "elif time.monotonic() >= self.renewed_at + lease_seconds() / 3:",
        ),
        ("time.monotonic() - self.told_at >= grace", "True"),
        ("tickets.publish(self.context.task_id)", "pass"),
        ("handler_returned=False", "handler_returned=True"),
        ("            watched.join()", "            pass"),
        (
            "with suppress(InvalidTransition):  # the next",
            "with suppress(ZeroDivisionError):  # the next",
        ),
        (
            "except Exception as error:  # the database",
            "except ZeroDivisionError as error:  # the database",
        ),
        ("> lease_seconds() / 2", "> 3600"),
        # Connections that nobody closes.
        ("            connections.close_all()\n\n\nclass", "            pass\n\n\nclass"),
        ("close_old_connections() if self._watched else connections.close_all()", "pass"),
        ("close_old_connections() if self._watched else ", ""),
        (" if self._watched else connections.close_all()", ""),
    ),
    *mutants(
        "context.py",
        "engine/context checkpoints executor heartbeat",
        # A deadline counted from creation.
        ("datetime = timezone.now() + conf", "datetime = task.created_at + conf"),
        (
            "_overdue_at = time.monotonic()",
            "_overdue_at = task.created_at.timestamp() - time.time() + time.monotonic()",
        ),
        ("> MAX_CHECKPOINT_SIZE", "> 2 * MAX_CHECKPOINT_SIZE"),
        ("        check_json(state)", "        pass"),
        ("deepcopy(state)", "state"),
        ("        if self.is_overdue:", "        if False:"),
        (
            "        if self.reason is not None:\n            raise",
            "        if False:\n            raise",
        ),
        (
            "            if self.reason is not None:\n                return",
            "            if False:\n                return",
        ),
        ("< WRITE_INTERVAL", "< 0"),
        ("if len(self._connection.atomic_blocks) > self._depth:", "if False:"),
        (
            "        except InvalidTransition:\n            self._find_out()",
            "        except InvalidTransition:\n            pass",
        ),
        ("            if not is_temporary(error):\n                raise", "            raise"),
        ("            if not is_temporary(error):\n                raise", "            pass"),
        ("if not self.has_heartbeat:\n            self._find_out()", "pass"),
        ("            self._raise_if_stopped()\n            yield", "            yield"),
        ("for callback in callbacks:", "for callback in []:"),
        ("except Exception as error:  # must", "except ZeroDivisionError as error:  # must"),
        ("self._callbacks.remove(callback)", "pass"),
        ("        if held is None:", "        if False:"),
        ("        elif held.cancel_requested_at:", "        elif False:"),
    ),
    *mutants(
        "sweep.py",
        "engine/sweep announcements leftovers locks executor turns",
        ("    if seen.any_lost:", "    if False:"),
        ("    if seen.any_due:", "    if False:"),
        ("    if seen.any_unannounced:", "    if False:"),
        ("    if seen.any_leftover:", "    if False:"),
        ("    if seen.any_expired:", "    if False:"),
        # One lost race that ends a sweep.
        ("with suppress(InvalidTransition):  # its", "with suppress(ZeroDivisionError):  # its"),
        (
            "with suppress(InvalidTransition):  # another",
            "with suppress(ZeroDivisionError):  # another",
        ),
        ("time.sleep(SECOND_LOOK)", "pass"),
        # Several sweeps at a time.
        ("if unless_within is not None and seen.is_recent:", "if False:"),
        ("noted = rows.filter(ran_at=seen.ran_at).update(", "noted = rows.update("),
        ("seen if noted or unless_within is None else None", "seen"),
        ("task.claim_announcement()", "pass"),
        # Bounds.
        ("purge(seconds=PURGE_TIME)", "purge()"),
        ("while time.monotonic() < until:", "while True:"),
        ('values_list("pk", flat=True)[:BATCH]', 'values_list("pk", flat=True)'),
        ('lost().order_by("lease_expires_at")[:BATCH]', 'lost().order_by("lease_expires_at")'),
        ('order_by("announce_at")[: BATCH // 10]', 'order_by("announce_at")'),
        ("for leftover in due[: BATCH // 10]:", "for leftover in due:"),
        ("        else:\n            break", "        else:\n            pass"),
        # Tickets.
        (
            "swept.due or unless_within is None or _is_stuck(seen)",
            "swept.due or unless_within is None",
        ),
        ("return seen.waiting_id == seen.next_id and not seen.is_ticket_recent", "return True"),
        ("return seen.waiting_id == seen.next_id and not seen.is_ticket_recent", "return False"),
        (
            "    if not tickets.publish(tickets.NEXT):\n",
            "    tickets.publish(tickets.NEXT)\n    if False:\n",
        ),
        # What is over.
        (
            "Task.objects.for_deciding().has_result_of(leftover.task_id, leftover.attempt)",
            "False",
        ),
        ("filter(due_at__lte=timezone.now()).order_by", "order_by"),
        ("    task_finished.connect(executor.send_success)", "    pass"),
        # Sweeping on and on.
        ("        except Exception as error:", "        except ZeroDivisionError as error:"),
        ("        connections.close_all()", "        pass"),
        ("@outlasts_locks\ndef _delete", "def _delete"),
    ),
    *mutants(
        "tickets.py",
        "engine/services executor sweep",
        (
            "transaction.on_commit(lambda: publish(task.pk), using=using, robust=True)",
            "publish(task.pk)",
        ),
        ("    except Exception as error:", "    except ZeroDivisionError as error:"),
        ("            if delay:\n", "            if False:\n"),
    ),
    *mutants(
        "engines/__init__.py",
        "engine/delivery",
        ("    close_old_connections()\n    try:", "    try:"),
        ("    finally:\n        close_old_connections()", "    finally:\n        pass"),
    ),
    *mutants(
        "leftovers.py",
        "engine/leftovers",
        ("    except Exception as error:", "    except ZeroDivisionError as error:"),
        ("    except UnknownTaskType:", "    except ZeroDivisionError:"),
        ("        leftover.postpone()", "        pass"),
        ("    leftover.forget()", "    pass"),
    ),
    *mutants(
        "models/leftover.py",
        "engine/leftovers",
        (", timedelta(days=1))", ", timedelta(days=9999))"),
        ("2 ** min(self.tries, 20)", "1"),
        ("            self.save()", "            pass"),
        ("filter(task_id=self.task_id, attempt=self.attempt)", "filter(task_id=self.task_id)"),
    ),
    *mutants(
        "scratch.py",
        "engine/scratch checkpoints",
        # Readable for others, or belonging to them.
        ("path.chmod(0o700)", "path.chmod(0o755)"),
        ("root.st_mode & 0o077", "root.st_mode & 0o007"),
        ("root.st_mode & 0o077", "root.st_mode & 0o070"),
        ("root.st_uid != os.geteuid()", "False"),
        ("if not stat.S_ISDIR(root.st_mode):", "if False:"),
        ("check_private(root.lstat())", "pass"),
        ("check_private(root.lstat())", "check_private(root.stat())"),
        ("check_private(os.fstat(root))", "pass"),
        # What was made by somebody else, or is in use.
        ("not _is_ours(name, lock) or not _lock(lock)", "not _is_ours(name, lock)"),
        ("not _is_ours(name, lock) or not _lock(lock)", "not _lock(lock)"),
        ("        while not _lock(descriptor):", "        while False:"),
        ("flags | os.O_NOFOLLOW", "flags"),
        ("dir_fd=dir_fd, follow_symlinks=False).st_mode", "dir_fd=dir_fd).st_mode"),
        # What stays.
        ("                    _remove(path)\n", "                    pass\n"),
        ("unwanted = kept - wanted(kept) if kept else kept", "unwanted = kept"),
        ("unwanted = kept - wanted(kept) if kept else kept", "unwanted = set()"),
        ("                lock.write(_claim(path.name))", "                pass"),
        ('    os.unlink(f"{path}{LOCK}", dir_fd=dir_fd)', "    pass"),
        ("            raise ScratchFailed(error) from error", "            raise"),
    ),
    *mutants(
        "checkpoints.py",
        "engine/checkpoints",
        ("status__in=UNFINISHED", ""),
        ('name.rpartition("-")[0] in wanted', "True"),
        ("    if task.checkpoint_attempt is None:", "    if False:"),
    ),
    *mutants(
        "database_faults.py",
        "engine/database_faults locks executor wire/unavailable",
        ("return code in SQLITE", "return True"),
        ("return code in SQLITE", "return False"),
        ("        error = error.__cause__", "        error = None"),
        ("return isinstance(error, OperationalError | InterfaceError)", "return False"),
        ("if in_transaction or _code(error) not in LOCKS:", "if True:"),
        ("if in_transaction or _code(error) not in LOCKS:", "if in_transaction:"),
        ("if in_transaction or _code(error) not in LOCKS:", "if _code(error) not in LOCKS:"),
        (' if options["ATOMIC_REQUESTS"]]', " if False]"),
    ),
    *mutants(
        "open_transactions.py",
        "engine/heartbeat",
        ("return len(connection.atomic_blocks) > depth", "return False"),
        ("not connection.autocommit or ", ""),
        (" or _has_begun(connection)", ""),
        ("        each.close()", "        each.connection.commit()\n        each.close()"),
    ),
    *mutants(
        "stop_signals.py",
        "engine/stop_signals heartbeat",
        ("        tell()", "        pass"),
        ("            handler(number, frame)", "            pass"),
        ("            os.kill(os.getpid(), fatal_number)", "            pass"),
        ("                signal.signal(number, handlers[number])", "                pass"),
        ("if signal.getsignal(number) is handle:", "if True:"),
    ),
    *mutants(
        "clock.py",
        "engine/executor sweep",
        (
            "adapt_datetimefield_value(timezone.now())",
            "adapt_datetimefield_value(timezone.now().replace(year=2000))",
        ),
    ),
]
"""Conditions are not among them that no test can notice, as another one holds without them: the
worker's name beside the attempt's number, which alone is never given twice; and the status in the
queries for what is lost, due or waits, which spares the verb that then finds out."""
