"""Completion scripts, made from the command line itself."""

import argparse
import re
from collections.abc import Mapping


def script(parsers: Mapping[str, argparse.ArgumentParser], shell: str) -> str:
    """The completion script for a shell: the commands, and each command's options."""
    options = {name: sorted(set(re.findall(r"--[a-z-]+", each.format_help()))) for name, each in parsers.items()}
    match shell:
        case "bash":
            return _bash(options)
        case "zsh":
            return "autoload -U +X bashcompinit && bashcompinit\n" + _bash(options)
        case _:
            return _fish(options, {name: each.description or "" for name, each in parsers.items()})


def _bash(options: Mapping[str, list[str]]) -> str:
    cases = "\n".join(f'    {name}) words="{" ".join(each)}" ;;' for name, each in options.items())
    return f"""_whatnext() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words="{" ".join(options)} --help --version"
  [ "$COMP_CWORD" -gt 1 ] && case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _whatnext whatnext
"""


def _fish(options: Mapping[str, list[str]], about: Mapping[str, str]) -> str:
    lines = [
        f"complete -c whatnext -f -n __fish_use_subcommand -a {name} -d {_quoted(about[name])}" for name in options
    ]
    for name, each in options.items():
        for option in each:
            lines.append(f'complete -c whatnext -n "__fish_seen_subcommand_from {name}" -l {option.removeprefix("--")}')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
