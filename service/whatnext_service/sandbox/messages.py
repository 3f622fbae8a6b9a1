"""Chat messages and training examples, as they come in JSONL files and chat requests."""

from collections.abc import Iterator
from typing import Annotated

import msgspec
from msgspec import Meta


class Message(msgspec.Struct, kw_only=True, frozen=True):
    """One message, reduced to what the models read."""

    role: str
    text: str
    weight: float = 1.0
    """0 keeps an assistant message out of training."""


class Example(msgspec.Struct, kw_only=True, frozen=True):
    """One answer to learn, and the messages before it."""

    prompt: tuple[Message, ...]
    answer: str


class Part(msgspec.Struct, kw_only=True, frozen=True):
    type: str
    text: str = ""


class RawMessage(msgspec.Struct, kw_only=True, frozen=True):
    """A message as the wire has it; further fields are tolerated."""

    role: Annotated[str, Meta(min_length=1)]
    content: str | list[Part] | None = None
    tool_calls: msgspec.Raw = msgspec.Raw()
    weight: float | None = None


class RawExample(msgspec.Struct, kw_only=True, frozen=True):
    messages: Annotated[list[RawMessage], Meta(min_length=1)]


class BadFile(Exception):
    """A training file that cannot be used; the message names the line."""


_decoder = msgspec.json.Decoder(RawExample)


def read_message(raw: RawMessage) -> Message:
    """Content parts are joined; tool calls stand for a missing content, as their JSON text."""
    if isinstance(raw.content, str):
        text = raw.content
    elif raw.content is not None:
        text = "".join(part.text for part in raw.content)
    else:
        text = bytes(raw.tool_calls).decode().removeprefix("null")
    return Message(role=raw.role, text=text, weight=1.0 if raw.weight is None else raw.weight)


def _examples(raw: RawExample) -> Iterator[Example]:
    messages = tuple(read_message(message) for message in raw.messages)
    for index, message in enumerate(messages):
        if message.role == "assistant" and message.weight > 0:
            yield Example(prompt=messages[:index], answer=message.text)


def read_examples(data: bytes) -> tuple[list[Example], int]:
    """The answers to learn in a JSONL file, and the number of its lines; raises BadFile."""
    text = data.removeprefix(b"\xef\xbb\xbf")
    examples: list[Example] = []
    n_lines = 0
    for number, line in enumerate(text.split(b"\n"), start=1):
        if not line.strip():
            continue
        n_lines += 1
        try:
            raw = _decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise BadFile(f"Invalid file format. Line {number}: {error}") from None
        if raw.messages[-1].role != "assistant":
            raise BadFile(f"Invalid file format. Example {n_lines}, line {number}: last message must be from assistant")
        examples.extend(_examples(raw))
    if not n_lines:
        raise BadFile("Invalid file format. The file has no examples")
    return examples, n_lines
