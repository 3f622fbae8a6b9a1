"""Pictures of runs, drawn beside the requests: one at a time, and only for who does not have it yet."""

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import msgspec
from litestar import Response

from whatnext_service.api.call import Call
from whatnext_service.core.chart import Chart, Source, chart_of

SVG: Literal["image/svg+xml"] = "image/svg+xml"
PNG: Literal["image/png"] = "image/png"


class Painter:
    """The one thread that draws: matplotlib allows no second one."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="painter")

    async def paint(self, call: Call, source: Source, max_points: int | None, media: str) -> Response[Any]:
        """The picture, or 304; the tag names what is drawn."""

        def work() -> tuple[str, bytes | None]:
            chart = chart_of(source, max_points)
            tag = hashlib.sha256(media.encode() + msgspec.json.encode(chart)).hexdigest()[:32]
            return tag, None if call.knows(tag) else _drawn(chart, media)

        tag, body = await asyncio.get_running_loop().run_in_executor(self._thread, work)
        return call.tagged(body, tag, media)


def _drawn(chart: Chart, media: str) -> bytes:
    # Imported by the first picture: the import takes half a second, and the start of the server need not.
    from whatnext_service.render.chart import draw

    return draw(chart, SVG if media == SVG else PNG)
