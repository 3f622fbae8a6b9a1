"""Every route under /v1 wants a key that has the scope, and tells nothing to one that has not."""

import hashlib

import httpx
import pytest
from tests.api.conftest import connect
from tests.api.driving import ok, refused

from whatnext_service.api.application import Application
from whatnext_service.store.db import Pool


def routes(app: Application) -> list[tuple[str, str]]:
    return sorted(
        (method, str(handler.path_template if hasattr(handler, "path_template") else route.path_format))
        for route in app.routes
        for handler in getattr(route, "route_handlers", ())
        if route.path.startswith("/v1")
        for method in handler.http_methods
        if method != "OPTIONS"
    )


async def test_every_route_wants_a_key(app: Application, anonymous: httpx.AsyncClient) -> None:
    found = routes(app)
    assert len(found) > 40
    for method, path in found:
        response = await anonymous.request(method, path.replace("{", "").replace("}", ""))
        refused(response, 401, "unauthorized")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer wn_", "Basic d25fOng=", "wn_abc", "Bearer sk-123", "Bearer wn_" + "x" * 5000],
)
async def test_a_wrong_key_is_refused(anonymous: httpx.AsyncClient, header: str) -> None:
    refused(await anonymous.get("/v1/loops", headers={"Authorization": header}), 401, "unauthorized")


async def test_the_scheme_is_case_insensitive(api: httpx.AsyncClient) -> None:
    header = api.headers["authorization"].replace("Bearer", "bearer")
    ok(await api.get("/v1/loops", headers={"Authorization": header}), 200)


async def test_a_revoked_key_is_refused_from_the_next_request_on(app: Application, api: httpx.AsyncClient) -> None:
    made = ok(await api.post("/v1/keys", json={"name": "short-lived"}), 201)
    async with connect(app, made["secret"]) as holder:
        ok(await holder.get("/v1/loops"), 200)
        revoked = ok(await api.delete(f"/v1/keys/{made['key']['id']}"), 200)
        assert revoked["revoked_at"] is not None
        refused(await holder.get("/v1/loops"), 401, "unauthorized")
    assert ok(await api.delete(f"/v1/keys/{made['key']['id']}"), 200) == revoked


async def test_only_the_digest_of_a_key_is_kept(api: httpx.AsyncClient, pool: Pool) -> None:
    made = ok(await api.post("/v1/keys", json={"name": "k", "scopes": ["read"]}), 201)
    secret = made["secret"]
    row = await pool.fetchrow("select * from api_key where id = $1", made["key"]["id"])
    assert row is not None
    assert row["sha256"] == hashlib.sha256(secret.encode()).digest()
    assert all(secret not in str(value) for value in row.values())
    assert made["key"]["hint"] == secret[-4:]
    assert "secret" not in ok(await api.get(f"/v1/keys/{made['key']['id']}"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/loops"),
        ("PATCH", "/v1/loops/letters"),
        ("POST", "/v1/datasets"),
        ("POST", "/v1/runs"),
        ("PUT", "/v1/recommendations/rec_1/decision"),
        ("DELETE", "/v1/deployments/dep_1"),
        ("POST", "/v1/diagnoses"),
    ],
)
async def test_a_key_to_read_changes_nothing(reader: httpx.AsyncClient, method: str, path: str) -> None:
    refused(await reader.request(method, path, json={"slug": "a", "task": "x"}), 403, "forbidden")


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/keys"), ("POST", "/v1/keys"), ("DELETE", "/v1/keys/key_1")])
async def test_keys_are_for_admins(writer: httpx.AsyncClient, method: str, path: str) -> None:
    refused(await writer.request(method, path, json={"name": "a"}), 403, "forbidden")


async def test_a_key_to_write_also_reads(writer: httpx.AsyncClient) -> None:
    ok(await writer.get("/v1/loops"), 200)
    ok(await writer.post("/v1/loops", json={"slug": "a", "task": "x"}), 201)


async def test_scopes_are_known_words(api: httpx.AsyncClient) -> None:
    refused(await api.post("/v1/keys", json={"name": "a", "scopes": ["root"]}), 400, "invalid_body", "/scopes/0")
    refused(await api.post("/v1/keys", json={"name": "a", "scopes": []}), 400, "invalid_body", "/scopes")
