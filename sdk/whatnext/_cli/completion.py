"""Completion scripts, made from the command line itself."""

import argparse


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """The completion script for a shell: commands, and each command's options."""
    commands = _commands(parser)
    match shell:
        case "bash":
            return _bash(commands)
        case "zsh":
            return "autoload -U +X bashcompinit && bashcompinit\n" + _bash(commands)
        case _:
            return _fish(parser, commands)


def _commands(parser: argparse.ArgumentParser) -> dict[str, list[str]]:
    chosen = next(each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return {
        name: sorted(option for action in sub._actions for option in action.option_strings if option.startswith("--"))
        for name, sub in sorted(chosen.choices.items())
    }


def _bash(commands: dict[str, list[str]]) -> str:
    cases = "\n".join(f'    {name}) words="{" ".join(options)}" ;;' for name, options in commands.items())
    return f"""_whatnext() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" words
  case "${{COMP_WORDS[1]}}" in
{cases}
    *) words="{" ".join(commands)} --help --version" ;;
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="{" ".join(commands)} --help --version"
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _whatnext whatnext
"""


def _fish(parser: argparse.ArgumentParser, commands: dict[str, list[str]]) -> str:
    chosen = next(each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    helps = {each.dest: each.help or "" for each in chosen._choices_actions}
    lines = [
        f"complete -c whatnext -f -n __fish_use_subcommand -a {name} -d {_quoted(helps.get(name, ''))}"
        for name in commands
    ]
    for name, options in commands.items():
        for option in options:
            lines.append(f'complete -c whatnext -n "__fish_seen_subcommand_from {name}" -l {option.removeprefix("--")}')
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
