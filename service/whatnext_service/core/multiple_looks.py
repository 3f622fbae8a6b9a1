"""What several comparisons at once do to a p-value."""


def holm(p_values: tuple[float, ...]) -> tuple[float, ...]:
    """p-values corrected for their number by Holm's step-down method, in the order given (evidence 1)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    corrected = [0.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(order):
        reached = max(reached, min(1.0, p_values[index] * (len(p_values) - rank)))
        corrected[index] = reached
    return tuple(corrected)
