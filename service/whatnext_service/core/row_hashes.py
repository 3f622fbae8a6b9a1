"""Hashes of rows by content, 16 bytes each, packed one after the other: equality and overlap of whole datasets.

Two prompts are compared by what the user and the turns before the answer say, in Unicode NFC, with white space folded
and case kept, whatever the format. A prompt's hash has two halves: its input, and the system prompt and tools it stands
under.
"""

import hashlib

import msgspec
import numpy as np
import numpy.typing as npt

from whatnext_service.core.dataset_rows import Row

HASH_BYTES = 16

_ODD = np.uint64(0x9E3779B97F4A7C15)

Halves = npt.NDArray[np.uint64]
"""Shape (rows, 2)."""
Whole = npt.NDArray[np.uint64]
"""Both halves in one number: 64 random bits tell a million rows apart but for one chance in 40 million."""
Indexes = npt.NDArray[np.int64]


class Agreement(msgspec.Struct, frozen=True):
    """Which rows of a dataset repeat or contradict others; indexes from 0, ascending."""

    first: Indexes
    """For each row the index of the first row with the same hash: itself, unless it is a duplicate."""
    duplicates: Indexes
    """Rows that repeat an earlier row exactly."""
    contradictions: Indexes
    """Rows whose prompt also occurs with another answer."""
    opposites: Indexes
    """For each of the contradictions a row that it contradicts."""


def prompt_hash(row: Row) -> bytes:
    """Hash a row's prompt: 8 bytes for the input, 8 for the context. A row without input is known by its context."""
    return _half(row.input) + _half(row.context) if row.input else _half(row.context) * 2


def answer_hash(row: Row) -> bytes:
    """Hash a row's answer (DPO: both outputs, in their order)."""
    text = f"{row.answer}\x1d{row.rejected}"
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=HASH_BYTES).digest()


def row_hash(prompt: bytes, answer: bytes) -> bytes:
    """Hash a row from its prompt's and its answer's hash."""
    return hashlib.blake2b(prompt + answer, digest_size=HASH_BYTES).digest()


def reversed_row_hash(row: Row) -> bytes:
    """Hash a DPO row as it would be with its outputs exchanged: the row that says the opposite."""
    return row_hash(
        prompt_hash(row), answer_hash(msgspec.structs.replace(row, answer=row.rejected, rejected=row.answer))
    )


def row_id(hashed: bytes) -> str:
    """The name of a row: the first half of its hash in hexadecimal. Rows that say the same share it."""
    return hashed[: HASH_BYTES // 2].hex()


def overlap(prompt_hashes_a: bytes, prompt_hashes_b: bytes) -> tuple[int, ...]:
    """Indexes of the rows of b whose prompt is present in a (method 4: never evaluate on training examples).

    The same input under another system prompt counts, for the example is the same; unless that input stands under
    several system prompts in either set, so that it alone does not say what is asked ("Summarise this."): then the
    whole prompt must be the same.
    """
    a, b = _halves(prompt_hashes_a), _halves(prompt_hashes_b)
    if not len(a) or not len(b):
        return ()
    same_input = np.isin(b[:, 0], a[:, 0])
    if not same_input.any():
        return ()
    generic = np.concatenate([_inputs_under_many(a), _inputs_under_many(b)])
    same_whole = np.isin(_wholes(b), _wholes(a))
    found = same_input & (~np.isin(b[:, 0], generic) | same_whole)
    return tuple(int(index) for index in np.flatnonzero(found))


def agreement(row_hashes: bytes, prompt_hashes: bytes, reversed_hashes: bytes = b"") -> Agreement:
    """Find exact duplicates and contradictions among the rows of one dataset.

    A contradiction is the same prompt with another answer (method 6.1); for DPO, where one prompt may have many pairs,
    the same pair preferred the other way round: pass `reversed_hashes` for it.
    """
    rows = _wholes(_halves(row_hashes))
    indexes = np.arange(len(rows))
    first = _first_equal(rows)
    duplicates = np.flatnonzero(first != indexes)
    if reversed_hashes:
        order = np.argsort(rows, kind="stable")
        turned = _wholes(_halves(reversed_hashes))
        near = order[np.minimum(np.searchsorted(rows[order], turned), len(rows) - 1)] if len(rows) else indexes
        contradictions = np.flatnonzero(rows[near] == turned)
        return Agreement(first, duplicates, contradictions, near[contradictions])
    group = _first_equal(_wholes(_halves(prompt_hashes)))
    distinct = np.flatnonzero(first == indexes)
    contradicted = np.flatnonzero(np.bincount(group[distinct], minlength=len(rows))[group] > 1)
    second = np.full(len(rows), -1)
    later = distinct[group[distinct] != distinct][::-1]
    second[group[later]] = later
    heads = group[contradicted]
    return Agreement(first, duplicates, contradicted, np.where(first[contradicted] == heads, second[heads], heads))


def _half(text: str) -> bytes:
    return hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=HASH_BYTES // 2).digest()


def _halves(packed: bytes) -> Halves:
    return np.frombuffer(packed, dtype="<u8").reshape(-1, 2)


def _wholes(halves: Halves) -> Whole:
    return halves[:, 0] * _ODD + halves[:, 1]


def _inputs_under_many(halves: Halves) -> npt.NDArray[np.uint64]:
    distinct = np.unique(halves, axis=0)
    inputs, counts = np.unique(distinct[:, 0], return_counts=True)
    return inputs[counts > 1]


def _first_equal(values: Whole) -> Indexes:
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return first[inverse]
