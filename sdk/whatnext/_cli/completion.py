"""Completion scripts, made from the command line itself. Loops are completed by asking the service for them."""

import argparse
from collections.abc import Iterable, Mapping

from whatnext._cli.parser import LOOP, PATH, Command

LOOPS = "whatnext loops --names 2>/dev/null"
"""Prints the slugs to choose from."""


def script(commands: Mapping[str, Command], shell: str) -> str:
    """The completion script for a shell: commands, their options and what those take, loops."""
    match shell:
        case "bash":
            return _bash(commands)
        case "zsh":
            return _zsh(commands)
        case _:
            return _fish(commands)


def _bash(commands: Mapping[str, Command]) -> str:
    options = {name: " ".join(flag for each in _options(made) for flag in each.option_strings)
               for name, made in commands.items()}  # fmt: skip
    values = {flag: each for made in commands.values() for each in _options(made) for flag in each.option_strings
              if each.nargs != 0}  # fmt: skip
    files = [flag for flag, each in values.items() if each.metavar == PATH]
    chosen = [f'    {flag}) words="{_choices(each)}" ;;' for flag, each in values.items() if each.choices]
    free = [flag for flag, each in values.items() if each.metavar != PATH and not each.choices]
    operands = [f'      {name}:*) words="{_choices(each)}" ;;'
                for name, made in commands.items() for each in _operands(made) if each.choices]  # fmt: skip
    asking = "|".join(f"{name}:*" for name, made in commands.items() if _of_loop(made))
    lines = [
        "_whatnext() {",
        '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" command="" words="" word',
        '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
        f'    case " {" ".join(commands)} " in *" $word "*) command="$word"; break ;; esac',
        "  done",
        '  case "$previous" in',
        f'    {"|".join(files)}) compopt -o filenames; COMPREPLY=($(compgen -f -- "$current")); return ;;',
        *chosen,
        f"    {'|'.join(free)}) ;;",
        '    *) case "$command:$current" in',
        *(f'      {name}:-*) words="{flags}" ;;' for name, flags in options.items()),
        *operands,
        f'      {asking}) words="$({LOOPS})" ;;',
        f'      :*) words="{" ".join(commands)} --help --version" ;;',
        "    esac ;;",
        "  esac",
        '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
        "}",
        "complete -F _whatnext whatnext",
    ]
    return "\n".join(lines) + "\n"


def _zsh(commands: Mapping[str, Command]) -> str:
    about = " ".join(_quoted(f"{name}:{made.about}") for name, made in commands.items())
    cases = [
        line
        for name, made in commands.items()
        for line in (
            f"      {name})",
            "        _arguments " + " ".join((*map(_zsh_option, _options(made)), *map(_zsh_operand, _operands(made)))),
            "        ;;",
        )
    ]
    lines = [
        "#compdef whatnext",
        "_whatnext_loops() {",
        f'  local -a slugs=(${{(f)"$({LOOPS})"}})',
        "  compadd -a slugs",
        "}",
        "_whatnext() {",
        "  local state line",
        f"  local -a commands=({about})",
        "  _arguments -C '--help[show this help]' '--version[show the version]' '1: :->command' '*::: :->rest'",
        "  case $state in",
        "    command) _describe command commands ;;",
        "    rest)",
        '      words=("$line[1]" "${words[@]}"); (( CURRENT += 1 ))',
        "      case $line[1] in",
        *(f"  {line}" for line in cases),
        "      esac ;;",
        "  esac",
        "}",
        'if [ "$funcstack[1]" = "_whatnext" ]; then _whatnext "$@"; else compdef _whatnext whatnext; fi',
    ]
    return "\n".join(lines) + "\n"


def _zsh_option(action: argparse.Action) -> str:
    taken = "" if action.nargs == 0 else f":{action.metavar or ' '}:{_zsh_values(action)}"
    about = (action.help or "").replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]").replace(":", "\\:")
    return " ".join(_quoted(f"{flag}[{about}]{taken}") for flag in action.option_strings)


def _zsh_operand(action: argparse.Action) -> str:
    rest = "*" if action.nargs == "*" else ""
    return _quoted(f"{rest}:{action.metavar or action.dest}:{_zsh_values(action)}")


def _zsh_values(action: argparse.Action) -> str:
    if action.choices:
        return f"({_choices(action)})"
    return {LOOP: "_whatnext_loops", PATH: "_files"}.get(str(action.metavar), " ")


def _fish(commands: Mapping[str, Command]) -> str:
    lines = ["complete -c whatnext -f"]
    for name, made in commands.items():
        lines.append(f"complete -c whatnext -n __fish_use_subcommand -a {name} -d {_quoted(made.about)}")
    for name, made in commands.items():
        after = f"complete -c whatnext -n {_quoted(f'__fish_seen_subcommand_from {name}')}"
        for each in _options(made):
            taken = "" if each.nargs == 0 else " -r -F" if each.metavar == PATH else " -x"
            listed = f" -a {_quoted(_choices(each))}" if each.choices else ""
            for flag in each.option_strings:
                named = f"-l {flag.removeprefix('--')}" if flag.startswith("--") else f"-s {flag.removeprefix('-')}"
                lines.append(f"{after} {named}{taken}{listed} -d {_quoted(each.help or '')}")
        for each in _operands(made):
            if each.choices or each.metavar == LOOP:
                lines.append(f"{after} -a {_quoted(_choices(each) if each.choices else f'({LOOPS})')}")
    return "\n".join(lines) + "\n"


def _options(command: Command) -> list[argparse.Action]:
    return [each for each in command.actions if each.option_strings]


def _operands(command: Command) -> list[argparse.Action]:
    return [each for each in command.actions if not each.option_strings]


def _of_loop(command: Command) -> bool:
    return any(each.metavar == LOOP for each in _operands(command))


def _choices(action: argparse.Action) -> str:
    choices: Iterable[object] = action.choices or ()
    return " ".join(map(str, choices))


def _quoted(text: str) -> str:
    """For any of the three shells, in single quotes."""
    return "'" + text.replace("'", "'\\''") + "'"
