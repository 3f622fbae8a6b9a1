"""Everything that weakens the loop without blocking it, the gravest first."""

from whatnext_service.core.advice import Warning
from whatnext_service.core.data_warnings import data_warnings
from whatnext_service.core.incumbent import Standing
from whatnext_service.core.mistakes import mistakes
from whatnext_service.core.resolution import resolution
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.track_record import demoted

_ORDER = ("critical", "caution", "info")


def loop_warnings(board: Scoreboard, best: Standing | None) -> tuple[Warning, ...]:
    """A provider out of reach, the method's mistakes, faults in the data, a coarse suite, rules that failed here."""
    found = [
        *_provider_faults(board),
        *mistakes(board.state, board),
        *data_warnings(board, best),
        *_resolution(board, best),
        *_demoted(board),
    ]
    return tuple(sorted(found, key=lambda each: _ORDER.index(each.severity)))


def _provider_faults(board: Scoreboard) -> list[Warning]:
    """A provider that does not let the service in, or does not answer: the run is kept, and not seen meanwhile."""
    found: list[Warning] = []
    for run in board.active_runs:
        fault = run.provider_fault
        if fault is None:
            continue
        told = f"{fault.detail[:200]}; since {fault.since:%Y-%m-%d %H:%M} UTC"
        if fault.fault == "unauthorized":
            message = f"The provider refuses the key of {run.name}: {told}. The run is kept, going on once a key works."
            found.append(Warning(code="provider_refuses_key", severity="critical", message=message))
        else:
            message = f"No look at {run.name} succeeds: {fault.fault}, {told}. The run is kept and looked at again."
            found.append(Warning(code="provider_unreachable", severity="caution", message=message))
    return found


def _resolution(board: Scoreboard, best: Standing | None) -> list[Warning]:
    """The suite cannot see the gain that the rules ask for (evidence 6.3)."""
    seen = resolution(board, best)
    if seen is None or seen.sees:
        return []
    return [
        Warning(
            code="suite_too_coarse",
            severity="caution",
            message=(
                f"This suite of {seen.n_items} items sees differences of {seen.visible:.2f}"
                f"{', the noise of training again included' if seen.training_sd else ''}; the rules ask for "
                f"{seen.asked:g}, by which two equally good models differ in {seen.chance:.0%} of comparisons. "
                f"Cheapest way to see it: {seen.remedy}."
            ),
        )
    ]


def _demoted(board: Scoreboard) -> list[Warning]:
    """A rule that did badly in this workspace is demoted there, and the answer says so (evidence 6.10)."""
    return [
        Warning(
            code="rule_demoted",
            severity="info",
            message=(
                f"The rule {record.rule} helped in {record.n_hits} of {record.n} cases in this workspace; "
                "its advice comes last here."
            ),
        )
        for record in board.state.track_record
        if demoted(record)
    ]
