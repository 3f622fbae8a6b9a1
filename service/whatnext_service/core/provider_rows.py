"""Dataset rows as training platforms want them: plain JSON Lines, chat messages only."""

from collections.abc import Collection, Mapping

from whatnext_service.core.conversion import convert_row
from whatnext_service.core.dataset_formats import read_row
from whatnext_service.core.dataset_lines import one_line

UNWANTED = frozenset({"bom", "crlf", "json_array", "legacy"})


def is_plain(traits: Collection[str], warning_counts: Mapping[str, int]) -> bool:
    """Whether a stored file can be sent to a platform as it is: one row a line, no byte-order mark, no blank lines."""
    return UNWANTED.isdisjoint(traits) and not warning_counts.get("blank_line")


def plain_row(raw: bytes) -> bytes:
    """One row on a line of its own; prompt and completion become messages, which is all that chat models take."""
    legacy = b'"completion"' in raw and read_row(raw).format == "legacy"
    return one_line(convert_row(raw, "sft") if legacy else raw)
