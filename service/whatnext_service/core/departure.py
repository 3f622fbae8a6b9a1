"""Where and why the advice departs from the published method read literally (evidence 8)."""

from typing import Literal

from whatnext_service.core.advice import ActionKind, MethodReading
from whatnext_service.core.draft import Draft
from whatnext_service.core.method_advice import MethodAdvice
from whatnext_service.core.move_kinds import Rule
from whatnext_service.core.scoreboard import configuration

_BY_RULE: tuple[tuple[Rule | Literal["separate_changes"], str], ...] = (
    ("rate_ruins_run", "Validation loss above its first value wants a lower rate in 80 % of cases, a higher in 6 %."),
    ("clean_data", "Cleaner data gained 0.34 to 0.76 whatever the curve said: it goes before any hyperparameter."),
    ("clean_and_enlarge_data", "Cleaner and larger data goes before any hyperparameter, whatever the curve says."),
    ("enlarge_data", "While validation loss has not risen more data gained 0.19, before any finer tuning."),
    ("revised_data", "Data that somebody has worked on goes before any finer tuning."),
    ("lower_rate_risen", "A risen loss is repaired by a lower rate (+0.33, 77 % up), hardly by fewer epochs (+0.04)."),
    ("raise_rate_undertrained", "A loss still at its minimum wants more training; the plain ratio misleads there."),
    ("train_longer", "A loss still at its minimum wants more training; the plain ratio misleads there."),
    ("neighbouring_rate", "The ratio of losses decides nothing here; the rates beside a good one are worth a look."),
    ("other_base_model", "The levers with more evidence behind them are used up for this base model."),
    ("other_method", "The levers with more evidence behind them are used up for this training method."),
    ("batch_size", "Everything with more promise has been tried."),
    ("remaining_rate", "Everything with more promise has been tried."),
    ("separate_changes", "What leads changed several things at once: which of them carried it is worth a run to know."),
    ("lower_rate_failed", "A diverged run is an outcome too: it says that the rate is too high."),
)
_BY_KIND: tuple[tuple[ActionKind, str], ...] = (
    ("evaluate", "Scoring the stored checkpoints on held-out items chose better than validation loss did."),
    ("fix_data", "Known contradictions cost more than any setting can win back, so they go first."),
    ("start_run", "The first job runs for up to five epochs, because every stored checkpoint is scored."),
    ("stop", "An improvement counts only when its interval is clear of zero."),
    ("ship", "What remains to be tried has gained nothing on real surfaces."),
    ("final_test", "What remains to be tried has gained nothing on real surfaces."),
)


def compare_with_method(chosen: Draft, literal: MethodAdvice) -> MethodReading:
    """What the method would do, whether the advice is the same, and if not why."""
    agrees = chosen.kind == literal.kind and (
        literal.config is None or chosen.config is None or configuration(chosen.config) == configuration(literal.config)
    )
    return MethodReading(
        headline=literal.headline, agrees=agrees, departure=None if agrees else _departure(chosen, literal)
    )


def _departure(chosen: Draft, literal: MethodAdvice) -> str:
    if literal.kind in ("stop", "ship", "final_test") and chosen.kind == "start_run":
        return "Stopping on a short window gives gains away: promising changes are still untried (evidence 8)."
    rule = None if chosen.change is None else chosen.change.expects.rule
    why = next((text for name, text in _BY_RULE if name == rule), None)
    if why is None:
        why = next((text for kind, text in _BY_KIND if kind == chosen.kind), "The evidence orders the steps otherwise.")
    return f"{why.removesuffix('.')} (evidence 8)."
