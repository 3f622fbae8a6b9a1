"""A client's settings, and where they come from."""

import platform
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import msgspec

from whatnext.errors import ConfigurationError

VERSION = "0.1.0"
DEFAULT_BASE_URL = "http://127.0.0.1:8321"
HTTPX_TIMEOUT = httpx.Timeout(5.0)
"""What an httpx client has where nobody chose."""
DEFAULT_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
UPLOAD_TIMEOUT = httpx.Timeout(600.0, connect=5.0)
DEFAULT_MAX_RETRIES = 2
USER_AGENT = f"whatnext-python/{VERSION} python/{platform.python_version()} {platform.system().lower()}"

Timeout = float | httpx.Timeout | None


class Secret(msgspec.Struct, frozen=True):
    """A string that does not show itself."""

    value: str

    def __repr__(self) -> str:
        return "Secret('***')"


class Config(msgspec.Struct, kw_only=True, frozen=True):
    """How a client talks to the service."""

    api_key: Secret
    base_url: str
    """Without a slash at the end."""
    timeout: Timeout
    timeout_given: bool
    max_retries: int
    headers: dict[str, str]
    """Sent with every request, beside the client's own."""
    spool_dir: Path
    """Where logged metrics wait until the service has them."""


def make_config(
    environment: Mapping[str, str],
    *,
    api_key: str | None,
    base_url: str | None,
    timeout: Timeout | msgspec.UnsetType,
    max_retries: int,
    headers: Mapping[str, str] | None,
    spool_dir: str | Path | None,
) -> Config:
    """A client's settings from its arguments and, for what is missing, the environment."""
    url = checked_url(base_url if base_url is not None else environment.get("WHATNEXT_BASE_URL") or DEFAULT_BASE_URL)
    key = (api_key if api_key is not None else environment.get("WHATNEXT_API_KEY", "")).strip()
    if not key:
        raise ConfigurationError("no API key: pass `api_key` or set WHATNEXT_API_KEY")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise ConfigurationError("the API key holds characters that no key has")
    if max_retries < 0:
        raise ConfigurationError("max_retries is at least 0")
    given = not isinstance(timeout, msgspec.UnsetType)
    return Config(
        api_key=Secret(key),
        base_url=url,
        timeout=DEFAULT_TIMEOUT if isinstance(timeout, msgspec.UnsetType) else timeout,
        timeout_given=given,
        max_retries=max_retries,
        headers=dict(headers or {}),
        spool_dir=Path(spool_dir) if spool_dir is not None else _default_spool(environment),
    )


def longer(timeout: Timeout, seconds: float) -> Timeout:
    """A timeout that allows for an answer held back so long."""
    if timeout is None:
        return None
    known = timeout if isinstance(timeout, httpx.Timeout) else httpx.Timeout(timeout)
    read = None if known.read is None else known.read + seconds
    return httpx.Timeout(connect=known.connect, read=read, write=known.write, pool=known.pool)


def checked_url(url: str) -> str:
    """A base URL without a slash at its end; ConfigurationError for what is none."""
    try:
        parts = urlsplit(url.strip())
        fits = parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment
        known = parts.port
    except ValueError:
        fits, known = False, None
    if not fits or known == 0:
        raise ConfigurationError(f"the base URL must look like https://host[:port][/path], not {url!r}")
    return url.strip().rstrip("/")


def _default_spool(environment: Mapping[str, str]) -> Path:
    state = environment.get("XDG_STATE_HOME")
    home = environment.get("HOME") or environment.get("USERPROFILE") or "."
    return (Path(state) if state else Path(home) / ".local" / "state") / "whatnext" / "spool"
