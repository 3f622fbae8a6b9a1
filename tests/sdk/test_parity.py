"""Both clients offer the same; each model can be imagined; nothing is loaded that is not used."""

import inspect
import subprocess
import sys
from typing import Any

import msgspec
import pytest

import whatnext
from whatnext import aio, models, sync
from whatnext.testing import example

TWINS = {"aclose": "close", "__aenter__": "__enter__", "__aexit__": "__exit__"}


def public(kind: type) -> dict[str, Any]:
    return {
        TWINS.get(name, name): member
        for name, member in inspect.getmembers(kind)
        if not name.startswith("_") or name in TWINS
    }


def classes(module: Any, prefix: str) -> dict[str, type]:
    return {
        name.removeprefix(prefix): each
        for name, each in inspect.getmembers(module, inspect.isclass)
        if each.__module__ == module.__name__ and name.startswith(prefix)
    }


@pytest.mark.parametrize("name", sorted(classes(sync, "")))
def test_a_class_has_a_twin_with_the_same_methods_and_parameters(name: str) -> None:
    one, other = public(classes(sync, "")[name]), public(classes(aio, "Async")[name])
    assert set(one) - {"__enter__", "__exit__"} == set(other) - {"__enter__", "__exit__"}
    for method, member in one.items():
        if inspect.isfunction(member):
            mine = [(each.name, each.kind) for each in inspect.signature(member).parameters.values()]
            theirs = [(each.name, each.kind) for each in inspect.signature(other[method]).parameters.values()]
            assert mine == theirs, method


def test_what_a_name_does_not_say_is_explained() -> None:
    told = inspect.getdoc(sync.Runs.create) or ""
    assert "\nArgs:\n    allow_confounded: Accept more than one change" in told
    assert "file: A path, the bytes" in (inspect.getdoc(sync.Datasets.upload_version) or "")
    source = inspect.getsource(models.Comparison)
    assert '    confidence: float\n    """Confidence of all `n_comparisons` intervals together."""' in source


def test_both_clients_have_the_same_operations() -> None:
    def told(client: type[whatnext.Client] | type[whatnext.AsyncClient]) -> list[tuple[str, str, str]]:
        return [(each.name, each.method, each.path) for each in client.operations]

    assert told(whatnext.Client) == told(whatnext.AsyncClient)
    assert len(told(whatnext.Client)) == len(set(told(whatnext.Client)))


@pytest.mark.parametrize(
    "kind", [each for _, each in inspect.getmembers(models, inspect.isclass) if each.__module__ == models.__name__]
)
def test_every_model_survives_the_wire(kind: type[msgspec.Struct]) -> None:
    made = example(kind)
    assert msgspec.json.decode(msgspec.json.encode(made), type=kind) == made
    assert msgspec.json.decode(msgspec.json.encode({**msgspec.to_builtins(made), "of_tomorrow": 1}), type=kind) == made


def test_what_is_sent_holds_only_what_was_given() -> None:
    assert whatnext.Overrides(n_epochs=1).to_dict() == {"n_epochs": 1}
    assert msgspec.json.encode(models.Scale(max=5.0)) == b'{"max":5.0}'


def test_an_example_refuses_a_field_that_is_none() -> None:
    with pytest.raises(TypeError, match="no field colour"):
        example(models.Run, colour="red")


def test_importing_it_loads_no_half_that_is_not_used() -> None:
    program = (
        "import sys; import whatnext; print([each for each in ('whatnext.aio', 'whatnext.testing', 'argparse', "
        "'transformers', 'whatnext_service') if each in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    with pytest.raises(AttributeError):
        _ = whatnext.NoSuchThing  # type: ignore[attr-defined]
    assert all(hasattr(whatnext, name) for name in whatnext.__all__)
    assert "AsyncClient" in dir(whatnext)
