"""The program that reads one large dataset version, told by and telling `data_process`.

It ends when its input ends: when the process that started it is gone, nobody wants to know.
"""

import os
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from whatnext_service.core.corpus import Corpus, CorpusBuilder
from whatnext_service.core.dataset_formats import normalise_row
from whatnext_service.core.dataset_lines import iter_raw_rows, iter_rows
from whatnext_service.core.diversity import Coverage
from whatnext_service.core.quality import OtherSet
from whatnext_service.core.quality_report import report_quality
from whatnext_service.flows.data_process import LENGTH_BYTES, Answer, CoverageOrder, Order, ReportOrder
from whatnext_service.flows.scratch_file import FileScratch

PROGRESS_ROWS = 4_096
NICENESS = 10
"""Others of this machine, such as the event loop of the process that waits for the report, go first."""


def main() -> None:
    """Take the order and the files from standard input, and put what was found out on standard output."""
    os.nice(NICENESS)
    source, out = sys.stdin.buffer, sys.stdout.buffer
    order: Order = msgspec.msgpack.decode(_message(source), type=Order)
    try:
        answer = _report(order, source, out) if isinstance(order, ReportOrder) else _cover(order, source)
    except Exception as error:
        answer = Answer(n_rows=0, failure=f"{type(error).__name__}: {error}")
    _say(out, answer)


def _report(order: ReportOrder, source: BinaryIO, out: BinaryIO) -> Answer:
    corpus = _read(source, out)
    others = tuple(OtherSet(role=each.role, name=each.name, corpus=_read(source, None)) for each in order.others)
    threading.Thread(target=_end_with, args=(source,), daemon=True).start()
    return Answer(n_rows=corpus.n_rows, report=report_quality(corpus, others, judged=order.judged))


def _cover(order: CoverageOrder, source: BinaryIO) -> Answer:
    coverage = Coverage(order.types)
    for _, raw in iter_rows(_file(source)):
        coverage.add(normalise_row(raw))
    return Answer(n_rows=coverage.n_rows, counts=tuple(coverage.counts))


def _read(source: BinaryIO, out: BinaryIO | None) -> Corpus:
    builder = CorpusBuilder(FileScratch)
    for n_rows, row in enumerate(iter_raw_rows(_file(source)), start=1):
        builder.add_raw(row)
        if out is not None and n_rows % PROGRESS_ROWS == 0:
            _say(out, Answer(n_rows=n_rows))
    return builder.build()


def _file(source: BinaryIO) -> Iterator[bytes]:
    while message := _message(source):
        yield message


def _message(source: BinaryIO) -> bytes:
    length = source.read(LENGTH_BYTES)
    n_bytes = int.from_bytes(length, "little")
    message = source.read(n_bytes)
    if len(length) < LENGTH_BYTES or len(message) < n_bytes:
        os._exit(1)
    return message


def _say(out: BinaryIO, answer: Answer) -> None:
    message = msgspec.msgpack.encode(answer)
    out.write(len(message).to_bytes(LENGTH_BYTES, "little") + message)
    out.flush()


def _end_with(source: BinaryIO) -> None:
    source.read()
    os._exit(1)


if __name__ == "__main__":
    main()
