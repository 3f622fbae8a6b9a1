"""Keys that `whatnext login` keeps: one for each service, readable by their owner only."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from whatnext._config import DEFAULT_BASE_URL, checked_url
from whatnext.errors import ConfigurationError


class Credentials(msgspec.Struct, kw_only=True, frozen=True):
    """The kept keys by base URL, and the service that was logged in to last."""

    default: str = DEFAULT_BASE_URL
    keys: dict[str, str] = {}


def credentials_path(environment: Mapping[str, str]) -> Path:
    """Where they are kept."""
    folder = environment.get("XDG_CONFIG_HOME")
    home = environment.get("HOME") or environment.get("USERPROFILE") or "."
    return (Path(folder) if folder else Path(home) / ".config") / "whatnext" / "credentials.json"


def read_credentials(environment: Mapping[str, str]) -> Credentials:
    """What is kept; nothing where there is no file."""
    path = credentials_path(environment)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Credentials)
    except FileNotFoundError:
        return Credentials()
    except msgspec.MsgspecError as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None


def keep_key(environment: Mapping[str, str], base_url: str, key: str) -> Path:
    """Keep a key, and make its service the default."""
    path = credentials_path(environment)
    kept = Credentials(default=base_url, keys=read_credentials(environment).keys | {base_url: key})
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_suffix(".partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(msgspec.json.encode(kept))
    return partial.replace(path)


def connection(environment: Mapping[str, str], base_url: str | None) -> tuple[str, str | None]:
    """The service to talk to and its key; a kept key is never used for another service."""
    kept = read_credentials(environment)
    url = checked_url(base_url or environment.get("WHATNEXT_BASE_URL") or kept.default)
    return url, environment.get("WHATNEXT_API_KEY") or kept.keys.get(url)
