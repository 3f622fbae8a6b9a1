# Generated from _async/pages.py; do not edit.
# ruff: noqa
"""Lists that fetch their next page by themselves."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

import httpx

T = TypeVar("T")


class Page(Generic[T]):
    """One page of a list, newest first; iterating it walks this page and every one after it."""

    def __init__(
        self,
        data: list[T],
        next_cursor: str | None,
        response: httpx.Response,
        fetch: Callable[[str | None], "Page[T]"],
    ) -> None:
        self.data = data
        self.next_cursor = next_cursor
        """Pass as `cursor` for the next page; null at the end."""
        self.response = response
        self._fetch = fetch

    def next_page(self) -> "Page[T] | None":
        """The page after this one; null at the end."""
        return None if self.next_cursor is None else self._fetch(self.next_cursor)

    def __iter__(self) -> Iterator[T]:
        page: Page[T] | None = self
        while page is not None:
            for each in page.data:
                yield each
            page = page.next_page()

    def __repr__(self) -> str:
        return f"<page of {len(self.data)}{', more to come' if self.next_cursor else ''}>"


class Pager(Generic[T]):
    """A list that was asked for and is fetched as it is walked.

    Iterate it for every item, `pages()` for page after page, `first_page()` for one.
    """

    def __init__(self, name: str, fetch: Callable[[str | None], Page[T]]) -> None:
        self._name = name
        self._fetch = fetch
        self._first: Page[T] | None = None

    def first_page(self) -> Page[T]:
        """The first page, fetched once."""
        if self._first is None:
            self._first = self._fetch(None)
        return self._first

    def pages(self) -> Iterator[Page[T]]:
        """One page after the other."""
        page: Page[T] | None = self.first_page()
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            for each in page.data:
                yield each

    def __repr__(self) -> str:
        return f"<{self._name}: iterate it for every item, or take its pages()>"

    @property
    def data(self) -> list[T]:
        """The first page's items."""
        return self.first_page().data

    @property
    def next_cursor(self) -> str | None:
        """The first page's cursor."""
        return self.first_page().next_cursor
