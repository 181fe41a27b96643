from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.engines import actions
from tests.engines.brokers import ENGINES, Engine
from tests.engines.project import Process, Project


@pytest.fixture(scope="session", params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def engine(engine_name: str) -> Engine:
    ENGINES[engine_name].check()
    return ENGINES[engine_name]


@pytest.fixture(scope="session")
def project(
    engine: Engine, engine_name: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    name = f"image_tasks_{engine_name}_{os.getpid()}"
    settings = f"tests.engines.settings.{engine.settings}"
    project = Project(name, tmp_path_factory.mktemp(engine_name), settings)
    project.call(actions.create_database)
    yield project
    project.kill_all()
    project.call(actions.destroy_database)
    project.close()
    engine.clean(name)


@pytest.fixture
def workers(project: Project, engine: Engine) -> list[Process]:
    """Two of them, those that an earlier test has killed made good."""
    living = [process for process in project.processes if process.runs()]
    return [*living, *(engine.start_worker(project) for _ in range(2 - len(living)))]
