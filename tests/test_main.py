"""What a start that cannot succeed says: one line, and an exit code other than 0."""

import gc
import sys

import pytest

from whatnext_service.__main__ import main

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def refusal(monkeypatch: pytest.MonkeyPatch, command: str, **environment: str) -> str:
    """The line a command ends with; whatever else it says fails the test."""
    monkeypatch.setattr(sys, "argv", ["whatnext-service", command])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main()
    gc.collect()
    assert isinstance(ended.value.code, str), "a text is printed, and the exit code is 1"
    return ended.value.code


@pytest.mark.parametrize("command", ["serve", "worker", "keys"])
def test_a_database_without_the_schema_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], empty_dsn: str, command: str
) -> None:
    told = refusal(monkeypatch, command, DATABASE_URL=empty_dsn, WHATNEXT_PORT="0")
    assert told.startswith("whatnext-service: the database is not migrated")
    assert "run `whatnext-service migrate`" in told
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("command", ["serve", "worker", "keys", "migrate"])
@pytest.mark.parametrize("dsn", [NOWHERE, "nonsense", "postgresql://host:port/x"])
def test_a_database_that_cannot_be_used_is_told(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str, dsn: str
) -> None:
    told = refusal(monkeypatch, command, DATABASE_URL=dsn)
    assert told.startswith("whatnext-service: cannot use the database: ")
    assert capfd.readouterr() == ("", "")


def test_a_wrong_setting_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "WHATNEXT_PGBOUNCER needs" in refusal(monkeypatch, "serve", WHATNEXT_PGBOUNCER="true")
