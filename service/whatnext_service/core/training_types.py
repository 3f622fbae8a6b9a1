"""How much data each training type wants (method, section 6.4)."""

from whatnext_service.core.loops import Method

WANTED_EXAMPLES: tuple[tuple[Method, int, int], ...] = (("sft", 50, 5000), ("dpo", 500, 5000), ("rft", 200, 2000))
"""Method, fewest and most: pairs for SFT, preference pairs for DPO, prompts for RFT."""


def wanted_examples(method: Method) -> tuple[int, int]:
    """Fewest and most examples: SFT 50-5,000 pairs, DPO 500-5,000 preference pairs, RFT 200-2,000 prompts."""
    return next((least, most) for name, least, most in WANTED_EXAMPLES if name == method)
