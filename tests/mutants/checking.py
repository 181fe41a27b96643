"""Mutants of the system checks, and of what the settings may be."""

from __future__ import annotations

from tests.mutants.mutant import mutants

MUTANTS = [
    *mutants(
        "checks/__init__.py",
        "edges/settings_checks engine_checks database_checks",
        (
            "(check_settings, check_engine, check_sqlite, check_charset_option)",
            "(check_engine, check_sqlite, check_charset_option)",
        ),
        (
            "(check_settings, check_engine, check_sqlite, check_charset_option)",
            "(check_settings, check_sqlite, check_charset_option)",
        ),
        (
            "(check_settings, check_engine, check_sqlite, check_charset_option)",
            "(check_settings, check_engine, check_charset_option)",
        ),
        ("    register(check_database, Tags.database)\n", ""),
        ('if not isinstance(getattr(settings, "IMAGE_TASKS", {}), dict):', "if False:"),
        ("*check_project(), *check_seams()]", "*check_seams()]"),
        ("*check_project(), *check_seams()]", "*check_project()]"),
        ("[*check_names(), *values, *others]", "[*values, *others]"),
    ),
    *mutants(
        "checks/dictionary.py",
        "edges/settings_checks",
        ("        if name not in NAMES:", "        if False:"),
        (
            "        except (ImportError, ValueError) as error:",
            "        except ImportError as error:",
        ),
        (
            "        except (ImportError, ValueError) as error:",
            "        except ValueError as error:",
        ),
        (
            "        except ImportError as error:\n            yield",
            "        except ZeroDivisionError as error:\n            yield",
        ),
        ("issubclass(handler, Handler) and handler.type == type_", "handler.type == type_"),
        ("issubclass(handler, Handler) and handler.type == type_", "issubclass(handler, Handler)"),
    ),
    *mutants(
        "checks/project.py",
        "edges/settings_checks",
        ("    if not settings.USE_TZ:", "    if False:"),
        ('    if not apps.is_installed("rest_framework"):', "    if False:"),
        ('and find_spec("requests_hardened") is None:', "and False:"),
        (
            "    except NoReverseMatch:\n        yield",
            "    except NoReverseMatch:\n        return\n        yield",
        ),
        ("is_subclass(cls, token) and cls.model is None", "False"),
        ("and cls.model is None:", ":"),
        ("    if settings.MEDIA_ROOT or IMAGE_IMPORT not in", "    if True or IMAGE_IMPORT not in"),
        (" or IMAGE_IMPORT not in conf.HANDLERS.values():\n        return", ":\n        return"),
        ('and storage.base_location == "":', "and False:"),
        ("        if trusted_host(entry) == NO_HOST:", "        if False:"),
        (
            "        scratch.check_private(conf.SCRATCH_DIR.lstat())",
            "        conf.SCRATCH_DIR.lstat()",
        ),
        (
            "        scratch.check_private(conf.SCRATCH_DIR.lstat())",
            "        scratch.check_private(conf.SCRATCH_DIR.stat())",
        ),
        ("        if error.errno == EPERM:", "        if True:"),
    ),
    *mutants(
        "checks/seams.py",
        "edges/settings_checks",
        ("if cls is not None and not is_subclass(cls, import_string(path)):", "if False:"),
        (
            '("to_internal_value", "run_validation", "create", "validate")',
            '("to_internal_value", "run_validation", "create")',
        ),
        (
            '("to_internal_value", "run_validation", "create", "validate")',
            '("run_validation", "create", "validate")',
        ),
        ('if name.startswith("validate_")]', "if False]"),
        ("    yield from _rules_of(conf.SERIALIZER_CLASS)\n", ""),
    ),
    *mutants(
        "checks/engine.py",
        "edges/engine_checks",
        ("        return [_unusable(error)]", "        return []"),
        ("if missing := [*_app(backend)]:", "if missing := []:"),
        ("*_backend(backend), *getattr", "*getattr"),
        (', *getattr(engine, "check", list)()]', "]"),
        ("if app and not apps.is_installed(app):", "if False:"),
        ('if type(backend).__module__.startswith(f"{DATABASE_APP}."):', "if False:"),
        ("for kind in type(backend).__mro__:", "for kind in type(backend).__mro__[:1]:"),
    ),
    *mutants(
        "checks/database.py",
        "edges/engine_checks database_checks",
        ('        "journal_mode=wal" in options', '        "" in options'),
        ('        and options.get("transaction_mode") == "IMMEDIATE"\n', ""),
        ('        and options.get("timeout", 0) >= SHORTEST_TIMEOUT\n', ""),
        # Noticed on PostgreSQL and MariaDB: there is nothing to ask SQLite for.
        ("    if connection.alias not in (databases or ()):", "    if False:"),
    ),
    *mutants(
        "conf.py",
        "edges/settings_checks",
        ("if not isinstance(value, str) or not value:", "if not isinstance(value, str):"),
        ("if not isinstance(value, str) or not value:", "if not value:"),
        ("or not all(isinstance(v, str) for v in values):", ":"),
        ("if type(value) is not bool:", "if False:"),
        ("type(value) is not int or not least", "not isinstance(value, int) or not least"),
        (
            'not least <= value <= most:\n            raise ValueError(f"it must be a whole',
            'not least <= value:\n            raise ValueError(f"it must be a whole',
        ),
        (
            'not least <= value <= most:\n            raise ValueError(f"it must be a whole',
            'not value <= most:\n            raise ValueError(f"it must be a whole',
        ),
        (" and abs(value) < 1e10:", ":"),
        ("timedelta(seconds=least) <= duration <= most:", "timedelta(seconds=least) <= duration:"),
        ("timedelta(seconds=least) <= duration <= most:", "duration <= most:"),
        ("timedelta(seconds=30), least=3)", "timedelta(seconds=30))"),
        ('"MAX_ATTEMPTS", 3, most=16', '"MAX_ATTEMPTS", 3'),
        ("0 < len(type_) <= 64", "0 < len(type_)"),
        ("0 < len(type_) <= 64", "len(type_) <= 64"),
        ("type(port) is int and 0 < port < 2**16", "type(port) is int and 0 <= port < 2**16"),
        ("type(port) is int and 0 < port < 2**16", "type(port) is int and 0 < port <= 2**16"),
        ("or not Path(value).is_absolute():", ":"),
        ('"IMPORT_MAX_REDIRECTS", 5, least=0, most=100', '"IMPORT_MAX_REDIRECTS", 5, least=0'),
    ),
    *mutants(
        "engines/rq.py",
        "edges/engine_checks",
        ('    if name not in getattr(settings, "RQ_QUEUES", {}):', "    if False:"),
    ),
    *mutants(
        "engines/procrastinate.py",
        "edges/engine_checks",
        ('    if connections[alias].vendor != "postgresql":', "    if False:"),
        (
            '    if "shutdown_graceful_timeout" not in',
            '    if False and "shutdown_graceful_timeout" not in',
        ),
    ),
    *mutants(
        "engines/celery.py",
        "edges/engine_checks",
        ('    if current_app.main == "default":', "    if False:"),
    ),
]
