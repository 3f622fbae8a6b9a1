"""How the demo's loop ended."""

import msgspec

from whatnext_service.demo.prepare import Goal


class Outcome(msgspec.Struct, kw_only=True, frozen=True):
    """How the loop ended."""

    goal: Goal
    kind: str
    headline: str
    n_steps: int
