"""Reading an uploaded dataset chunk by chunk, in memory that does not grow with the rows' text."""

from array import array
from collections import Counter

from whatnext_service.core.dataset_formats import WARNINGS, RowFault, RowFormat, read_row
from whatnext_service.core.dataset_lines import RawRow, RowSplitter
from whatnext_service.core.dataset_rows import Row
from whatnext_service.core.datasets import (
    MAX_PROBLEMS,
    MAX_ROW_BYTES,
    MIN_EXAMPLES,
    DatasetFacts,
    ProblemCode,
    ProblemCount,
    RowProblem,
    Trait,
)
from whatnext_service.core.loops import Method
from whatnext_service.core.row_hashes import Indexes, agreement, answer_hash, prompt_hash, reversed_row_hash, row_hash

_METHODS: dict[RowFormat, Method] = {"sft": "sft", "legacy": "sft", "open": "sft", "dpo": "dpo", "rft": "rft"}
_FILE_FAULTS: dict[ProblemCode, tuple[str, str]] = {
    "wrong_encoding": (
        "The file is UTF-16 or UTF-32, or binary.",
        "Save it as UTF-8 text with one JSON object a line.",
    ),
    "row_too_long": (f"The row is longer than {MAX_ROW_BYTES} bytes.", "Put each row on a line of its own."),
    "array_unfinished": ("The JSON array has no end.", "Check that the file is complete."),
    "array_trailing_content": ("Something follows the end of the JSON array.", "Write one row a line."),
}


class DatasetReader:
    """Fold a dataset's bytes into `DatasetFacts`: `feed` every chunk, then `finish` once.

    Beside one row it keeps 36 bytes for each example (52 for DPO) and the first problems.
    """

    def __init__(self, announced: Method | None = None, max_row_bytes: int = MAX_ROW_BYTES) -> None:
        self._announced: Method | None = announced
        self._splitter = RowSplitter(max_row_bytes)
        self._n_rows = 0
        self._n_tokens = 0
        self._format: RowFormat | None = None
        self._errors: list[RowProblem] = []
        self._warnings: list[RowProblem] = []
        self._counts: Counter[ProblemCode] = Counter()
        self._traits: set[Trait] = set()
        self._lines = array("I")
        self._rows = bytearray()
        self._prompts = bytearray()
        self._reversed = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, in chunks of any size."""
        for row in self._splitter.feed(chunk):
            self._take(row)

    def finish(self) -> DatasetFacts:
        """Take the last row and give what the file shows."""
        for row in self._splitter.finish():
            self._take(row)
        self._check_file()
        found = agreement(bytes(self._rows), bytes(self._prompts), bytes(self._reversed))
        self._note_pairs("duplicate_row", "The row repeats line {}.", found.duplicates, found.first[found.duplicates])
        self._note_pairs(
            "contradiction", "Line {} has the same prompt and another answer.", found.contradictions, found.opposites
        )
        lines = self._lines if self._lines.itemsize == 4 else array("L", self._lines)
        return DatasetFacts(
            method=_METHODS[self._format] if self._format else None,
            traits=tuple(sorted(self._traits)),
            n_examples=len(self._lines),
            problems=_first(self._errors) + _first(self._warnings)[: MAX_PROBLEMS - len(_first(self._errors))],
            problem_counts=_counted(self._counts),
            lines=lines.tobytes(),
            row_hashes=bytes(self._rows),
            prompt_hashes=bytes(self._prompts),
            reversed_hashes=bytes(self._reversed),
            n_duplicates=len(found.duplicates),
            n_contradictions=len(found.contradictions),
            n_tokens=self._n_tokens,
        )

    def _take(self, raw: RawRow) -> None:
        if raw.fault is not None:
            self._note(raw.line, RowFault(raw.fault, *_FILE_FAULTS[raw.fault]))
            return
        if not raw.raw:
            self._note(raw.line, RowFault("blank_line", "The line is blank.", "Nothing to do: it is left out."))
            return
        self._n_rows += 1
        reading = read_row(raw.raw, self._announced)
        faults = reading.faults
        if reading.format is not None and reading.format != "open":
            self._format = self._format or reading.format
            faults += self._mixed(reading.format)
        for fault in faults:
            self._note(raw.line, fault)
        if reading.row is not None:
            self._keep(raw.line, reading.row)

    def _mixed(self, found: RowFormat) -> tuple[RowFault, ...]:
        if found != self._format:
            message = f"This row is {found}, the file's first is {self._format}."
            return (RowFault("mixed_formats", message, "Upload one file for each format."),)
        if self._announced is not None and _METHODS[found] != self._announced:
            message = f"The row is formatted for {_METHODS[found]}, not for {self._announced}."
            return (RowFault("unexpected_format", message, f"Announce the file as {_METHODS[found]}, or convert it."),)
        return ()

    def _keep(self, line: int, row: Row) -> None:
        self._lines.append(line)
        prompt = prompt_hash(row)
        self._prompts += prompt
        self._rows += row_hash(prompt, answer_hash(row))
        if row.method == "dpo":
            self._reversed += reversed_row_hash(row)
        self._n_tokens += row.n_tokens
        self._traits |= row.traits

    def _check_file(self) -> None:
        if self._splitter.has_bom:
            self._traits.add("bom")
        if self._splitter.has_crlf:
            self._traits.add("crlf")
        if self._splitter.is_array:
            self._traits.add("json_array")
            self._note(0, RowFault("json_array", "The file is one JSON array.", "It is sent on as one row a line."))
        if self._format == "legacy":
            remedy = "Derive a version converted to sft: chat models take messages only."
            self._note(0, RowFault("legacy_format", "The rows are prompt and completion, the old format.", remedy))
        if self._n_rows == 0 and not self._errors:
            self._note(0, RowFault("empty_file", "The file has no rows.", "Upload JSON Lines: one example a line."))
        elif 0 < len(self._lines) < MIN_EXAMPLES:
            message = f"{len(self._lines)} examples: platforms refuse fewer than {MIN_EXAMPLES}."
            self._note(0, RowFault("too_few_examples", message, "Add examples; 50 to 100 show a first effect."))

    def _note_pairs(self, code: ProblemCode, message: str, rows: Indexes, to: Indexes) -> None:
        self._counts[code] = len(rows)
        for index, other in zip(rows[:MAX_PROBLEMS], to[:MAX_PROBLEMS], strict=True):
            text = message.format(self._lines[other])
            fault = RowFault(code, text, "Look at both, and derive a version that keeps the right one.")
            self._note(self._lines[index], fault, counted=True)

    def _note(self, line: int, fault: RowFault, *, counted: bool = False) -> None:
        if not counted:
            self._counts[fault.code] += 1
        kept = self._warnings if fault.severity == "warning" else self._errors
        if len(kept) < MAX_PROBLEMS or line == 0 or counted:
            kept.append(
                RowProblem(
                    line=line, code=fault.code, severity=fault.severity, message=fault.message, remedy=fault.remedy
                )
            )


def _first(problems: list[RowProblem]) -> tuple[RowProblem, ...]:
    return tuple(sorted(problems, key=lambda problem: problem.line)[:MAX_PROBLEMS])


def _counted(counts: Counter[ProblemCode]) -> tuple[ProblemCount, ...]:
    found = [
        ProblemCount(code=code, severity="warning" if code in WARNINGS else "error", count=count)
        for code, count in counts.items()
        if count
    ]
    return tuple(sorted(found, key=lambda problem: (problem.severity, problem.code)))
