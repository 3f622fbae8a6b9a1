from pathlib import Path

import pytest

from whatnext_service.store.queries import Queries, load


def write(folder: Path, text: str) -> Path:
    path = folder / "noun.sql"
    path.write_text(text)
    return path


def test_load_reads_the_file_beside_the_module(tmp_path: Path) -> None:
    write(tmp_path, "-- About nouns.\n\n-- name: get\nselect 1\n  where $1;\n\n-- name: put\n-- why\nselect 2\n")
    sql = load(str(tmp_path / "noun.py"))
    assert sql.get == "select 1\n  where $1;"
    assert dict(sql) == {"get": "select 1\n  where $1;", "put": "-- why\nselect 2"}


def test_a_name_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(AttributeError, match=r"noun\.sql has no query called gone"):
        _ = Queries(write(tmp_path, "-- name: get\nselect 1")).gone


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-- name: get\nselect 1\n-- name: get\nselect 2", "two queries are called get"),
        ("-- name: get\n\n-- name: put\nselect 2", "get is empty"),
        ("-- name: get-run\nselect 1", "not a query's name: 'get-run'"),
        ("-- name:\nselect 1", "not a query's name: ''"),
        ("-- name: _hidden\nselect 1", "not a query's name: '_hidden'"),
        ("select 1\n-- name: get\nselect 1", "SQL before the first"),
    ],
)
def test_a_faulty_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Queries(write(tmp_path, text))
