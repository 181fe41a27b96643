"""A script for a shell that completes the commands and options of ``image_tasks``."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser

SCRIPT = """\
_image_tasks() {
  local current="${COMP_WORDS[COMP_CWORD]}" command="" words place
  COMPREPLY=()
  for ((place = 1; place < COMP_CWORD; place++)); do
    if [[ "${COMP_WORDS[place]}" == image_tasks ]]; then
      command="${COMP_WORDS[place + 1]}"
      [[ $((place + 1)) -eq $COMP_CWORD ]] && command=""
      case "$command" in
%(cases)s
        *) words="%(commands)s" ;;
      esac
      COMPREPLY=($(compgen -W "$words" -- "$current"))
      return
    fi
  done
}
complete -o default -F _image_tasks manage.py ./manage.py django-admin python python3
"""
FOR_ZSH = "autoload -U +X compinit bashcompinit && compinit && bashcompinit\n"


def script(parser: ArgumentParser, shell: str) -> str:
    """The script for ``bash`` or ``zsh``; zsh runs that of bash."""
    [commands] = [action.choices for action in parser._actions if action.dest == "command"]
    cases = [
        f'        {name}) words="{" ".join(_options(command))}" ;;'
        for name, command in dict(commands or {}).items()
    ]
    text = SCRIPT % {"cases": "\n".join(cases), "commands": " ".join(commands or ())}
    return (FOR_ZSH if shell == "zsh" else "") + text


def _options(command: ArgumentParser) -> list[str]:
    """The long options that its help shows, and the words that it takes."""
    shown = [action for action in command._actions if action.help != SUPPRESS]
    flags = [flag for action in shown for flag in action.option_strings if flag.startswith("--")]
    words = [word for action in shown if not action.option_strings for word in action.choices or ()]
    return [*words, *flags]
