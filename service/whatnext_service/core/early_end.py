"""When an evaluation ends before its last item: the caps its caller set, and when going on is pointless."""

from collections import Counter
from decimal import Decimal
from typing import Literal

import msgspec

EndedEarly = Literal["hopeless", "max_tokens", "max_cost", "failing", "cancelled"]
FAILING_AFTER = 20
"""Items that failed for good, without one that was answered, after which the rest is not asked."""
_PASSING = frozenset({"rate_limited", "unavailable", "timeout", "unreachable"})


class TokenPrices(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Prices of a million tokens, in the currency of the loop's budget."""

    prompt: Decimal
    completion: Decimal
    judge_prompt: Decimal = Decimal(0)
    judge_completion: Decimal = Decimal(0)
    embedding: Decimal = Decimal(0)


class Spent(msgspec.Struct, kw_only=True, frozen=True):
    """Tokens used so far: by the model under test, by the judge, and for the vectors that texts are compared by."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    judge_prompt_tokens: int = 0
    judge_completion_tokens: int = 0
    embedding_tokens: int = 0

    @property
    def tokens(self) -> int:
        """All of them."""
        judge = self.judge_prompt_tokens + self.judge_completion_tokens
        return self.prompt_tokens + self.completion_tokens + judge + self.embedding_tokens

    def plus(self, other: "Spent") -> "Spent":
        """Both together."""
        return Spent(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            judge_prompt_tokens=self.judge_prompt_tokens + other.judge_prompt_tokens,
            judge_completion_tokens=self.judge_completion_tokens + other.judge_completion_tokens,
            embedding_tokens=self.embedding_tokens + other.embedding_tokens,
        )


def cost_of(spent: Spent, prices: TokenPrices) -> Decimal:
    """What the tokens cost."""
    million = Decimal(1_000_000)
    return (
        spent.prompt_tokens * prices.prompt
        + spent.completion_tokens * prices.completion
        + spent.judge_prompt_tokens * prices.judge_prompt
        + spent.judge_completion_tokens * prices.judge_completion
        + spent.embedding_tokens * prices.embedding
    ) / million


def cap_reached(
    spent: Spent, *, max_tokens: int | None, max_cost: Decimal | None, prices: TokenPrices | None
) -> EndedEarly | None:
    """The cap that what was spent has reached; requests under way at that moment are still paid for."""
    if max_tokens is not None and spent.tokens >= max_tokens:
        return "max_tokens"
    if max_cost is not None and prices is not None and cost_of(spent, prices) >= max_cost:
        return "max_cost"
    return None


def failing(codes: tuple[str | None, ...]) -> bool:
    """Nothing but lasting faults in the first 20 items (a wrong key, an unknown model): the rest would fail too.

    `codes` holds each finished item's error, null for one that was answered. Faults that pass count for nothing.
    """
    lasting = Counter(codes)
    answered = lasting.pop(None, 0)
    return not answered and sum(n for code, n in lasting.items() if code not in _PASSING) >= FAILING_AFTER
