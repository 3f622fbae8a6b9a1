"""Replay advice against real training surfaces: mean test regret after N experiments, in points of 10.

`python -m tests.bench.replay FOLDER` reads every surface of the folder, prints one table and writes replay.json.
`--policies` and `--repetitions` shorten it; Optuna's GP sampler takes part where torch is installed.
`--resample K` judges by K redrawn surfaces of each shape (`tests.bench.resampled`) instead of the one split at hand,
with standard errors and every rival's regret as a multiple of the advice's, and writes nothing.

Regret is the best cell's test score minus the test score of what the policy holds best; an exhaustive search that
chooses by the held-out score has itself 0.10 to 0.25.

`whatnext` is the advice as it stands: it stops when the advice says so, after the number of experiments shown, and
holds what it has from then on. `whatnext_to_the_end` is somebody who declines every end and spends all twelve.

The loop starts as a person would start it: one base model, the first data version. The other versions appear once the
first run has finished, with nothing but their lineage and size: known contradictions are withheld, else the advice
would clean the data before its first experiment, and the scenarios start on v1.
"""

import argparse
import json
import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from tests.bench.resampled import SHAPES, ResampledSurface
from tests.bench.rivals import NEEDS_TORCH, Make, rivals
from tests.bench.surface_loop import SurfaceLoop
from tests.bench.surfaces import Config, Surface, best_test, read_surfaces, spaces, start_model

N_EXPERIMENTS = 12
REPETITIONS = 12
SCENARIOS = ("full", "hot", "dose")
DEFAULT_FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "surfaces"
SHOWN = (1, 2, 4, 8, 12)
RESAMPLED_SHOWN = (2, 4, 12)

Curve = list[float]
"""Test score of what is held best after each experiment."""
ADVISED = {"whatnext": False, "whatnext_to_the_end": True}
"""The policies that follow the advice, and whether they decline to leave the loop."""


def follow_advice(surface: Surface, space: list[Config], seed: int, *, declines_ends: bool) -> Curve:
    """What the planner holds best after each experiment it advised, as far as it advised any."""
    loop = SurfaceLoop(surface, space, seed, declines_ends=declines_ends)
    held: Curve = []
    while len(held) < N_EXPERIMENTS and loop.experiment():
        held.append(loop.held_test_score()[0])
    return held


def follow_rival(make: Make, all_checkpoints: bool, surface: Surface, space: list[Config], seed: int) -> Curve:
    """What has the highest held-out score after each experiment, the untuned model included; fewer in a small space."""
    rival = make(space, surface, seed)
    rng = random.Random(seed + 1)
    untuned = surface.baseline[start_model(space)]
    best, held = (float(untuned["dev"]), float(untuned["test"])), []
    while len(held) < N_EXPERIMENTS and (config := rival.ask()) is not None:
        seen = surface.observe(config, rng)
        scored = seen.checkpoints if all_checkpoints else seen.checkpoints[-1:]
        top = max(scored, key=lambda each: float(each["dev"]))
        rival.tell(seen, float(top["dev"]))
        best = max(best, (float(top["dev"]), float(top["test"])), key=lambda each: each[0])
        held.append(best[1])
    return held


class Regrets(NamedTuple):
    """How a policy did in one scenario."""

    per_surface: list[list[float]]
    """Mean regret after 1 to 12 experiments on each surface that has the scenario."""
    within_5pct: list[float]
    """Experiments that each replay took to come within 5 % of the best test score."""
    experiments: list[int]
    """Experiments that each replay made."""


def regrets(surfaces: list[Surface], scenario: str, policy: str, repetitions: int) -> Regrets:
    """Replay a policy in every space of a scenario."""
    known = rivals()
    done = Regrets([], [], [])
    for surface in surfaces:
        found: list[list[float]] = []
        for space in spaces(surface, scenario):
            top = best_test(surface, space)
            for repetition in range(repetitions):
                seed = 1000 * (surface.draw_number + repetition) + 17
                made = (
                    follow_advice(surface, space, seed, declines_ends=ADVISED[policy])
                    if policy in ADVISED
                    else follow_rival(*known[policy], surface, space, seed)
                )
                held = _padded(made, float(surface.baseline[start_model(space)]["test"]))
                found.append([top - score for score in held])
                close = [n for n, score in enumerate(held, start=1) if score >= 0.95 * top]
                done.within_5pct.append(close[0] if close else N_EXPERIMENTS + 1)
                done.experiments.append(len(made))
        if found:
            done.per_surface.append(np.mean(found, axis=0).tolist())
    return done


def replay(surfaces: list[Surface], policies: list[str], repetitions: int) -> dict[str, dict[str, dict[str, object]]]:
    """Every scenario and policy: mean regret after 1 to 12 experiments, how many it took to come within 5 %, and how
    many it made."""
    table: dict[str, dict[str, dict[str, object]]] = {}
    for scenario in SCENARIOS:
        table[scenario] = {}
        for policy in policies:
            done = regrets(surfaces, scenario, policy, repetitions)
            if done.per_surface:
                mean = np.mean(done.per_surface, axis=0).tolist()
                table[scenario][policy] = {
                    "regret": {str(n): round(value, 4) for n, value in enumerate(mean, start=1)},
                    "within_5pct": round(float(np.median(done.within_5pct)), 1),
                    "experiments": round(float(np.mean(done.experiments)), 1),
                }
    return table


def print_resampled(surfaces: list[Surface], policies: list[str], n_draws: int) -> None:
    """Each scenario, shape and policy: mean regret, its standard error over redrawn surfaces, and the rivals' ratio."""
    for scenario in SCENARIOS:
        header = "".join(f"{f'N={n}':>14}" for n in RESAMPLED_SHOWN)
        print(f"{scenario}: mean test regret over {n_draws} draws of each surface\n  {'':<32}{header}")
        for shape in SHAPES:
            drawn: list[Surface] = [ResampledSurface(each, shape, seed) for each in surfaces for seed in range(n_draws)]
            own: npt.NDArray[np.float64] | None = None
            for policy in policies:
                done = regrets(drawn, scenario, policy, 1)
                if not done.per_surface:
                    continue
                table = np.array(done.per_surface)[:, [n - 1 for n in RESAMPLED_SHOWN]]
                mean, error = table.mean(axis=0), table.std(axis=0, ddof=1) / math.sqrt(len(table))
                values = "".join(f"{f'{m:.3f} +-{e:.3f}':>14}" for m, e in zip(mean, error, strict=True))
                own = mean if policy == "whatnext" else own
                ratio = "" if own is None else "   x" + " / ".join(f"{value:.1f}" for value in mean / own)
                print(f"  {shape:<8}{policy:<24}{values}{ratio}", flush=True)
        print()


def printed(table: dict[str, dict[str, dict[str, object]]]) -> str:
    """The table for people."""
    lines = []
    for scenario, policies in table.items():
        header = "".join(f"{f'N={n}':>8}" for n in SHOWN)
        lines += [f"{scenario}: mean test regret", f"  {'policy':<24}{header}{'within 5 %':>12}{'made':>7}"]
        for policy, figures in policies.items():
            regret = figures["regret"]
            assert isinstance(regret, dict)
            values = "".join(f"{regret[str(n)]:>8.2f}" for n in SHOWN)
            lines.append(f"  {policy:<24}{values}{figures['within_5pct']:>12}{figures['experiments']:>7}")
        lines += [f"  {name:<24}   not run: needs torch" for name in NEEDS_TORCH if name not in rivals()]
        lines.append("")
    return "\n".join(lines)


def _padded(held: Curve, untuned: float) -> Curve:
    last = held[-1] if held else untuned
    return held + [last] * (N_EXPERIMENTS - len(held))


def main() -> None:
    """Read the folder, replay, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--policies", nargs="*", default=[*ADVISED, *rivals()])
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    parser.add_argument("--resample", type=int, metavar="K", help="redraw every surface K times in each shape")
    parser.add_argument("--output", type=Path, default=Path("replay.json"))
    arguments = parser.parse_args()
    surfaces = read_surfaces(arguments.folder)
    if not surfaces:
        raise SystemExit(f"no *.json.gz of schema ft-surface/1 in {arguments.folder}")
    if arguments.resample:
        print_resampled(surfaces, arguments.policies, arguments.resample)
        return
    table = replay(surfaces, arguments.policies, arguments.repetitions)
    print(printed(table))
    arguments.output.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
