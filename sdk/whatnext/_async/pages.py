"""Lists that fetch their next page by themselves."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from typing import Any, Generic, TypeVar

import httpx

T = TypeVar("T")


class AsyncPage(Generic[T]):
    """One page of a list, newest first; iterating it walks this page and every one after it."""

    def __init__(
        self,
        data: list[T],
        next_cursor: str | None,
        response: httpx.Response,
        fetch: Callable[[str | None], Awaitable["AsyncPage[T]"]],
    ) -> None:
        self.data = data
        self.next_cursor = next_cursor
        """Pass as `cursor` for the next page; null at the end."""
        self.response = response
        self._fetch = fetch

    async def next_page(self) -> "AsyncPage[T] | None":
        """The page after this one; null at the end."""
        return None if self.next_cursor is None else await self._fetch(self.next_cursor)

    async def __aiter__(self) -> AsyncIterator[T]:
        page: AsyncPage[T] | None = self
        while page is not None:
            for each in page.data:
                yield each
            page = await page.next_page()

    def __repr__(self) -> str:
        return f"<page of {len(self.data)}{', more to come' if self.next_cursor else ''}>"


class AsyncPager(Generic[T]):
    """A list that was asked for and is fetched as it is walked.

    Iterate it for every item, `pages()` for page after page, `first_page()` for one.
    """

    def __init__(self, name: str, fetch: Callable[[str | None], Awaitable[AsyncPage[T]]]) -> None:
        self._name = name
        self._fetch = fetch
        self._first: AsyncPage[T] | None = None

    async def first_page(self) -> AsyncPage[T]:
        """The first page, fetched once."""
        if self._first is None:
            self._first = await self._fetch(None)
        return self._first

    async def pages(self) -> AsyncIterator[AsyncPage[T]]:
        """One page after the other."""
        page: AsyncPage[T] | None = await self.first_page()
        while page is not None:
            yield page
            page = await page.next_page()

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for each in page.data:
                yield each

    def __repr__(self) -> str:
        return f"<{self._name}: iterate it for every item, or take its pages()>"

    def __await__(self) -> Generator[Any, None, AsyncPage[T]]:  # async only
        return self.first_page().__await__()  # async only

    # sync only: @property
    # sync only: def data(self) -> list[T]:
    # sync only:     """The first page's items."""
    # sync only:     return self.first_page().data

    # sync only: @property
    # sync only: def next_cursor(self) -> str | None:
    # sync only:     """The first page's cursor."""
    # sync only:     return self.first_page().next_cursor
