"""Method 6.4."""

import pytest
from tests.core.loop_states import a_model, a_run, a_state, a_version, an_evaluation

from whatnext_service.core.incumbent import incumbent, standings
from whatnext_service.core.moves import moves
from whatnext_service.core.scoreboard import read_scoreboard
from whatnext_service.core.training_types import wanted_examples


@pytest.mark.parametrize(("method", "least", "most"), [("sft", 50, 5000), ("dpo", 500, 5000), ("rft", 200, 2000)])
def test_how_much_data_each_type_wants(method, least, most):
    assert wanted_examples(method) == (least, most)


@pytest.mark.parametrize(
    ("method", "n_examples", "tried"),
    [("dpo", 499, False), ("dpo", 500, True), ("rft", 199, False), ("rft", 200, True)],
)
def test_another_type_is_tried_on_the_data_it_wants_only(method, n_examples, tried):
    state = a_state(
        runs=(a_run(),),
        evaluations=(an_evaluation(7.0, run=1),),
        versions=(a_version(), a_version(2, n_examples, method=method)),
        catalogue=(a_model(methods=("sft", "dpo", "rft")),),
    )
    board = read_scoreboard(state)
    found = standings(board)
    assert (method in {move.to_value for move in moves(board, found, incumbent(found))}) is tried
