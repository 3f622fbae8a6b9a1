from pathlib import Path

import pytest

from whatnext_service.sandbox.state import FolderInUse, State
from whatnext_service.sandbox.wire import Model


def model(name: str) -> Model:
    return Model(id=name, created=0, owned_by="test")


@pytest.fixture
def state(tmp_path: Path):
    state = State(tmp_path)
    yield state
    state.close()


def test_a_folder_has_one_server_at_a_time(state: State, tmp_path: Path) -> None:
    with pytest.raises(FolderInUse):
        State(tmp_path, wait_s=0)
    state.close()
    State(tmp_path, wait_s=0).close()


def test_objects_are_walked_in_both_orders_from_behind_a_place(state: State) -> None:
    for name in "abcd":
        state.put("model", name, model(name))
    state.put("model", "b", model("b2"))
    state.put("other", "x", model("x"))

    def names(**place) -> list[str]:
        return [found.id for found in state.walk("model", Model, **place)]

    assert names() == ["d", "c", "b2", "a"]
    assert names(after="c") == ["b2", "a"]
    assert names(after="b", newest_first=False) == ["c", "d"]
    assert names(after="unknown") == []


def test_a_failed_transaction_leaves_nothing(state: State) -> None:
    def fail() -> None:
        with state.transaction():
            state.put("model", "a", model("a"))
            state.count("jobs")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert state.get("model", "a", Model) is None
    assert state.ledger().jobs_created == 0
