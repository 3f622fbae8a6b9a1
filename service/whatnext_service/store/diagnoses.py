"""Diagnoses: the same evidence gives the same diagnosis, stored once."""

from collections.abc import Sequence

import msgspec

from whatnext_service.contract.advice import Diagnosis
from whatnext_service.contract.common import Page
from whatnext_service.store import rows
from whatnext_service.store.db import Conn
from whatnext_service.store.queries import load

sql = load(__file__)

_decoder = msgspec.json.Decoder(Diagnosis)


async def keep_diagnosis(conn: Conn, workspace_id: str, diagnosis: Diagnosis) -> Diagnosis:
    """Store a diagnosis, or return the one that rests on the same evidence."""
    inserted = await conn.fetchval(
        sql.keep_diagnosis,
        diagnosis.id,
        workspace_id,
        diagnosis.loop_id,
        diagnosis.run_id,
        diagnosis.fingerprint,
        rows.encode(diagnosis),
        diagnosis.created_at,
    )
    if inserted is not None:
        return diagnosis
    return _decoder.decode(await conn.fetchval(sql.diagnosis_of, diagnosis.run_id, diagnosis.fingerprint))


async def get_diagnosis(conn: Conn, workspace_id: str, diagnosis_id: str) -> Diagnosis | None:
    body = await conn.fetchval(sql.get_diagnosis, workspace_id, diagnosis_id)
    return _decoder.decode(body) if body else None


async def list_diagnoses(
    conn: Conn,
    workspace_id: str,
    cursor: str | None,
    limit: int,
    *,
    loop_ids: Sequence[str] | None,
    run_ids: Sequence[str] | None,
) -> Page[Diagnosis]:
    found = await conn.fetch(sql.list_diagnoses, workspace_id, cursor, limit, loop_ids, run_ids)
    data = tuple(_decoder.decode(row["body"]) for row in found[:limit])
    return Page(data=data, next_cursor=found[limit - 1]["id"] if len(found) > limit else None)
