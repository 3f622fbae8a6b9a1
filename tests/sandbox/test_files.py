import openai
import pytest
from tests.sandbox.conftest import Connect
from tests.sandbox.driving import upload
from tests.sandbox.synthetic import make_rows, to_jsonl

from whatnext_service.sandbox.serving import Served

GOOD = to_jsonl(make_rows(12, seed=1))


async def test_a_good_file_is_processed_and_comes_back_as_it_was(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, GOOD, filename="train é.jsonl")
    assert (file.status, file.bytes, file.filename, file.purpose) == (
        "processed",
        len(GOOD),
        "train é.jsonl",
        "fine-tune",
    )
    assert (await client.files.content(file.id)).content == GOOD


async def test_a_bad_file_says_which_line(client: openai.AsyncOpenAI) -> None:
    file = await upload(client, GOOD + b'{"messages": 5}\n')
    assert file.status == "error"
    assert file.status_details is not None
    assert "Line 13" in file.status_details


async def test_files_are_listed_newest_first_filtered_and_paged(client: openai.AsyncOpenAI) -> None:
    made = [(await client.files.create(file=(f"{n}.txt", b"x"), purpose="user_data")).id for n in range(3)]
    first = await client.files.list(purpose="user_data", limit=2)
    assert [file.id for file in first.data] == made[:0:-1]
    assert first.has_more
    assert [file.id async for file in client.files.list(purpose="user_data", limit=2)] == made[::-1]
    assert [file.id async for file in client.files.list(purpose="user_data", order="asc", after=made[0])] == made[1:]
    assert made[0] not in [file.id async for file in client.files.list(purpose="fine-tune")]


async def test_a_deleted_file_is_gone(client: openai.AsyncOpenAI) -> None:
    file = await client.files.create(file=("x.txt", b"x"), purpose="user_data")
    assert (await client.files.delete(file.id)).deleted
    for call in (client.files.retrieve, client.files.content, client.files.delete):
        with pytest.raises(openai.NotFoundError):
            await call(file.id)


async def test_an_upload_without_file_or_with_a_strange_purpose_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.files.create(file=("x.txt", b"x"), purpose="fine-tune-results")  # type: ignore[arg-type]
    assert refused.value.param == "purpose"
    with pytest.raises(openai.BadRequestError) as refused:
        await client.post("/files", cast_to=object, body={"purpose": "fine-tune"})
    assert refused.value.param == "file"


async def test_a_wrong_or_missing_key_is_refused(shared: Served, connect: Connect) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        await connect(shared.base_url, "wrong").files.list()
    assert refused.value.code == "invalid_api_key"
    with pytest.raises(openai.AuthenticationError) as refused:
        await connect(shared.base_url, "x").files.list(extra_headers={"Authorization": openai.Omit()})
    assert refused.value.code == "missing_api_key"


async def test_an_unknown_address_answers_in_the_error_shape(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match=r"Invalid URL \(GET /v1/batches\)"):
        await client.batches.list()


async def test_a_limit_out_of_range_is_refused(client: openai.AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        await client.files.list(limit=0)
