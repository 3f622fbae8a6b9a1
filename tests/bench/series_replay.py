"""Replay real experiment histories: before each change with a known outcome, what would the advice have said?

`python -m tests.bench.series_replay [FOLDER]` builds the loop as it stood before each transition of each history,
asks `what_next`, and compares. A single change that improved should be the advice or one of its alternatives; one
that did not should not be the advice. Transitions that change several variables, or one that a loop does not have
(an adapter's rank), are answered too, but nothing can be credited.

Then every run of every history stands alone, and the change advised for it is looked up among the runs that differ
from it in just that variable: what did those gain that went the advised way?
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Literal

import msgspec
from tests.bench.series_settings import Record, config_of, dataset_key, variable_of
from tests.bench.series_states import DEFAULT_FOLDER, state_of

from whatnext_service.core.advice import Answer, Value
from whatnext_service.core.outcome import outcome
from whatnext_service.core.plan import what_next
from whatnext_service.core.runs import Variable
from whatnext_service.core.state import LoopState

Said = Literal["advised", "alternative", "not advised"]
NO_EVIDENCE = {
    "finance_flan": "its caveat: the values look invented; keep out of any accuracy claim",
    "id2223_llama32_1b": "its caveat: only training loss, with which a longer run always looks better",
}
"""Histories whose own caveats forbid to count them."""


class Replayed(msgspec.Struct, kw_only=True, frozen=True):
    """A transition, and what was advised before it."""

    told: str
    """The change and its result, in words."""
    answer: Answer
    said: Said | None
    """Null where the change is not one of a single variable that a loop has."""
    agrees: bool | None
    """Null where it does not count."""
    reason: str
    """Why they differ, or why it does not count; empty where they agree."""


class LookedUp(msgspec.Struct, kw_only=True, frozen=True):
    """What came of the change advised for one run, by the run nearest to it that went the same way."""

    rule: str
    variable: Variable
    gain: float
    """In units of the history's spread between its best and its worst run; positive is better."""


def replay(series: Record, transition: Record, folder: Path) -> Replayed:
    """Ask before one transition."""
    names = [run["run_id"] for run in series["runs"]]
    before = series["runs"][: names.index(transition["from_run"]) + 1]
    after = series["runs"][names.index(transition["to_run"])]
    keys = list(dict.fromkeys(dataset_key(run) for run in (*before, after)))
    state = state_of(series, before, keys, folder)
    answer = what_next(state)
    changes = (f"{name} {_shown(old)} to {_shown(new)}" for name, (old, new) in transition["changed"].items())
    result = transition["outcome_vs_previous"]
    variable = variable_of(next(iter(transition["changed"]))) if transition["n_changed"] == 1 else None
    said: Said | None = None
    agrees = None
    reason = NO_EVIDENCE.get(series["series_id"], "")
    if variable is None:
        reason = _not_single(transition)
    else:
        old, new = (getattr(config_of(run, series), variable) for run in (before[-1], after))
        said = said_of(answer, variable, old, new)
        if not reason:
            agrees = said != "not advised" if result == "improved" else said != "advised"
            reason = "" if agrees else why(state, answer, variable, said)
    told = f"{', '.join(changes) or 'nothing'}: {result}"
    return Replayed(told=told, answer=answer, said=said, agrees=agrees, reason=reason)


def said_of(answer: Answer, variable: Variable, old: Value, new: Value) -> Said:
    """Whether this change is the advice, an alternative, or neither: of a number the direction, else the value."""
    for place, change in enumerate((answer.change, *(each.change for each in answer.alternatives))):
        if change is None or change.variable != variable:
            continue
        wanted = _direction(old, new)
        if change.to_value == new if wanted is None else _direction(change.from_value, change.to_value) == wanted:
            return "advised" if place == 0 else "alternative"
    return "not advised"


def why(state: LoopState, answer: Answer, variable: Variable, said: Said) -> str:
    """What the advice rested on where it differs from what happened."""
    if variable == "dataset_version_id":
        if said == "not advised":
            return "nothing tells that the new file is cleaner than the old one, or larger by a fifth"
        return f"data goes first, and the new file is known as {' and '.join(state.versions[-1].derived_by)}"
    seen = outcome(state.runs[-1])
    basis = f"validation loss ended {seen.rise:.2f} times its minimum" if seen.rise else "no validation loss is known"
    return f"{basis}; the rule was {answer.change.expects.rule if answer.change else answer.action.kind}"


def look_up(series: Record, run: Record, folder: Path) -> LookedUp | None:
    """The outcome of the change advised for a run that stands alone; null where no other run shows it."""
    metric = series["primary_metric"]
    if run["eval"].get(metric) is None or run["eval"].get("split") == "train":
        return None
    change = what_next(state_of(series, [run], [dataset_key(run)], folder)).change
    if change is None or not isinstance(change.to_value, int | float):
        return None
    aim, name, wanted = change.to_value, change.variable, _direction(change.from_value, change.to_value)
    old = getattr(config_of(run, series), name)
    scored = [each for each in series["runs"] if each["eval"].get(metric) is not None]
    there = [
        (abs(value - aim), float(other["eval"][metric]))
        for other in scored
        if _differ(run, other) == {name} and _direction(old, value := getattr(config_of(other, series), name)) == wanted
    ]
    if wanted is None or not there:
        return None
    scores = [float(each["eval"][metric]) for each in scored]
    sign = 1.0 if series["direction"] == "higher" else -1.0
    gain = sign * (min(there)[1] - float(run["eval"][metric])) / (max(scores) - min(scores))
    return LookedUp(rule=change.expects.rule, variable=name, gain=gain)


def _differ(one: Record, other: Record) -> set[str]:
    """Every setting in which two runs differ, a loop's variables by their names there."""
    if one["eval"].get("split") != other["eval"].get("split"):
        return {"split"}
    configs = [
        {**each.get("config", {}), **{name: each.get(name) for name in ("dataset", "base_model")}}
        for each in (one, other)
    ]
    names = {name for config in configs for name in config}
    return {variable_of(name) or name for name in names if configs[0].get(name) != configs[1].get(name)}


def _direction(old: Value, new: Value) -> bool | None:
    """Whether a number went up; null where it stayed, or one of the two is no number."""
    if isinstance(old, int | float) and isinstance(new, int | float) and old != new:
        return new > old
    return None


def _not_single(transition: Record) -> str:
    if transition["n_changed"] == 1:
        return f"a loop has no variable {next(iter(transition['changed']))}"
    return f"{transition['n_changed']} variables at once: no credit to any" if transition["n_changed"] else "a repeat"


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return "/".join(str(each) for each in value.values())
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def print_history(series: Record, folder: Path) -> list[Replayed]:
    """What was changed, what came of it, what would have been advised, and why they differ."""
    print(
        f"\n{series['series_id']}: {series['n_runs']} runs, {series['primary_metric']}, {series['direction']} is better"
    )
    if not series["transitions"]:
        in_words = all(set(run["config"]) == {"change"} for run in series["runs"])
        print(f"  no transitions: {'its changes are told in words only' if in_words else series['order']}")
    found = [replay(series, transition, folder) for transition in series["transitions"]]
    for each in found:
        mark = "not counted" if each.agrees is None else "agrees" if each.agrees else "DIFFERS"
        print(f"  {each.told}\n    next: {each.answer.headline}")
        print(f"    {mark}{f' ({each.said})' if each.said else ''}{f': {each.reason}' if each.reason else ''}")
    return found


def main() -> None:
    """Print every history and the agreement, then what the advice for each run alone would have gained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    folder = parser.parse_args().folder
    histories = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    found = [each for series in histories for each in print_history(series, folder)]
    counted = [each for each in found if each.agrees is not None]
    agreed = sum(bool(each.agrees) for each in counted)
    print(f"\n{agreed} of {len(counted)} single changes agree; the other {len(found) - len(counted)} do not count")
    print("\neach run alone: what the run gained that went the advised way, in shares of the history's spread")
    for series in histories:
        by_rule: defaultdict[tuple[str, Variable], list[float]] = defaultdict(list)
        for run in series["runs"] if series["series_id"] not in NO_EVIDENCE else ():
            if (seen := look_up(series, run, folder)) is not None:
                by_rule[seen.rule, seen.variable].append(seen.gain)
        for (rule, variable), gains in by_rule.items():
            better = sum(gain > 0 for gain in gains)
            mean = sum(gains) / len(gains)
            print(
                f"  {series['series_id']:<24}{rule:<20}{variable:<26}{better} of {len(gains)} better, mean {mean:+.2f}"
            )


if __name__ == "__main__":
    main()
