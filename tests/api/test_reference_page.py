"""The reference page."""

import re
from html.parser import HTMLParser

import httpx
import pytest
from tests.api.test_openapi import COMMITTED

VOID = {"meta", "br", "link", "img", "hr", "input"}


class Page(HTMLParser):
    """Ids, links and the balance of tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.ids += [value for name, value in attrs if name == "id" and value]
        self.links += [value for name in ("href", "src") if (value := found.get(name))]
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open[-1] == "p" and tag != "p":
            self.open.pop()
        assert self.open.pop() == tag


@pytest.fixture
async def text(anonymous: httpx.AsyncClient) -> str:
    response = await anonymous.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    return response.text


async def test_the_page_needs_neither_network_nor_script(text: str) -> None:
    page = Page(text)
    assert not page.open
    assert not page.tags & {"script", "link", "img", "iframe", "form"}
    assert {link for link in page.links if not link.startswith("#")} == {"/openapi.json"}
    assert "url(" not in text
    assert "@import" not in text


async def test_every_operation_and_schema_has_its_place_and_every_link_leads_somewhere(text: str) -> None:
    page = Page(text)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    for item in COMMITTED["paths"].values():
        for operation in item.values():
            assert operation["operationId"] in page.ids
    assert {name for name in COMMITTED["components"]["schemas"] if not name.endswith("Page")} <= set(page.ids)


async def test_what_the_document_holds_is_shown_as_text(text: str) -> None:
    assert "{{" not in re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)
    assert "&lt;code&gt;" in text
    assert '"headline":' in text.replace("&#34;", '"')
