"""The synchronous half of the SDK, from the asynchronous source."""

import re

TOKENS = (
    (r"^\s*.*# async only\n", ""),
    (r"# sync only: ", ""),
    (r"\basync (def|for|with)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(Iterator|Iterable|Generator)\b", r"\1"),
    (r"\bAwaitable\[((?:[^\[\]]|\[[^\[\]]*\])*)\]", r"\1"),
    (r"\bAwaitable, ", ""),
    (r"\bAwaitable\[None\]", "None"),
    (r"\basyncio\.sleep\b", "time.sleep"),
    (r"^import asyncio$", "import time"),
    (r"\bhttpx\.Async(\w+)", r"httpx.\1"),
    (r"\bAsync([A-Z]\w*)", r"\1"),
    (r"\bwhatnext\.aio\b", "whatnext.sync"),
    (r"\bwhatnext\._async\b", "whatnext._sync"),
    (r"\b(__)a(enter|exit|iter|next)(__)", r"\1\2\3"),
    (r"\ba(close|read|iter_bytes|iter_lines|chunks)\b", r"\1"),
    (r"\basynchronous\b", "synchronous"),
)


def to_sync(source: str) -> str:
    """The same code without `async`: one token substitution after the other."""
    for pattern, replacement in TOKENS:
        source = re.sub(pattern, replacement, source, flags=re.MULTILINE)
    return _without_repeated_imports(source)


def _without_repeated_imports(source: str) -> str:
    seen: set[str] = set()
    kept: list[str] = []
    for line in source.splitlines(keepends=True):
        if line.startswith("import ") and line in seen:
            continue
        seen.add(line)
        kept.append(line)
    return "".join(kept)
