"""A run's result file, as it came, into a curve (method 3, hazards, parsing)."""

import base64
import binascii
import re

import msgspec

from whatnext_service.core.curves import Curve
from whatnext_service.core.malformed import malformed
from whatnext_service.core.result_columns import curve_of
from whatnext_service.core.result_json import FileFormat, json_columns
from whatnext_service.core.result_tables import table_columns


class ParsedCurve(msgspec.Struct, kw_only=True, frozen=True):
    """What a result file held."""

    curve: Curve
    """Without series when the file is a training record in which nothing was logged yet."""
    format: FileFormat
    notes: tuple[str, ...]
    """What was repaired, renamed or left out, in words; empty for a clean file."""
    planned_steps: int | None
    """Steps the whole run was to take, where the file says so; a snapshot of a running job has fewer."""


def parse_result_file(body: bytes) -> ParsedCurve:
    """The curve in a result file of any known dialect; `malformed_result_file` for anything that is none.

    Tables (CSV and its relatives), a Hugging Face `trainer_state.json`, JSON lists of events, checkpoints or points,
    and JSON lines; UTF-8 or UTF-16, with or without a byte-order mark, plain or base64. Time is linear in the size.
    """
    notes: list[str] = []
    text = _unwrapped(_decoded(body, notes), notes)
    if not text.strip():
        malformed("the file is empty")
    if text.lstrip()[0] in "{[":
        read = json_columns(text, notes)
        columns, file_format, planned_steps = read.columns, read.format, read.planned_steps
    else:
        columns, file_format, planned_steps = table_columns(text, notes), "table", None
    curve = curve_of(columns, notes)
    return ParsedCurve(curve=curve, format=file_format, notes=tuple(notes), planned_steps=planned_steps)


def _decoded(body: bytes, notes: list[str]) -> str:
    """The body as text; a byte-order mark, also that of UTF-16, is undone."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        notes.append("UTF-16 text")
        text = body.decode("utf-16", errors="replace")
    else:
        text = body.decode("utf-8-sig", errors="replace")
    if "\x00" in text:
        malformed("the file is binary, no text")
    if "\ufffd" in text:
        notes.append("bytes that are no UTF-8 were replaced")
    return text


def _unwrapped(text: str, notes: list[str]) -> str:
    """The content of a base64 body; any other text as it is (hazards 1)."""
    packed = text.strip().strip('"')
    if len(packed) < 16 or re.fullmatch(r"[A-Za-z0-9+/\s]+={0,2}", packed) is None:
        return text
    try:
        body = base64.b64decode("".join(packed.split()), validate=True)
    except binascii.Error:
        malformed("the file looks like base64, and its length is wrong: it was cut off")
    notes.append("base64 decoded")
    return _decoded(body, notes)
