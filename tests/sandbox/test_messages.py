import pytest

from whatnext_service.sandbox.messages import BadFile, read_examples
from whatnext_service.sandbox.tokens import tokens
from whatnext_service.sandbox.untuned import find_options

USER = '{"role": "user", "content": "hi"}'


def line(*messages: str) -> bytes:
    return b'{"messages": [' + ", ".join(messages).encode() + b"]}"


def test_every_assistant_message_of_weight_is_an_example() -> None:
    data = line(
        USER,
        '{"role": "assistant", "content": "a", "weight": 0}',
        USER,
        '{"role": "assistant", "content": "b", "name": "x"}',
    )
    examples, n_lines = read_examples(data)
    assert n_lines == 1
    assert [(len(example.prompt), example.answer) for example in examples] == [(3, "b")]


def test_bom_blank_lines_and_crlf_are_tolerated() -> None:
    good = line(USER, '{"role": "assistant", "content": "a"}')
    examples, n_lines = read_examples(b"\xef\xbb\xbf" + good + b"\r\n\r\n" + good)
    assert (len(examples), n_lines) == (2, 2)


def test_content_parts_are_joined_and_tool_calls_stand_for_a_missing_content() -> None:
    parts = '{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}'
    calls = '{"role": "assistant", "tool_calls": [{"id": 1}]}'
    examples, _ = read_examples(line(USER, parts) + b"\n" + line(USER, calls))
    assert [example.answer for example in examples] == ["ab", '[{"id": 1}]']


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"", "no examples"),
        (b"[1, 2]", "Line 2"),
        (b"{", "Line 2"),
        (b'{"messages": []}', "Line 2"),
        (b"\xff\xfe", "Line 2"),
        (line(USER), "must be from assistant"),
        (b'{"prompt": "a", "completion": "b"}', "Line 2"),
    ],
)
def test_a_bad_line_is_named(bad: bytes, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        read_examples(b"\n" + bad)


@pytest.mark.parametrize("text", ["a_label", "two words", "  spaced\n\nout ", "don't, stop: (now)!", "ünïcode 日本"])
def test_tokens_join_to_their_text(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_options_of_an_instruction_are_found() -> None:
    assert find_options("Classify it. One of: billing, delivery, 'returns'.") == ["billing", "delivery", "returns"]
    assert find_options("Choose:\n- red\n- green\n- blue") == ["red", "green", "blue"]
    assert find_options("Answer briefly, and politely.") == []
