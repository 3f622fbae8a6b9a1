"""A dataset version's bytes, as they were uploaded."""

from collections.abc import AsyncIterator

from whatnext_service.contract.datasets import DatasetVersion
from whatnext_service.flows.context import Services
from whatnext_service.store import blobs


def version_content(services: Services, workspace_id: str, version: DatasetVersion) -> AsyncIterator[bytes]:
    """The bytes, chunk by chunk."""
    return blobs.read_blob(services.pool, workspace_id, bytes.fromhex(version.sha256))
