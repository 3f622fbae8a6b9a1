"""Personal data and secrets in a text, by their shape."""

import re

_SECRETS = tuple(
    (sign, re.compile(pattern))
    for sign, pattern in (
        ("PRIVATE KEY-----", r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
        ("sk-", r"\bsk-(?:proj-|ant-|live_|test_)?[A-Za-z0-9_-]{20,}"),
        ("k_live_", r"\b[sr]k_live_[A-Za-z0-9]{16,}"),
        ("AKIA", r"\bAKIA[A-Z0-9]{16}\b"),
        ("ASIA", r"\bASIA[A-Z0-9]{16}\b"),
        ("ghp_", r"\bghp_[A-Za-z0-9]{30,}"),
        ("gho_", r"\bgho_[A-Za-z0-9]{30,}"),
        ("ghs_", r"\bghs_[A-Za-z0-9]{30,}"),
        ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{40,}"),
        ("xox", r"\bxox[abposr]-[A-Za-z0-9-]{10,}"),
        ("AIza", r"\bAIza[A-Za-z0-9_-]{30,}"),
        ("hf_", r"\bhf_[A-Za-z0-9]{30,}"),
        ("glpat-", r"\bglpat-[A-Za-z0-9_-]{20,}"),
        ("eyJ", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    )
)
"""What must occur before the pattern is worth trying, and the pattern."""
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@(?!example\.)[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_PHONE = re.compile(r"(?<![\w.])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])")
_CARD = re.compile(r"(?<![\d.-])(?:\d[ -]?){12,18}\d(?![\d.-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b")
_THREE_DIGITS = re.compile(r"\d{3}")


def find_private(text: str) -> tuple[bool, bool]:
    """Tell whether a text holds personal data (e-mail, telephone, social security, card, IBAN), and whether a secret.

    A card number counts only with a right check digit, an IBAN only with a right remainder.
    """
    secret = any(sign in text and pattern.search(text) is not None for sign, pattern in _SECRETS)
    personal = "@" in text and _EMAIL.search(text) is not None
    if not personal and _THREE_DIGITS.search(text):
        personal = (
            _SSN.search(text) is not None
            or _PHONE.search(text) is not None
            or any(_passes_luhn(found.group()) for found in _CARD.finditer(text))
            or any(_passes_mod_97(found.group()) for found in _IBAN.finditer(text))
        )
    return personal, secret


def _passes_luhn(text: str) -> bool:
    digits = [int(char) for char in text if char.isdigit()]
    doubled = [digit * 2 - 9 if digit > 4 else digit * 2 for digit in digits[-2::-2]]
    return len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _passes_mod_97(text: str) -> bool:
    bare = text.replace(" ", "")
    turned = bare[4:] + bare[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1
