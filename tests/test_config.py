"""Settings from an environment: a wrong one is named, and no secret shows itself."""

from pathlib import Path

import pytest

from whatnext_service.app import judges_platform
from whatnext_service.config import Secret, Settings, SettingsError, read_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read_settings({}) == Settings()
    assert read_settings({"PATH": "/bin", "WHATNEXT_API_KEY": "wn_x", "WHATNEXT_PORT": ""}) == Settings()


def test_texts_become_what_they_stand_for() -> None:
    read = read_settings({"WHATNEXT_PORT": "80", "WHATNEXT_DATA_DIR": "/x", "WHATNEXT_RATE_LIMIT_PER_S": "2.5"})
    assert (read.port, read.data_dir, read.rate_limit_per_s) == (80, Path("/x"), 2.5)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("WHATNEXT_PORT", "http"),
        ("WHATNEXT_PORT", "70000"),
        ("WHATNEXT_POOL_SIZE", "0"),
        ("WHATNEXT_LOG_LEVEL", "loud"),
        ("WHATNEXT_PGBOUNCER", "perhaps"),
        ("WHATNEXT_POOLSIZE", "5"),
    ],
)
def test_a_wrong_value_or_name_is_refused_by_name(variable: str, text: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings({variable: text})


def test_a_pooler_needs_the_way_past_it() -> None:
    with pytest.raises(SettingsError, match="WHATNEXT_PGBOUNCER needs WHATNEXT_DIRECT_DATABASE_URL"):
        read_settings({"WHATNEXT_PGBOUNCER": "true", "DATABASE_URL": "postgresql://pooler/x"})
    read = read_settings({"WHATNEXT_PGBOUNCER": "true", "WHATNEXT_DIRECT_DATABASE_URL": "postgresql://db/x"})
    assert read.pgbouncer


def test_secrets_do_not_show_themselves() -> None:
    secret = "sesame"
    names = ("DATABASE_URL", "WHATNEXT_DIRECT_DATABASE_URL", "WHATNEXT_OPENAI_API_KEY", "WHATNEXT_JUDGE_API_KEY")
    assert secret not in repr(read_settings(dict.fromkeys(names, secret)))


def test_openai_s_key_goes_to_openai_alone() -> None:
    ours = Settings(openai_api_key=Secret("sk-ours"))
    assert judges_platform(ours).api_key == "sk-ours"
    elsewhere = judges_platform(Settings(openai_api_key=Secret("sk-ours"), judge_base_url="http://judge.example/v1"))
    assert (elsewhere.base_url, elsewhere.api_key) == ("http://judge.example/v1", "")
