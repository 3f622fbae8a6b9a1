"""What the READMEs tell newcomers to type works as it stands."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.sdk.conftest import make_key

import whatnext
from whatnext import models
from whatnext.testing import FakeService, answer, example
from whatnext_service.app import create_app
from whatnext_service.config import Settings

ROOT = Path(__file__).resolve().parents[2]


def blocks(readme: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / readme).read_text(encoding="utf-8"), flags=re.DOTALL)


def write_files() -> None:
    for name, n in (("training", 60), ("held-out", 30)):
        lines = (
            {
                "messages": [
                    {"role": "user", "content": f"Where is {name} parcel {at}?"},
                    {"role": "assistant", "content": f"desk {at % 3}"},
                ]
            }
            for at in range(n)
        )
        Path(f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def scripted() -> FakeService:
    fake = FakeService()
    request = models.Request(method="POST", path="/v1/runs", body={})
    action = example(models.Action, kind="wait", subject_id="run_1", recommendation_id="rec_2")
    wait = example(models.Answer, headline="Wait.", action=action, state_version=2)
    fake.on("loops.next", answer(request=request), wait, answer("ship", "Ship R2.", state_version=3))
    fake.on("runs.get", example(models.Run, status="succeeded"))
    return fake


def test_the_packages_start_makes_a_loop_that_has_advice(
    process_dsn: str, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files()
    application = create_app(Settings(data_dir=tmp_path, log_level="error"), process_dsn, with_worker=False)
    with TestClient(app=application) as http, http.portal() as portal:
        monkeypatch.setenv("WHATNEXT_API_KEY", portal.call(make_key, application))
        monkeypatch.setenv("WHATNEXT_BASE_URL", "http://service")
        real = whatnext.Client
        monkeypatch.setattr(whatnext, "Client", lambda: real(http_client=http, spool_dir=tmp_path))
        names: dict[str, Any] = {}
        exec(blocks("sdk/README.md")[0], names)
        advice = names["loop"].next()
    assert advice.action.kind in ("record_baseline", "fix_data")
    assert advice.action.request is not None


@pytest.mark.parametrize(("readme", "block"), [("sdk/README.md", 1), ("README.md", 0)])
def test_a_loop_is_followed_as_the_readme_says(
    readme: str, block: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client = scripted().client()
    monkeypatch.setattr(whatnext, "Client", lambda: client)
    exec(blocks(readme)[block], {"loop": client.loops.get("support-bot")})
    assert "Ship R2." in capsys.readouterr().out


def test_what_the_packages_readme_names_exists() -> None:
    text = (ROOT / "sdk/README.md").read_text(encoding="utf-8")
    client = FakeService().client()
    for chain in set(re.findall(r"client\.([a-z_.]+)", text)):
        found: Any = client
        for name in chain.rstrip(".").split("."):
            found = getattr(found, name)
