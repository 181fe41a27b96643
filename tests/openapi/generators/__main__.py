"""What other people's tools make of docs/openapi.yaml, and what their clients do with our server.

    python -m tests.openapi.generators [NAME …]

NAME is one of TOOLS; where none is named, all are tried. They are installed into a directory that
is removed in the end. Needs npm, and Java for openapi-generator. Two of the clients list, create,
cancel and wait for tasks of the demonstration.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.docs.readme import ROOT
from tests.openapi.generators.demonstration import demonstration
from tests.openapi.generators.workshop import Workshop

HERE = Path(__file__).parent
DOCUMENT = str(ROOT / "docs" / "openapi.yaml")
OPENAPI_GENERATOR = "openapi-generator-cli==7.26.0"
TYPESCRIPT = ("typescript@5.9.3", "@types/node@20.19.43")


def spectral(workshop: Workshop) -> None:
    workshop.npm("@stoplight/spectral-cli@6.16.3")
    ruleset = workshop.directory / "spectral.yaml"
    ruleset.write_text("extends: spectral:oas\n")
    workshop.run("spectral", "lint", DOCUMENT, f"--ruleset={ruleset}", "--fail-severity=hint")


def redocly(workshop: Workshop) -> None:
    workshop.npm("@redocly/cli@2.77.0")
    workshop.run("redocly", "lint", "--extends=recommended-strict", DOCUMENT)


def openapi_python_client(workshop: Workshop) -> None:
    workshop.pip("openapi-python-client==0.29.1")
    where = workshop.directory / "image_tasks"
    options = ["--meta=none", "--fail-on-warning", f"--output-path={where}"]
    workshop.run("openapi-python-client", "generate", f"--path={DOCUMENT}", *options)
    shutil.copy(HERE / "client.py", workshop.directory)
    workshop.run("python", "client.py", *workshop.served())


def datamodel_code_generator(workshop: Workshop) -> None:
    workshop.pip("datamodel-code-generator==0.89.0")
    options = ["--output=models.py", "--output-model-type=pydantic_v2.BaseModel"]
    options += ["--formatters=builtin", "--input-file-type=openapi"]
    workshop.run("datamodel-codegen", f"--input={DOCUMENT}", *options)
    workshop.run("python", "-W", "error", "-c", "from models import ImageTask, NewImageTaskImport")


def openapi_typescript(workshop: Workshop) -> None:
    workshop.npm("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", *TYPESCRIPT)
    workshop.run("openapi-typescript", DOCUMENT, "--output=schema.d.ts")
    for file in ("client.ts", "tsconfig.json"):
        shutil.copy(HERE / file, workshop.directory)
    workshop.run("tsc", "--project", ".")
    workshop.run("node", "built/client.js", *workshop.served())


def openapi_generator_typescript(workshop: Workshop) -> None:
    workshop.npm(*TYPESCRIPT)
    shutil.copy(HERE / "tsconfig.json", _generated(workshop, "typescript-fetch"))
    workshop.run("tsc", "--project", "typescript-fetch", "--module", "preserve")


def openapi_generator_go(workshop: Workshop) -> None:
    _generated(workshop, "go")


def _generated(workshop: Workshop, generator: str) -> Path:
    workshop.pip(OPENAPI_GENERATOR)
    where = workshop.directory / generator
    options = [f"--generator-name={generator}", f"--output={where}"]
    workshop.run("openapi-generator-cli", "generate", f"--input-spec={DOCUMENT}", *options)
    return where


TOOLS: dict[str, Callable[[Workshop], None]] = {
    tool.__name__.replace("_", "-"): tool
    for tool in (
        spectral,
        redocly,
        openapi_python_client,
        datamodel_code_generator,
        openapi_typescript,
        openapi_generator_typescript,
        openapi_generator_go,
    )
}


def main(names: list[str]) -> None:
    with TemporaryDirectory() as name, ExitStack() as stack:
        workshop = Workshop(Path(name), lambda: stack.enter_context(demonstration(Path(name))))
        for tool in names or TOOLS:
            started = time.monotonic()
            TOOLS[tool](workshop)
            print(f"{tool}: passed ({time.monotonic() - started:.0f} s)", flush=True)


main(sys.argv[1:])
