"""The one refusal of a file that is no training record."""

from typing import NoReturn

from whatnext_service.errors import DomainError


def malformed(detail: str) -> NoReturn:
    """Refuse the file: `detail` says what is wrong and, where it is known, in which line and column."""
    raise DomainError("malformed_result_file", detail)
