"""Posting to a customer's URL without becoming a way into our own network.

The name is resolved here, every address is checked, and the connection goes to the very address that was checked: a
name that resolves to another address the second time gains nothing. Redirects are not followed.
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Iterable
from typing import Any, cast

import httpcore
import msgspec

from whatnext_service.errors import ProviderError

_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
MAX_ANSWER_BYTES = 64 * 1024
CONNECT_S, READ_S, TOTAL_S = 5.0, 15.0, 20.0


class Answered(msgspec.Struct, kw_only=True, frozen=True):
    """What the endpoint answered."""

    status_code: int


class WebhookPoster:
    """Posts to public addresses; to private ones only where the configuration allows it."""

    def __init__(self, *, allow_private: bool) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=50,
            keepalive_expiry=5.0,
            network_backend=_CheckedBackend(allow_private=allow_private),
        )

    async def post(self, url: str, headers: dict[str, str], body: bytes) -> Answered:
        """Post once. Raises `ProviderError`: `refused` for an address that may not be called, else why it failed."""
        timeouts = {"connect": CONNECT_S, "read": READ_S, "write": READ_S, "pool": CONNECT_S}
        try:
            async with (
                asyncio.timeout(TOTAL_S),
                self._pool.stream(
                    "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeouts}
                ) as response,
            ):
                n_read = 0
                async for chunk in response.aiter_stream():
                    n_read += len(chunk)
                    if n_read > MAX_ANSWER_BYTES:
                        break
                return Answered(status_code=response.status)
        except (TimeoutError, httpcore.TimeoutException) as error:
            raise ProviderError("timeout", "the endpoint did not answer in time", retryable=True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise ProviderError("unreachable", str(error)[:200] or type(error).__name__, retryable=True) from error
        except (httpcore.UnsupportedProtocol, ValueError, TypeError) as error:
            raise ProviderError("refused", "the URL cannot be called", retryable=False) from error

    async def close(self) -> None:
        await self._pool.aclose()


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked after resolution."""

    def __init__(self, *, allow_private: bool) -> None:
        self._inner = cast(httpcore.AsyncNetworkBackend, httpcore.AnyIOBackend())
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 -- the interface is the library's
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise httpcore.ConnectError(f"{host} cannot be resolved") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._allow_private and (private := [each for each in addresses if not is_public(each)]):
            raise ProviderError("refused", f"{host} is the private address {private[0]}", retryable=False, sent=False)
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 -- the interface is the library's
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise httpcore.ConnectError("unix sockets are not called")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet; an IPv4 address inside an IPv6 one counts as itself.

    Of IPv6 only 2000::/3 is public: what else there is (unique local, site local, mapped, translated) leads inside.
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
    if ip in _NAT64:
        inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(str(inner))
    return ip in _GLOBAL_UNICAST and ip.is_global
