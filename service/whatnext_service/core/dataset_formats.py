"""Recognising the format of a row and checking it: SFT, DPO, RFT, and the legacy prompt and completion."""

from typing import Literal

import msgspec

from whatnext_service.core.dataset_messages import Message, Report, canonical, kind_of, read_messages
from whatnext_service.core.dataset_rows import GraderField, Row, bare_legacy, fold, turn
from whatnext_service.core.datasets import ProblemCode, ProblemSeverity, Trait
from whatnext_service.core.loops import Method
from whatnext_service.core.tokens import TOKENS_PER_MESSAGE, estimate_tokens
from whatnext_service.errors import DomainError

RowFormat = Literal["sft", "dpo", "rft", "legacy", "open"]
"""`open`: a conversation that ends without an answer and carries nothing for a grader."""

WARNINGS: frozenset[ProblemCode] = frozenset(
    {
        "bad_arguments",
        "blank_line",
        "consecutive_user",
        "contradiction",
        "duplicate_row",
        "empty_prompt",
        "json_array",
        "legacy_format",
        "no_grader_fields",
        "no_user_message",
        "too_few_examples",
        "unanswered_tool_call",
    }
)
"""Problems that do not keep a file from being stored; every other one does."""

_PLATFORM_KEYS = frozenset(
    {"messages", "tools", "functions", "function_call", "parallel_tool_calls", "response_format"}
)
_FOREIGN = (
    ("conversations", "Rename `conversations` to `messages`, with `role` and `content` for `from` and `value`."),
    ("instruction", "Make the instruction a user message and the output an assistant message under `messages`."),
    ("chosen", "For DPO use `input.messages`, `preferred_output` and `non_preferred_output`."),
    ("data", "Write one row a line, not one object around all of them."),
    ("contents", "Rename `contents` to `messages`, with `role` and `content`."),
    ("text", "Split the text into `messages` with roles."),
)


class RowFault(msgspec.Struct, frozen=True):
    """One thing wrong with a row."""

    code: ProblemCode
    message: str
    remedy: str

    @property
    def severity(self) -> ProblemSeverity:
        """Whether it keeps the file from being stored."""
        return "warning" if self.code in WARNINGS else "error"


class RowReading(msgspec.Struct, frozen=True):
    """A row as far as it could be read. `row` is null when `faults` holds an error."""

    format: RowFormat | None
    row: Row | None
    faults: tuple[RowFault, ...]


def read_row(raw: bytes, announced: Method | None = None) -> RowReading:
    """Read one row's bytes. `announced` is what the uploader said the file is; it settles only an `open` row."""
    faults: list[RowFault] = []

    def report(code: ProblemCode, message: str, remedy: str) -> None:
        faults.append(RowFault(code, message, remedy))

    value = _decode(raw, report)
    if not isinstance(value, dict):
        if not faults:
            report("not_an_object", f"The row is {kind_of(value)}.", 'Make each row an object with "messages".')
        return RowReading(None, None, tuple(faults))
    format_ = _recognise(value)
    row: Row | None = None
    if format_ is None:
        keys = ", ".join(f"`{key[:30]}`" for key in list(value)[:4]) or "none"
        remedy = next((hint for key, hint in _FOREIGN if key in value), 'Use "messages", or the DPO fields.')
        report("unknown_format", f"No known format has these fields: {keys}.", remedy)
    elif format_ == "legacy":
        row = _read_legacy(value, report)
    elif format_ == "dpo":
        row = _read_dpo(value, report)
    else:
        if format_ == "open" and announced == "rft":
            format_ = "rft"
            report("no_grader_fields", "The row has no field for the grader.", "Add the reference the grader reads.")
        row = _read_chat(value, format_, report)
    refused = any(fault.severity == "error" for fault in faults)
    return RowReading(format_, None if refused else row, tuple(faults))


def normalise_row(raw: bytes) -> Row:
    """Read one row of an accepted file. A row that cannot be read is a `dataset_row_invalid`."""
    reading = read_row(raw)
    if reading.row is None and reading.format == "open":
        reading = read_row(raw, "rft")
    if reading.row is None:
        raise DomainError(
            "dataset_row_invalid", " ".join(f"{fault.message} {fault.remedy}" for fault in reading.faults)
        )
    return reading.row


def _decode(raw: bytes, report: Report) -> object:
    try:
        value: object = msgspec.json.decode(raw)
    except UnicodeDecodeError:
        report("not_utf8", "The row is not UTF-8.", "Save the file as UTF-8.")
    except (msgspec.MsgspecError, RecursionError) as error:
        try:
            raw.decode()
        except UnicodeDecodeError:
            report("not_utf8", "The row is not UTF-8.", "Save the file as UTF-8.")
        else:
            remedy = "Write each row as one JSON object on one line."
            if raw.endswith(b"},"):
                remedy = "Remove the comma after the row."
            elif not raw.startswith(b"{") and b"," in raw:
                remedy = "This looks like CSV: make each record a JSON object with `messages`."
            shown = raw[:40].decode(errors="ignore")
            report("not_json", f"The row is not JSON ({str(error)[:80]}): {shown}", remedy)
    else:
        return value
    return None


def _recognise(value: dict[str, object]) -> RowFormat | None:
    if "preferred_output" in value or "non_preferred_output" in value:
        return "dpo"
    messages = value.get("messages")
    if "messages" in value:
        last = messages[-1] if isinstance(messages, list) and messages else None
        if not isinstance(last, dict) or last.get("role") not in ("user", "tool", "system", "developer"):
            return "sft"
        return "rft" if value.keys() - _PLATFORM_KEYS else "open"
    if isinstance(value.get("input"), dict) and "messages" in value["input"]:  # type: ignore[operator]
        return "dpo"
    return "legacy" if "prompt" in value and "completion" in value else None


def _read_legacy(value: dict[str, object], report: Report) -> Row | None:
    prompt, completion = value["prompt"], value["completion"]
    if not isinstance(prompt, str) or not isinstance(completion, str):
        report("bad_content", "`prompt` and `completion` must both be text.", "Use `messages` for conversations.")
        return None
    asked, answer = fold(bare_legacy(prompt)), fold(completion)
    if not answer:
        report("empty_answer", "The completion is empty.", "Write the answer, or drop the row.")
    if not asked:
        report("empty_prompt", "The prompt is empty.", "Write the prompt, or drop the row.")
    n_answer = estimate_tokens(answer) + TOKENS_PER_MESSAGE
    return Row(
        method="sft",
        context="",
        input=turn("user", asked),
        question=asked,
        answer=answer,
        rejected="",
        fields=(),
        system="",
        n_tokens=n_answer + estimate_tokens(asked) + TOKENS_PER_MESSAGE,
        n_answer_tokens=n_answer,
        traits=frozenset({"legacy"}),
    )


def _read_chat(value: dict[str, object], format_: RowFormat, report: Report) -> Row | None:
    messages = read_messages(value["messages"], "messages", report)
    extra = sorted(value.keys() - _PLATFORM_KEYS)
    if not messages:
        return None
    if format_ == "open":
        report(
            "ends_without_answer",
            f"The conversation ends with a {messages[-1].role} message.",
            "Append the assistant's answer (SFT), or add the fields that the grader reads (RFT).",
        )
    if format_ == "rft":
        if messages[-1].role != "user":
            report("ends_without_answer", "An RFT conversation ends with a user message.", "Cut it after the question.")
        fields = tuple(GraderField(name, canonical(value[name])) for name in extra)
        answer = " ".join(f"{field.name}={field.value}" for field in fields)
        return _row("rft", value, messages, answer, estimate_tokens(answer), "", fields, report)
    last = messages[-1]
    if last.role == "assistant" and not last.text:
        report("empty_answer", "The assistant's last message is empty.", "Write the answer, or drop the row.")
    row = _row("sft", value, messages[:-1], last.text, last.n_tokens, "", (), report, n_more=last.n_tokens)
    traits = row.traits | last.traits | (frozenset[Trait]({"extra_keys"}) if extra else frozenset())
    return msgspec.structs.replace(row, traits=traits)


def _read_dpo(value: dict[str, object], report: Report) -> Row | None:
    asked = value.get("input")
    if not isinstance(asked, dict) or "messages" not in asked:
        report("bad_preference", "`input.messages` is missing.", "Put the conversation under `input.messages`.")
        return None
    messages = read_messages(asked["messages"], "input.messages", report)
    sides: list[str] = []
    n_tokens: list[int] = []
    traits: set[Trait] = set()
    for name in ("preferred_output", "non_preferred_output"):
        if name not in value:
            report("bad_preference", f"`{name}` is missing.", "A DPO row needs both outputs.")
            continue
        output = read_messages(value[name], name, report)
        if any(message.role not in ("assistant", "tool") for message in output):
            report("bad_preference", f"`{name}` holds more than assistant and tool messages.", "Move them to `input`.")
        sides.append(" ".join(message.text for message in output))
        n_tokens.append(sum(message.n_tokens for message in output))
        traits.update(trait for message in output for trait in message.traits)
        if output and not sides[-1]:
            report("empty_answer", f"`{name}` is empty.", "Write the output, or drop the row.")
    if len(sides) < 2 or not messages:
        return None
    if sides[0] == sides[1]:
        report("equal_preferences", "The two outputs are the same.", "Make them differ, or drop the row.")
    row = _row("dpo", asked, messages, sides[0], n_tokens[0], sides[1], (), report, n_more=sum(n_tokens))
    return msgspec.structs.replace(row, traits=row.traits | traits)


def _row(
    method: Method,
    holder: dict[str, object],
    prompt: tuple[Message, ...],
    answer: str,
    n_answer_tokens: int,
    rejected: str,
    fields: tuple[GraderField, ...],
    report: Report,
    n_more: int = 0,
) -> Row:
    system = " ".join(message.text for message in prompt if message.role in ("system", "developer"))
    turns = [message for message in prompt if message.role not in ("system", "developer")]
    traits: set[Trait] = {trait for message in prompt for trait in message.traits}
    tools = holder.get("tools", holder.get("functions"))
    offered = ""
    if tools is not None:
        traits.add("tools")
        if isinstance(tools, list):
            offered = canonical(tools)
        else:
            report("bad_tools", f"`tools` is {kind_of(tools)}, not a list.", "Make it a list of tool definitions.")
    questions = [message.text for message in turns if message.role == "user"]
    if not questions:
        report("no_user_message", "The conversation has no user message.", "Check that nothing was lost.")
    elif not any(questions):
        report("empty_prompt", "The user's messages are empty.", "Write the question, or drop the row.")
    _check_order(turns, traits, report)
    if len(questions) > 1:
        traits.add("multi_turn")
    return Row(
        method=method,
        context=f"{system} {offered}".strip(),
        input="".join(turn(message.role, message.text) for message in turns),
        question=questions[-1] if questions else "",
        answer=answer,
        rejected=rejected,
        fields=fields,
        system=system,
        n_tokens=sum(message.n_tokens for message in prompt) + estimate_tokens(offered) + n_more,
        n_answer_tokens=n_answer_tokens,
        traits=frozenset(traits),
    )


def _check_order(turns: list[Message], traits: set[Trait], report: Report) -> None:
    pending: frozenset[str] = frozenset()
    for before, message in zip([None, *turns], turns, strict=False):
        if message.answers:
            pending -= {message.answers}
        elif pending:
            report("unanswered_tool_call", "A tool call has no reply.", "Add the tool message that answers it.")
            pending = frozenset()
        pending |= message.calls
        if before is not None and before.role == message.role:
            if message.role == "user":
                report("consecutive_user", "Two user messages follow each other.", "Join them, or add the answer.")
            elif message.role == "assistant":
                traits.add("consecutive_assistant")
