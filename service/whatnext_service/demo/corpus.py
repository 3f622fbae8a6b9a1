"""A real dataset that needs no download: what the standard library says of itself, and the module that says it.

The texts are docstrings, the labels the modules they stand in. Nothing is made up: functions that are exported from two
modules, and phrases that many methods share, give the duplicates and contradictions that real data have.
"""

import contextlib
import importlib
import inspect
import io
import json
import random
import warnings
from collections.abc import Iterator
from types import ModuleType

import msgspec

MODULES = [
    "argparse",
    "asyncio",
    "calendar",
    "collections",
    "configparser",
    "csv",
    "ctypes",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "email",
    "enum",
    "fractions",
    "ftplib",
    "functools",
    "gettext",
    "http",
    "imaplib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "locale",
    "logging",
    "mailbox",
    "math",
    "mimetypes",
    "multiprocessing",
    "optparse",
    "os",
    "pathlib",
    "pickle",
    "plistlib",
    "poplib",
    "pprint",
    "queue",
    "random",
    "sched",
    "selectors",
    "shutil",
    "smtplib",
    "socket",
    "sqlite3",
    "ssl",
    "statistics",
    "string",
    "subprocess",
    "tarfile",
    "tempfile",
    "textwrap",
    "threading",
    "tokenize",
    "trace",
    "tracemalloc",
    "types",
    "typing",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "xml",
    "zipfile",
]
PARTS = {
    "asyncio": "base_events events futures locks queues streams subprocess tasks transports",
    "email": "message header policy utils generator charset headerregistry",
    "http": "client server cookies cookiejar",
    "json": "decoder encoder",
    "logging": "handlers config",
    "multiprocessing": "connection context managers pool queues shared_memory",
    "unittest": "case loader mock result runner suite",
    "urllib": "parse request response error robotparser",
    "xml": "dom.minidom dom.pulldom etree.ElementTree sax.handler sax.xmlreader",
}
MIN_WORDS = 4
MAX_CHARS = 240
MIN_TEXTS = 24
"""Modules with fewer different texts are left out."""
EVAL, FINAL, VALIDATION, TRAINING = 8, 8, 4, 32
"""Examples of each module in each part, at most."""
INSTRUCTION = "Which module of the Python standard library is this from? Answer with its name alone."


class Corpus(msgspec.Struct, kw_only=True, frozen=True):
    """Four parts as JSONL; no prompt of one occurs in another."""

    training: bytes
    validation: bytes
    selection: bytes
    final_test: bytes
    n_modules: int


def build_corpus(seed: int = 7) -> Corpus:
    """Collect the texts and deal them out, the same way every time on one version of Python."""
    texts = {name: found for name in MODULES if len(dict.fromkeys(found := list(_texts(name)))) >= MIN_TEXTS}
    rng = random.Random(seed)
    parts: dict[str, list[tuple[str, str]]] = {"training": [], "validation": [], "selection": [], "final_test": []}
    held_out: set[str] = set()
    for module, found in texts.items():
        unique = [text for text in dict.fromkeys(found) if text not in held_out]
        rng.shuffle(unique)
        for part, count in (("selection", EVAL), ("final_test", FINAL), ("validation", VALIDATION)):
            taken, unique = unique[:count], unique[count:]
            parts[part] += [(text, module) for text in taken]
            held_out |= set(taken)
    for module, found in texts.items():
        # Equal texts stay together, as they do in data that nobody has cleaned.
        rest = [text for text in found if text not in held_out]
        parts["training"] += [(text, module) for text in rest[:TRAINING]]
    for rows in parts.values():
        rng.shuffle(rows)
    return Corpus(**{part: _jsonl(rows) for part, rows in parts.items()}, n_modules=len(texts))


def _jsonl(rows: list[tuple[str, str]]) -> bytes:
    return b"".join(
        json.dumps(
            {
                "messages": [
                    {"role": "system", "content": INSTRUCTION},
                    {"role": "user", "content": text},
                    {"role": "assistant", "content": module},
                ]
            }
        ).encode()
        + b"\n"
        for text, module in rows
    )


def _texts(name: str) -> Iterator[str]:
    """Docstrings of a module's functions, classes and methods, in the order of their names."""
    for module in _modules(name):
        for _, thing in sorted(vars(module).items()):
            if str(getattr(thing, "__module__", None) or name).split(".")[0] != name:
                continue
            yield from _text(thing)
            if inspect.isclass(thing):
                for _, method in sorted(vars(thing).items()):
                    yield from _text(method)


def _text(thing: object) -> Iterator[str]:
    if not callable(thing):
        return
    docstring = getattr(thing, "__doc__", None)
    if isinstance(docstring, str) and len(docstring.split()) >= MIN_WORDS:
        yield " ".join(docstring.split())[:MAX_CHARS]


def _modules(name: str) -> Iterator[ModuleType]:
    for part in ("", *PARTS.get(name, "").split()):
        with (
            warnings.catch_warnings(),
            contextlib.suppress(ImportError),
            contextlib.redirect_stdout(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield importlib.import_module(f"{name}.{part}" if part else name)
