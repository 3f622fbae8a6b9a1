"""What is known of a dataset file from reading it once: its method, its counts, its faults, a hash of every row."""

from typing import Literal

import msgspec

from whatnext_service.core.loops import Method

ProblemSeverity = Literal["error", "warning"]
"""A file with one error is refused as a whole; warnings are stored with it."""

Trait = Literal[
    "bom",
    "consecutive_assistant",
    "crlf",
    "developer_role",
    "extra_keys",
    "json_array",
    "legacy",
    "multi_turn",
    "parts",
    "system_role",
    "tool_calls",
    "tools",
    "vision",
    "weights",
]
"""What a file or a row makes use of; none of them is a fault by itself."""

ProblemCode = Literal[
    "array_trailing_content",
    "array_unfinished",
    "bad_arguments",
    "bad_content",
    "bad_message",
    "bad_messages",
    "bad_part",
    "bad_preference",
    "bad_tool_call",
    "bad_tools",
    "bad_weight",
    "blank_line",
    "consecutive_user",
    "contradiction",
    "duplicate_row",
    "empty_answer",
    "empty_file",
    "empty_prompt",
    "ends_without_answer",
    "equal_preferences",
    "json_array",
    "legacy_format",
    "mixed_formats",
    "no_grader_fields",
    "no_user_message",
    "not_an_object",
    "not_json",
    "not_utf8",
    "row_too_long",
    "too_few_examples",
    "unanswered_tool_call",
    "unexpected_format",
    "unknown_format",
    "unknown_role",
    "wrong_encoding",
]

MIN_EXAMPLES = 10
"""Fewest rows a training platform accepts (OpenAI and Azure fine-tuning documentation)."""
MAX_ROW_BYTES = 32 * 2**20
"""Longest row that is read: ten images of 2 MB as data URLs fit, a file without line ends does not fill the memory."""
MAX_PROBLEMS = 100
"""Problems kept in full; all of them are counted."""


class RowProblem(msgspec.Struct, kw_only=True, frozen=True):
    """One thing wrong with one row, or with the whole file."""

    line: int
    """Line of the file on which the row begins, from 1; 0 for the file as a whole."""
    code: ProblemCode
    severity: ProblemSeverity
    message: str
    remedy: str


class ProblemCount(msgspec.Struct, kw_only=True, frozen=True):
    """How often a problem occurs in the whole file."""

    code: ProblemCode
    severity: ProblemSeverity
    count: int


class DatasetFacts(msgspec.Struct, kw_only=True, frozen=True):
    """What one reading of an uploaded file shows."""

    method: Method | None
    """The training method its rows are formatted for; null when no row was recognised."""
    traits: tuple[Trait, ...]
    n_examples: int
    """Rows without an error."""
    problems: tuple[RowProblem, ...]
    """The first problems in the order of the file, errors before warnings."""
    problem_counts: tuple[ProblemCount, ...]
    """Every problem of the file, errors first, then by code."""
    lines: bytes
    """Line of each example, packed as little-endian uint32."""
    row_hashes: bytes
    """16 bytes for each example: the same prompt with the same answer has the same hash (`row_hash`)."""
    prompt_hashes: bytes
    """16 bytes for each example: the same prompt has the same hash (`prompt_hash`)."""
    reversed_hashes: bytes
    """DPO: 16 bytes for each example, the hash of the row that prefers the other output; empty otherwise."""
    n_duplicates: int
    """Examples that repeat an earlier one."""
    n_contradictions: int
    """Examples whose prompt also occurs with another answer."""
    n_tokens: int
    """Estimated tokens of all examples (`estimate_tokens`)."""

    @property
    def n_errors(self) -> int:
        """How many errors there are; a file with any is refused."""
        return sum(count.count for count in self.problem_counts if count.severity == "error")
