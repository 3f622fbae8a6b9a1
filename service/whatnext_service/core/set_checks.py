"""Checks on a dataset as a whole: size, lengths, shapes of answers, system prompts, grader fields, private data."""

import numpy as np

from whatnext_service.core.check_outcome import Outcome, conclude, grade, share
from whatnext_service.core.corpus import Corpus, Numbers
from whatnext_service.core.loops import Method
from whatnext_service.core.quality import CheckVerdict, JudgeScores, OtherSet
from whatnext_service.core.row_judge import MIN_SCORED

GUIDED_SIZE: dict[Method, tuple[int, int]] = {"sft": (50, 5_000), "dpo": (500, 5_000), "rft": (200, 2_000)}
"""Fewest and most examples that each method wants (method 6.4)."""
EXCELLENT_SIZE = 300
"""From here good examples beat more examples (method 6.1)."""
MAX_ROW_TOKENS = 65_536
"""Longest training example of the models in the catalogue (OpenAI's fine-tuning guide); overridable."""
_SHAPES = ("text", "JSON object", "JSON list", "tool call")


def check_size(corpus: Corpus) -> Outcome:
    """Examples against what the method wants: SFT 50-5,000, DPO 500-5,000, RFT 200-2,000 (method 6.4); critical below
    50, where fine-tuning is not worth trying (method 6)."""
    method = corpus.methods[0] if corpus.methods else "sft"
    least, most = GUIDED_SIZE[method]
    verdict: CheckVerdict = "good"
    remedy = None
    statement = f"{corpus.n_rows} examples; {method.upper()} wants {least} to {most}."
    if corpus.n_rows < least:
        verdict = "critical" if corpus.n_rows < 50 else "caution"
        aim = max(least, EXCELLENT_SIZE) if method == "sft" else least
        remedy = f"Add {aim - corpus.n_rows} examples of the inputs that the model fails on, to have {aim}."
    elif corpus.n_rows > most:
        verdict, remedy = "caution", "Keep the best by score: 300 to 500 excellent examples often beat many mediocre."
    return conclude(
        corpus,
        "size",
        verdict,
        statement,
        value=float(corpus.n_rows),
        threshold=float(most if corpus.n_rows > most else least),
        n_rows=0,
        remedy=remedy,
        operation="keep_by_score" if corpus.n_rows > most else "add_examples",
        source="method 6.4",
    )


def check_row_length(corpus: Corpus, max_row_tokens: int) -> Outcome:
    """Rows over the model's limit, which the platform cuts or refuses: critical from the first (method 9)."""
    rows = np.flatnonzero(corpus.tokens > max_row_tokens)
    longest = int(corpus.tokens.max()) if corpus.n_rows else 0
    return conclude(
        corpus,
        "row_length",
        "critical" if len(rows) else "good",
        f"{len(rows)} rows are longer than {max_row_tokens} tokens; the longest has about {longest} (estimated).",
        value=float(longest),
        threshold=float(max_row_tokens),
        rows=rows,
        note=lambda row: f"about {corpus.tokens[row]} tokens",
        remedy="Shorten or drop these rows.",
        operation="drop_ids",
        source="method 9",
    )


def check_answer_shape(corpus: Corpus) -> Outcome:
    """Answers of one shape with a few of another: caution where under 10 % depart (method 5, style mismatch)."""
    if corpus.methods == ("rft",) or not corpus.n_rows:
        statement = "RFT rows have no answer."
        return conclude(corpus, "answer_shape", "not_computed", statement, source="method 5")
    counts = np.bincount(corpus.shapes, minlength=len(_SHAPES))
    usual = int(counts.argmax())
    departing = np.flatnonzero(corpus.shapes != usual)
    part = share(len(departing), corpus.n_rows)
    odd = 0 < part < 0.1 and usual in (1, 2)
    named = ", ".join(f"{count} {name}" for name, count in zip(_SHAPES, counts, strict=True) if count)
    return conclude(
        corpus,
        "answer_shape",
        "caution" if odd else "good",
        f"Shapes of the answers: {named}.",
        value=part,
        threshold=0.1,
        rows=departing if odd else None,
        scores=0.3,
        note=lambda row: f"{_SHAPES[corpus.shapes[row]]} where most are {_SHAPES[usual]}",
        remedy="Correct these answers to the shape of the others, or drop them.",
        operation="drop_ids",
        source="method 5",
    )


def check_refusals(corpus: Corpus) -> Outcome:
    """Answers that refuse: caution from 1 %, critical from 10 %, for the model learns to refuse (method 6.1)."""
    rows = np.flatnonzero(corpus.refusals)
    part = share(len(rows), corpus.n_rows)
    return conclude(
        corpus,
        "refusals",
        grade(part, 0.01, 0.1),
        f"{len(rows)} of {corpus.n_rows} answers refuse ({part:.1%}).",
        value=part,
        threshold=0.01,
        rows=rows,
        scores=0.3,
        remedy="Keep only the refusals you want to be learnt.",
        operation="drop_ids",
        source="method 6.1",
    )


def check_length_mix(corpus: Corpus, others: tuple[OtherSet, ...]) -> Outcome:
    """Median length of prompts and answers against each held-out set's: caution beyond a factor of 2 (method 3)."""
    worst, said = 1.0, "No held-out set was compared."
    for other in others:
        if not other.corpus.n_rows or not corpus.n_rows:
            continue
        for what, mine, theirs in (
            ("prompt", _prompt_tokens(corpus), _prompt_tokens(other.corpus)),
            ("answer", corpus.answer_tokens, other.corpus.answer_tokens),
        ):
            a, b = float(np.median(mine)), float(np.median(theirs))
            ratio = max(a, 1.0) / max(b, 1.0)
            if max(ratio, 1 / ratio) >= worst:
                worst = max(ratio, 1 / ratio)
                said = f"The median {what} has about {a:.0f} tokens here and {b:.0f} in {other.name}."
    return conclude(
        corpus,
        "length_mix",
        ("caution" if worst > 2 else "good") if others else "not_computed",
        said,
        value=worst if others else None,
        threshold=2.0,
        n_rows=0,
        remedy="Train on examples as long as those the model will meet.",
        operation="add_examples",
        source="method 3",
    )


def check_system_prompt(corpus: Corpus, others: tuple[OtherSet, ...]) -> Outcome:
    """One system prompt in nearly all rows with others in a few, or another in a held-out set: caution (method 5)."""
    if not corpus.n_rows:
        return conclude(corpus, "system_prompt", "not_computed", "There are no rows.", source="method 5")
    counts = np.bincount(corpus.systems, minlength=len(corpus.system_names))
    usual = int(counts.argmax())
    part = share(int(counts[usual]), corpus.n_rows)
    drifted = 0.5 <= part < 1.0
    foreign = [
        other.name
        for other in others
        if other.corpus.n_rows and part > 0.5 and corpus.system_names[usual] not in other.corpus.system_names
    ]
    statement = f"{len(counts)} system prompts; the most frequent is in {part:.0%} of the rows."
    if not corpus.system_names[usual]:
        statement = f"{part:.0%} of the rows have no system prompt."
    if foreign:
        statement += f" It does not occur in {', '.join(foreign)}."
    return conclude(
        corpus,
        "system_prompt",
        "caution" if drifted or foreign else "good",
        statement,
        value=part,
        threshold=1.0,
        rows=np.flatnonzero(corpus.systems != usual) if drifted else None,
        scores=0.8,
        remedy="Train with the system prompt the model will be used with, the same in every row and in the evaluation.",
        source="method 5",
    )


def check_grader_fields(corpus: Corpus, others: tuple[OtherSet, ...]) -> Outcome:
    """RFT: fields that some rows lack, that never vary, or that another set has otherwise: caution (hazards 12)."""
    if corpus.methods != ("rft",):
        return conclude(corpus, "grader_fields", "not_computed", "Only RFT rows have them.", source="hazards 12")
    said = []
    missing = [name for name, n in zip(corpus.field_names, corpus.field_counts, strict=True) if n < corpus.n_rows]
    constant = [name for name, same in zip(corpus.field_names, corpus.field_constant, strict=True) if same]
    if missing:
        said.append(f"Some rows lack {_named(missing)}.")
    if constant and corpus.n_rows > 1:
        said.append(f"The same in every row: {_named(constant)}.")
    for other in others:
        only_here = sorted(set(corpus.field_names) - set(other.corpus.field_names))
        only_there = sorted(set(other.corpus.field_names) - set(corpus.field_names))
        if only_here or only_there:
            said.append(f"Not in both this set and {other.name}: {_named([*only_here, *only_there])}.")
    return conclude(
        corpus,
        "grader_fields",
        "caution" if said else "good",
        " ".join(said) or f"Every row has {_named(list(corpus.field_names))}.",
        value=float(len(missing) + len(constant)),
        threshold=1.0,
        n_rows=0,
        remedy="Give the grader the same fields in every row of every set; a constant one tells it nothing.",
        source="hazards 12",
    )


def check_private(corpus: Corpus) -> tuple[Outcome, Outcome]:
    """Personal data (caution) and secrets (critical) by their shape, from the first."""
    people, secrets = np.flatnonzero(corpus.personal), np.flatnonzero(corpus.secrets)
    personal = conclude(
        corpus,
        "personal_data",
        "caution" if len(people) else "good",
        f"{len(people)} rows hold e-mail addresses, telephone, card or identity numbers.",
        value=share(len(people), corpus.n_rows),
        threshold=0.0,
        rows=people,
        scores=0.9,
        remedy="Replace them by made-up ones, or make sure that they may be used.",
        source="by shape",
    )
    secret = conclude(
        corpus,
        "secrets",
        "critical" if len(secrets) else "good",
        f"{len(secrets)} rows hold keys or tokens.",
        value=share(len(secrets), corpus.n_rows),
        threshold=0.0,
        rows=secrets,
        remedy="Drop these rows and revoke the keys: a tuned model can repeat them.",
        operation="drop_ids",
        source="by shape",
    )
    return personal, secret


def check_judge(corpus: Corpus, judged: JudgeScores | None) -> Outcome:
    """Rows that a judge scored too low: caution from 5 % of those it scored, critical from 25 % (method 6.1).

    Fewer than ten scores say nothing, nor do those of a judge that attacks in the answer's place could influence.
    """
    scores = np.frombuffer(judged.scores if judged else b"", dtype="<f8")
    n_scored = int(np.isfinite(scores).sum())
    if judged is None or n_scored < MIN_SCORED or not judged.resists:
        statement = "No judge has scored the rows."
        if judged is not None:
            statement = f"A judge scored {n_scored} of {corpus.n_rows} rows; fewer than {MIN_SCORED} say nothing."
        if judged is not None and not judged.resists:
            statement = "Attacks raised the judge's score: its scores cannot be trusted."
        return conclude(corpus, "judge", "not_computed", statement, source="method 6.1")
    rows = np.flatnonzero(scores < judged.threshold)
    part = share(len(rows), n_scored)
    return conclude(
        corpus,
        "judge",
        grade(part, 0.05, 0.25),
        f"A judge scored {len(rows)} of {n_scored} rows below {judged.threshold:g} ({part:.1%})"
        f"{'' if n_scored == corpus.n_rows else f'; it saw a sample of {corpus.n_rows}'}.",
        value=part,
        threshold=0.05,
        rows=rows,
        scores=np.clip(scores[rows] / max(judged.threshold, 1e-9), 0.0, 1.0),
        note=lambda row: f"scored {scores[row]:g}",
        remedy="Drop or rewrite what is correct but not ideal.",
        operation="keep_by_score",
        source="method 6.1",
    )


def _prompt_tokens(corpus: Corpus) -> Numbers:
    return corpus.tokens - np.minimum(corpus.answer_tokens, corpus.tokens)


def _named(names: list[str]) -> str:
    return ", ".join(f"`{name[:40]}`" for name in names[:8]) or "no field"
