"""Every example in a docstring runs, against a service that answers with examples."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import whatnext
from whatnext import models
from whatnext.testing import FakeService, answer, example


def modules() -> list[str]:
    found = [each.name for each in pkgutil.walk_packages(whatnext.__path__, "whatnext.")]
    return ["whatnext", *(name for name in found if not name.endswith("__main__"))]


EXAMPLES = [
    pytest.param(test, id=test.name)
    for name in modules()
    if "._async." not in name and name != "whatnext.aio"
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name))
    if test.examples
]


def scripted() -> FakeService:
    """A loop that needs one run, which succeeds, and then ships."""
    fake = FakeService()
    body = {"loop_id": "loop_1", "parent_run_id": "run_1", "overrides": {"learning_rate_multiplier": 0.5}}
    request = models.Request(method="POST", path="/v1/runs", body=body)
    fake.on("loops.next", answer(request=request), answer("ship", "Ship R2.", state_version=2))
    fake.on("runs.get", example(models.Run, status="succeeded"))
    fake.on("evaluations.get", example(models.Evaluation, status="succeeded"))
    return fake


@pytest.mark.parametrize("test", EXAMPLES)
def test_example_runs(test: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rows.jsonl").write_text('{"messages": []}\n')
    Path("trainer_state.json").write_text('{"log_history": []}')
    fake = scripted()
    fakes = fake.client(spool_dir=tmp_path)
    monkeypatch.setattr(whatnext, "Client", lambda *_, **__: fakes)
    test.globs = {**test.globs, "whatnext": whatnext, "client": fakes, "fake": fake}
    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL).run(
        test, out=said.append
    )
    fakes.close()
    assert result.failed == 0, "".join(said)


def test_there_are_examples_for_every_operation() -> None:
    named = {each.values[0].name for each in EXAMPLES}  # type: ignore[union-attr]
    classes = {name: getattr(getattr(whatnext.Client, name), "func", None) for name in dir(whatnext.Client)}
    missing = [
        each.name
        for each in whatnext.Client.operations
        if f"whatnext.sync.{classes[each.name.split('.')[0]].__annotations__['return']}.{each.name.split('.')[1]}"
        not in named
    ]
    assert missing == []
