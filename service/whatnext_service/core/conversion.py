"""Converting a row from one training method's format to another's."""

from typing import assert_never

import msgspec

from whatnext_service.core.dataset_formats import read_row
from whatnext_service.core.dataset_rows import bare_legacy
from whatnext_service.core.loops import Method
from whatnext_service.errors import DomainError

REFERENCE = "reference_answer"
"""The field that a converted RFT row carries its answer in."""

Json = dict[str, object]


def convert_row(raw: bytes, to: Method, answer_field: str = REFERENCE) -> bytes:
    """Convert one row; a row that is in the format already comes back as it is.

    To SFT: the preferred output, the legacy completion, or the field `answer_field` of an RFT row becomes the answer.
    To RFT: the answer moves into `reference_answer`. To DPO: impossible, for no row knows a worse answer.
    Raises `conversion_impossible`.
    """
    reading = read_row(raw)
    row, value = reading.row, msgspec.json.decode(raw)
    if row is None or not isinstance(value, dict):
        raise DomainError("conversion_impossible", "The row cannot be read.")
    if row.method == to and reading.format != "legacy":
        return raw
    if to == "dpo":
        raise DomainError("conversion_impossible", "A preference needs a worse answer, which these rows do not have.")
    messages, answer = _conversation(value, answer_field)
    if to == "sft":
        converted: Json = {"messages": [*messages, *answer]}
    elif to == "rft":
        converted = {"messages": messages, REFERENCE: _text(answer)}
    else:
        assert_never(to)
    holder = value.get("input")
    for name in ("tools", "parallel_tool_calls"):
        for source in (value, holder):
            if isinstance(source, dict) and name in source:
                converted[name] = source[name]
    return msgspec.json.encode(converted)


def _conversation(value: Json, answer_field: str) -> tuple[list[object], list[object]]:
    prompt, completion = value.get("prompt"), value.get("completion")
    if isinstance(prompt, str) and isinstance(completion, str):
        question = {"role": "user", "content": bare_legacy(prompt)}
        return [question], [{"role": "assistant", "content": completion.strip()}]
    asked = value.get("input")
    if "preferred_output" in value and isinstance(asked, dict):
        return _list(asked["messages"]), _list(value["preferred_output"])
    messages = _list(value["messages"])
    last = messages[-1]
    if isinstance(last, dict) and last.get("role") == "assistant":
        return messages[:-1], [last]
    if answer_field not in value:
        raise DomainError("conversion_impossible", f"The row has no field `{answer_field[:60]}` with the answer.")
    given = value[answer_field]
    text = given if isinstance(given, str) else msgspec.json.encode(given).decode()
    return messages, [{"role": "assistant", "content": text}]


def _text(answer: list[object]) -> str:
    last = answer[-1] if answer else None
    content = last.get("content") if isinstance(last, dict) else None
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return " ".join(str(part["text"]) for part in content if isinstance(part, dict) and "text" in part)
    raise DomainError("conversion_impossible", "An answer that is a tool call has no text for a grader.")


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise DomainError("conversion_impossible", "The row cannot be read.")
    return value
