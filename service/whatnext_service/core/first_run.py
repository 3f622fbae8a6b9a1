"""The first job of a loop."""

from whatnext_service.core.catalogue import find_model
from whatnext_service.core.ranges import allowed_methods, allowed_models, clamp, limits
from whatnext_service.core.runs import RunConfig
from whatnext_service.core.scoreboard import Scoreboard
from whatnext_service.core.state import DatasetVersion
from whatnext_service.core.versions import data_moves

FIRST_SEED = 1
"""Every later run inherits it, so that a change is not told apart from its parent by the seed as well (evidence 3);
only a repeat takes another."""


def usable_versions(board: Scoreboard) -> tuple[DatasetVersion, ...]:
    """Versions whose rows are formatted for a training method that the loop may use."""
    methods = allowed_methods(board.state)
    return tuple(version for version in board.versions if version.method in methods)


def first_config(board: Scoreboard) -> RunConfig | None:
    """The first job: the loop's first base model at its default rate, up to five epochs (evidence 8).

    On the newest cleaned version, else the newest. Above 1,000 examples three epochs: the evidence ends at 800.
    """
    state = board.state
    usable = usable_versions(board)
    if not usable:
        return None
    newest = usable[-1]
    cleaner = [move.version for move in data_moves(newest, usable) if move.lever != "enlarge"]
    data = cleaner[0] if cleaner else newest
    models = allowed_models(state, data.method, data.n_examples)
    if not models:
        return None
    model = find_model(state.catalogue, models[0])
    allowed = limits(state, models[0])
    rate = 1.0 if model is None else model.start_learning_rate
    epochs = 5 if data.n_examples <= 1000 else 3
    return RunConfig(
        base_model=models[0],
        dataset_version_id=data.id,
        method=data.method,
        n_epochs=int(clamp(allowed.epochs, epochs)),
        learning_rate_multiplier=clamp(allowed.learning_rate, rate),
        seed=FIRST_SEED,
    )
