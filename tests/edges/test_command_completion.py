"""What a shell offers when one presses Tab behind ``image_tasks``."""

from __future__ import annotations

import subprocess

import pytest

from tests.edges.commands import image_tasks
from tests.requirements import needs_program


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("python manage.py image_tasks li", "list"),
        ("./manage.py image_tasks c", "create cancel completion"),
        ("django-admin image_tasks list --st", "--status"),
        ("python manage.py image_tasks completion ", "bash zsh --help"),
        ("python manage.py migrate --f", ""),
    ],
)
def test_bash_offers_commands_and_options(line: str, offered: str) -> None:
    script = image_tasks("completion", "bash").out
    *words, last = line.split(" ")
    typed = " ".join(f"'{word}'" for word in [*words, last])
    script += f"COMP_WORDS=({typed}); COMP_CWORD={len(words)}; _image_tasks\n"
    script += 'echo "${COMPREPLY[*]}"'
    bash = [needs_program("bash"), "--norc", "-c", script]
    assert (
        subprocess.run(bash, capture_output=True, text=True, check=True).stdout.strip() == offered
    )


def test_zsh_runs_the_script_of_bash() -> None:
    first, _, rest = image_tasks("completion", "zsh").out.partition("\n")
    assert first == "autoload -U +X compinit bashcompinit && compinit && bashcompinit"
    assert rest == image_tasks("completion", "bash").out


def test_there_are_no_other_shells() -> None:
    assert image_tasks("completion", "fish").code == 1
