"""A dataset as numbers: word hashes, lengths and flags of every row, in a few hundred bytes each."""

import re
from array import array
from collections import Counter
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.dataset_rows import Row
from whatnext_service.core.loops import Method
from whatnext_service.core.private_text import find_private
from whatnext_service.core.row_hashes import answer_hash, prompt_hash, reversed_row_hash, row_hash

Numbers = npt.NDArray[np.uint32]
Offsets = npt.NDArray[np.int64]

MAX_WORDS = 4096
"""Words of a text that are looked at; what follows in a longer one does not count towards likeness."""
MAX_LABEL_CHARS = 80
MAX_LABELS = 1000
"""A dataset with more distinct short answers than this has no labels."""
EXCERPT_CHARS = 160

_SPACED = bytes(c if chr(c).isalnum() or c >= 0x80 else 0x20 for c in range(256)).lower()
_FOREIGN_MARK = re.compile(r"[^\w\s]")
_NO_SPACES = re.compile(r"([\u3040-\u30ff\u3400-\u9fff])")
_DIGITS = re.compile(r"\d+")
_REFUSAL = re.compile(
    r"(?:i(?:'|’)?m (?:really |very )?sorry|sorry|i apologi[sz]e|unfortunately)?[,. ]*(?:but )?"
    r"(?:i (?:can(?:'|’)?t|cannot|am unable to|am not able to|won(?:'|’)?t) "
    r"(?:help|assist|provide|comply|do that|fulfil|answer|create|share)|as an ai\b|i(?:'|’)m just an ai)",
    re.IGNORECASE,
)


class Words(msgspec.Struct, frozen=True):
    """Hashes of the words of many texts, one after the other."""

    hashes: Numbers
    offsets: Offsets
    """Text i is `hashes[offsets[i]:offsets[i + 1]]`."""


class Corpus(msgspec.Struct, kw_only=True, frozen=True):
    """What the checks of a dataset look at. Rows are known by their index, from 0."""

    n_rows: int
    methods: tuple[Method, ...]
    lines: Numbers
    row_hashes: bytes
    prompt_hashes: bytes
    reversed_hashes: bytes
    inputs: Words
    answers: Words
    numbers: Numbers
    """Hash of the numbers in the input; two inputs with different numbers never count as nearly the same."""
    answer_keys: Numbers
    """Hash of the answer without case and punctuation."""
    tokens: Numbers
    answer_tokens: Numbers
    labels: npt.NDArray[np.int32]
    """Index into `label_names`; -1 where the answer is longer than a label."""
    label_names: tuple[str, ...]
    """Distinct short answers as they are written; empty when there are too many."""
    shapes: Numbers
    """0 text, 1 JSON object, 2 JSON list, 3 tool call."""
    systems: npt.NDArray[np.int32]
    """Index into `system_names`."""
    system_names: tuple[str, ...]
    """Distinct system prompts, shortened; those beyond the first 1,000 share the last index."""
    refusals: npt.NDArray[np.bool_]
    personal: npt.NDArray[np.bool_]
    secrets: npt.NDArray[np.bool_]
    field_names: tuple[str, ...]
    """RFT: every grader field that occurs."""
    field_counts: tuple[int, ...]
    field_constant: tuple[bool, ...]
    """Whether the field has the same value in every row that has it."""
    questions: tuple[bytes, ...]
    """The beginning of each input, to be shown."""
    answer_excerpts: tuple[bytes, ...]


def split_words(text: str) -> list[bytes]:
    """Split a text into words without case and punctuation; in scripts without spaces each character is one."""
    if text.isascii():
        return text.encode().translate(_SPACED).split()[:MAX_WORDS]
    spaced = _NO_SPACES.sub(r" \1 ", _FOREIGN_MARK.sub(" ", text.casefold()))
    return spaced.encode(errors="replace").translate(_SPACED).split()[:MAX_WORDS]


def hash_words(text: str) -> Numbers:
    """Hash the words of one text."""
    return np.fromiter(map(crc32, split_words(text)), dtype=np.uint32)


def decode_excerpt(excerpt: bytes) -> str:
    """An excerpt as text."""
    return excerpt.decode(errors="replace")


class CorpusBuilder:
    """Fold rows into a `Corpus`: `add` each, then `build` once."""

    def __init__(self) -> None:
        self._methods: set[Method] = set()
        self._lines = array("I")
        self._rows = bytearray()
        self._prompts = bytearray()
        self._reversed = bytearray()
        self._inputs = array("I")
        self._input_ends = array("q", [0])
        self._answers = array("I")
        self._answer_ends = array("q", [0])
        self._numbers = array("I")
        self._keys = array("I")
        self._tokens = array("I")
        self._answer_tokens = array("I")
        self._labels = array("i")
        self._label_ids: dict[str, int] = {}
        self._shapes = bytearray()
        self._systems = array("i")
        self._system_ids: dict[str, int] = {}
        self._refusals = bytearray()
        self._personal = bytearray()
        self._secrets = bytearray()
        self._fields: Counter[str] = Counter()
        self._field_values: dict[str, str | None] = {}
        self._questions: list[bytes] = []
        self._answer_excerpts: list[bytes] = []

    def add(self, line: int, row: Row) -> None:
        """Take one row, and the line it stands on."""
        prompt = prompt_hash(row)
        self._lines.append(line)
        self._methods.add(row.method)
        self._prompts += prompt
        self._rows += row_hash(prompt, answer_hash(row))
        if row.method == "dpo":
            self._reversed += reversed_row_hash(row)
        asked = row.input or row.context
        self._inputs.extend(map(crc32, split_words(asked)))
        self._input_ends.append(len(self._inputs))
        answer_words = split_words(f"{row.answer} {row.rejected}" if row.rejected else row.answer)
        self._answers.extend(map(crc32, answer_words))
        self._answer_ends.append(len(self._answers))
        self._numbers.append(crc32(" ".join(sorted(_DIGITS.findall(asked))).encode()))
        self._keys.append(crc32(b" ".join(answer_words)) if answer_words else crc32(row.answer.encode()))
        self._tokens.append(row.n_tokens)
        self._answer_tokens.append(row.n_answer_tokens)
        self._labels.append(self._label(row.answer) if row.method == "sft" else -1)
        self._shapes.append(_shape(row))
        self._systems.append(self._system(row.system))
        self._refusals.append(row.method != "rft" and _REFUSAL.match(row.answer) is not None)
        personal, secret = find_private(f"{asked} {row.answer} {row.rejected}")
        self._personal.append(personal)
        self._secrets.append(secret)
        for field in row.fields:
            self._fields[field.name] += 1
            if self._field_values.setdefault(field.name, field.value) != field.value:
                self._field_values[field.name] = None
        self._questions.append((row.question or asked)[:EXCERPT_CHARS].encode(errors="replace"))
        self._answer_excerpts.append(row.answer[:EXCERPT_CHARS].encode(errors="replace"))

    def build(self) -> Corpus:
        """Give the corpus of the rows taken."""
        fields = sorted(self._fields)
        return Corpus(
            n_rows=len(self._lines),
            methods=tuple(sorted(self._methods)),
            lines=_numbers(self._lines),
            row_hashes=bytes(self._rows),
            prompt_hashes=bytes(self._prompts),
            reversed_hashes=bytes(self._reversed),
            inputs=Words(_numbers(self._inputs), np.array(self._input_ends, dtype=np.int64)),
            answers=Words(_numbers(self._answers), np.array(self._answer_ends, dtype=np.int64)),
            numbers=_numbers(self._numbers),
            answer_keys=_numbers(self._keys),
            tokens=_numbers(self._tokens),
            answer_tokens=_numbers(self._answer_tokens),
            labels=np.array(self._labels, dtype=np.int32),
            label_names=tuple(self._label_ids) if len(self._label_ids) <= MAX_LABELS else (),
            shapes=np.frombuffer(bytes(self._shapes), dtype=np.uint8).astype(np.uint32),
            systems=np.array(self._systems, dtype=np.int32),
            system_names=tuple(self._system_ids),
            refusals=np.frombuffer(bytes(self._refusals), dtype=np.bool_),
            personal=np.frombuffer(bytes(self._personal), dtype=np.bool_),
            secrets=np.frombuffer(bytes(self._secrets), dtype=np.bool_),
            field_names=tuple(fields),
            field_counts=tuple(self._fields[name] for name in fields),
            field_constant=tuple(self._field_values[name] is not None for name in fields),
            questions=tuple(self._questions),
            answer_excerpts=tuple(self._answer_excerpts),
        )

    def _label(self, answer: str) -> int:
        if len(answer) > MAX_LABEL_CHARS or len(self._label_ids) > MAX_LABELS:
            return -1
        return self._label_ids.setdefault(answer, len(self._label_ids))

    def _system(self, system: str) -> int:
        known = self._system_ids
        if len(known) >= MAX_LABELS and system not in known:
            return MAX_LABELS - 1
        return known.setdefault(system, len(known))


def _numbers(values: "array[int]") -> Numbers:
    """Without a copy where the platform's `I` has four bytes: the words of a large file would be there twice."""
    if values.itemsize == 4 and values:
        return np.frombuffer(values, dtype=np.uint32)
    return np.array(values, dtype=np.uint32)


def _shape(row: Row) -> int:
    if "tool_calls" in row.traits and row.method == "sft" and row.answer.endswith(")"):
        return 3
    if row.answer[:1] not in ("{", "["):
        return 0
    try:
        value: object = msgspec.json.decode(row.answer)
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return 0
    return 1 if isinstance(value, dict) else 2
