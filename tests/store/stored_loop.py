"""A loop's state written straight into the tables, as the service would have written it in the course of the loop."""

from collections.abc import Mapping, Sequence

import msgspec

from whatnext_service.core.state import LoopState
from whatnext_service.store import rows
from whatnext_service.store.db import Conn


async def store_loop(conn: Conn, workspace_id: str, state: LoopState) -> None:
    """Write a state's loop, dataset versions, runs, suites, evaluations and deployments.

    Versions that are not the training dataset's, for validation or of a suite's items, are left out.
    """
    here = {"workspace_id": workspace_id, "created_at": state.as_of, "updated_at": state.as_of}
    in_loop = {**here, "loop_id": state.loop.id}
    in_dataset = {**here, "dataset_id": state.loop.dataset_id}
    if state.loop.dataset_id is not None:
        await _insert(conn, "dataset", [{**here, "id": state.loop.dataset_id, "name": "train"}])
    digests = {each.id: each.sha256.encode().ljust(32)[:32] for each in state.versions}
    await _insert(conn, "blob", [{**here, "sha256": digest, "n_bytes": 0} for digest in digests.values()])
    content = {"n_bytes": 0, "format": "messages", "warnings": {}, "row_hashes": b"", "prompt_hashes": b""}
    await _insert(
        conn,
        "dataset_version",
        [{**in_dataset, **_fields(each), **content, "sha256": digests[each.id]} for each in state.versions],
    )
    standing = {"baseline_id": state.baseline_id, "state_version": state.version, "state_changed_at": state.as_of}
    loop = {**here, **_fields(state.loop), **standing, "validation_version_id": None}
    await _insert(conn, "loop", [{**loop, "last_run_number": len(state.runs)}])
    await _insert(conn, "run", [{**in_loop, **_fields(each), "changed": ()} for each in state.runs])
    await _insert(
        conn,
        "checkpoint",
        [{**here, **_fields(point), "run_id": run.id} for run in state.runs for point in run.checkpoints],
    )
    instrument = {"graders": [], "sampling": {}, "scale": {}, "prompt_hashes": b"", "dataset_version_id": None}
    await _insert(
        conn,
        "eval_suite",
        [
            {**in_loop, **_fields(each), **instrument, "name": each.id, "is_binary": each.binary}
            for each in state.suites
        ],
    )
    await _insert(conn, "evaluation", [{**in_loop, **_fields(each)} for each in state.evaluations])
    served = {"provider": "openai", "model": "served"}
    await _insert(conn, "deployment", [{**in_loop, **_fields(each), **served} for each in state.deployments])


def _fields(struct: msgspec.Struct) -> dict[str, object]:
    return msgspec.structs.asdict(struct)


async def _insert(conn: Conn, table: str, records: Sequence[Mapping[str, object]]) -> None:
    """Insert what the table has columns for; Postgres makes arrays, documents and bytes of what JSON holds."""
    if not records:
        return
    columns = await conn.fetch("select column_name from information_schema.columns where table_name = $1", table)
    names = ", ".join(row["column_name"] for row in columns if row["column_name"] in records[0])
    document = [{name: _bytea(value) for name, value in record.items()} for record in records]
    await conn.execute(
        f"insert into {table} ({names}) select {names} from jsonb_populate_recordset(null::{table}, $1)",
        rows.encode(document),
    )


def _bytea(value: object) -> object:
    return f"\\x{value.hex()}" if isinstance(value, bytes) else value
