"""A dataset as numbers: lengths, hashes and flags of every row in about 120 bytes, and its words in a scratch."""

import re
from array import array
from collections import Counter
from zlib import crc32

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.dataset_lines import RawRow
from whatnext_service.core.dataset_rows import Row
from whatnext_service.core.features import Features, hash_features
from whatnext_service.core.features import Numbers as Numbers
from whatnext_service.core.loops import Method
from whatnext_service.core.private_text import find_private
from whatnext_service.core.row_hashes import answer_hash, prompt_hash, reversed_row_hash, row_hash
from whatnext_service.core.scratch import HeldScratch, NewScratch, Offsets, Scratch

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


class Excerpts(msgspec.Struct, frozen=True):
    """The beginnings of the question and the answer of each row, to be shown."""

    scratch: Scratch
    offsets: Offsets
    """Row i has its question from `offsets[2 * i]` and its answer from `offsets[2 * i + 1]`."""

    def question(self, row: int) -> str:
        """The beginning of a row's question."""
        return self._text(2 * int(row))

    def answer(self, row: int) -> str:
        """The beginning of a row's answer."""
        return self._text(2 * int(row) + 1)

    def _text(self, place: int) -> str:
        start, end = int(self.offsets[place]), int(self.offsets[place + 1])
        return bytes(self.scratch.read(start, end - start)).decode(errors="replace")


class Corpus(msgspec.Struct, kw_only=True, frozen=True):
    """What the checks of a dataset look at. Rows are known by their index, from 0."""

    n_rows: int
    methods: tuple[Method, ...]
    lines: Numbers
    places: bytes
    """Where each row stands in the file: its first byte and its length, as little-endian uint64."""
    row_hashes: bytes
    prompt_hashes: bytes
    reversed_hashes: bytes
    inputs: Features
    answers: Features
    numbers: Numbers
    """Hash of the numbers in the input."""
    n_numbers: npt.NDArray[np.uint8]
    """How many numbers the input holds, up to 255."""
    answer_keys: Numbers
    """Hash of the answer without case and punctuation."""
    tokens: Numbers
    answer_tokens: Numbers
    labels: npt.NDArray[np.int32]
    """Index into `label_names`; -1 where the answer is longer than a label."""
    label_names: tuple[str, ...]
    """Distinct short answers as they are written; empty when there are too many."""
    shapes: npt.NDArray[np.uint8]
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
    excerpts: Excerpts


def split_words(text: str) -> list[bytes]:
    """Split a text into words without case and punctuation; in scripts without spaces each character is one."""
    if text.isascii():
        return text.encode().translate(_SPACED).split()[:MAX_WORDS]
    spaced = _NO_SPACES.sub(r" \1 ", _FOREIGN_MARK.sub(" ", text.casefold()))
    return spaced.encode(errors="replace").translate(_SPACED).split()[:MAX_WORDS]


class CorpusBuilder:
    """Fold rows into a `Corpus`: `add` each, then `build` once. Texts go to three places that `new_scratch` makes."""

    def __init__(self, new_scratch: NewScratch = HeldScratch) -> None:
        self._methods: set[Method] = set()
        self._lines = array("I")
        self._places = array("Q")
        self._rows = bytearray()
        self._prompts = bytearray()
        self._reversed = bytearray()
        self._inputs = _Kept(new_scratch())
        self._answers = _Kept(new_scratch())
        self._numbers = array("I")
        self._n_numbers = bytearray()
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
        self._excerpts = new_scratch()
        self._excerpt_ends = array("q", [0])

    def add_raw(self, raw: RawRow) -> None:
        """Take one row of an accepted file."""
        self.add(raw.line, normalise_row(raw.raw), raw.start, len(raw.raw))

    def add(self, line: int, row: Row, start: int = 0, n_bytes: int = 0) -> None:
        """Take one row, the line it begins on, its first byte in the file and its length."""
        prompt = prompt_hash(row)
        self._lines.append(line)
        self._places.extend((start, n_bytes))
        self._methods.add(row.method)
        self._prompts += prompt
        self._rows += row_hash(prompt, answer_hash(row))
        if row.method == "dpo":
            self._reversed += reversed_row_hash(row)
        asked = row.input or row.context
        self._inputs.add(split_words(asked))
        answer_words = split_words(f"{row.answer} {row.rejected}" if row.rejected else row.answer)
        self._answers.add(answer_words)
        numbers = sorted(_DIGITS.findall(asked))
        self._numbers.append(crc32(" ".join(numbers).encode()))
        self._n_numbers.append(min(len(numbers), 255))
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
        for text in (row.question or asked, row.answer):
            excerpt = text[:EXCERPT_CHARS].encode(errors="replace")
            self._excerpts.append(excerpt)
            self._excerpt_ends.append(self._excerpt_ends[-1] + len(excerpt))

    def build(self) -> Corpus:
        """Give the corpus of the rows taken."""
        fields = sorted(self._fields)
        return Corpus(
            n_rows=len(self._lines),
            methods=tuple(sorted(self._methods)),
            lines=_numbers(self._lines),
            places=np.frombuffer(self._places, dtype=np.uint64).astype("<u8", copy=False).tobytes(),
            row_hashes=bytes(self._rows),
            prompt_hashes=bytes(self._prompts),
            reversed_hashes=bytes(self._reversed),
            inputs=self._inputs.features(),
            answers=self._answers.features(),
            numbers=_numbers(self._numbers),
            n_numbers=np.frombuffer(self._n_numbers, dtype=np.uint8),
            answer_keys=_numbers(self._keys),
            tokens=_numbers(self._tokens),
            answer_tokens=_numbers(self._answer_tokens),
            labels=_signed(self._labels),
            label_names=tuple(self._label_ids) if len(self._label_ids) <= MAX_LABELS else (),
            shapes=np.frombuffer(self._shapes, dtype=np.uint8),
            systems=_signed(self._systems),
            system_names=tuple(self._system_ids),
            refusals=np.frombuffer(self._refusals, dtype=np.bool_),
            personal=np.frombuffer(self._personal, dtype=np.bool_),
            secrets=np.frombuffer(self._secrets, dtype=np.bool_),
            field_names=tuple(fields),
            field_counts=tuple(self._fields[name] for name in fields),
            field_constant=tuple(self._field_values[name] is not None for name in fields),
            excerpts=Excerpts(self._excerpts, _offsets(self._excerpt_ends)),
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


class _Kept:
    """Features of texts on their way into a scratch."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._ends = array("q", [0])
        self._n_words = array("I")

    def add(self, words: list[bytes]) -> None:
        packed, n_words = hash_features(words)
        self._scratch.append(packed)
        self._ends.append(self._ends[-1] + len(packed) // 4)
        self._n_words.append(n_words)

    def features(self) -> Features:
        return Features(self._scratch, _offsets(self._ends), _numbers(self._n_words))


def _numbers(values: "array[int]") -> Numbers:
    """Without a copy: every platform that numpy runs on has four bytes in an `I`."""
    return np.frombuffer(values, dtype=np.uint32)


def _signed(values: "array[int]") -> npt.NDArray[np.int32]:
    return np.frombuffer(values, dtype=np.int32)


def _offsets(values: "array[int]") -> Offsets:
    return np.frombuffer(values, dtype=np.int64)


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
