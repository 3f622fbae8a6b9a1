"""The experiment table on the wire."""

from whatnext_service.contract.common import Resource
from whatnext_service.core.history import HistoryRow


class History(Resource, kw_only=True, frozen=True):
    """The experiment table: one row a run, in order of number."""

    loop_id: str
    state_version: int
    rows: tuple[HistoryRow, ...]
