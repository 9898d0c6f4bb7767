"""Runs cases and says which failed, each with the command that runs it again."""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from . import known, pool
from .bases import Bases, build_bases
from .cases import OWNER, case, whole_cases
from .worker import VERDICTS, Outcome


def main() -> int:
    """Exit code 0 where every outcome is allowed or known, 1 otherwise, 2 where this platform cannot fork."""
    options = _options()
    if not hasattr(os, "fork"):
        print("skipped: the fuzzer needs os.fork, which this platform does not have")
        return 2
    with tempfile.TemporaryDirectory(prefix="onnxspec-fuzz-") as folder:
        bases = build_bases(Path(folder))
    if options.case is not None:
        return _one(bases, options.seed, options.case, options.keep)
    done = _done(options.log)
    numbers = [n for n in range(options.start, options.start + options.count) if n not in done]
    if options.kind:
        numbers = [n for n in numbers if case(bases, options.seed, n).kind == options.kind]
    every = max(1, options.count // options.real) if options.real else 0
    began, found = time.monotonic(), []
    for outcome in pool.run(bases, options.seed, numbers, options.workers):
        found.append(_told(outcome, options))
    if every:
        found += [
            _told(outcome, options)
            for outcome in pool.real(bases, options.seed, numbers[::every][: options.real], options.workers)
        ]
    return _summary(bases, found, time.monotonic() - began, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--count", type=int, default=1500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--real", type=int, default=0, help="that many cases through the real command, too")
    parser.add_argument("--kind", default="", help="cases of this kind only")
    parser.add_argument("--log", type=Path, help="outcomes are added to this file; those in it are not run again")
    parser.add_argument("--case", type=int, help="one case, in the foreground")
    parser.add_argument("--keep", type=Path, help="with --case: the folder that keeps its files")
    return parser.parse_args()


def _told(outcome: Outcome, options: argparse.Namespace) -> Outcome:
    if options.log:
        with options.log.open("a") as log:
            print(outcome.to_json(), file=log)
    if outcome.error.startswith("contained"):
        print(f"{outcome.error}: {outcome.kind}, case {outcome.number}, {outcome.damage[:200]}", flush=True)
    if outcome.failure and not known.reason(outcome):
        print(_failure(outcome, options.seed), flush=True)
    return outcome


def _failure(outcome: Outcome, seed: int) -> str:
    return (
        f"FAILED {outcome.kind} ({OWNER[outcome.kind]}): {outcome.failure}\n    damage: {outcome.damage[:300]}\n"
        f"    again: python -m tests.fuzz --case {outcome.number} --seed {seed}"
    )


def _done(log: Path | None) -> set[int]:
    if log is None or not log.exists():
        return set()
    return {json.loads(line)["number"] for line in log.read_text().splitlines() if line.endswith("}")}


def _one(bases: Bases, seed: int, number: int, keep: Path | None) -> int:
    one = case(bases, seed, number)
    print(f"{one.kind}: {one.damage}\nonnxspec {' '.join(one.arguments)}")
    if keep is not None:
        for name, content in one.files.items():
            (keep / "in" / name).parent.mkdir(parents=True, exist_ok=True)
            (keep / "in" / name).write_bytes(content)
        (keep / "out").mkdir(exist_ok=True)
    outcome = next(pool.run(bases, seed, [number], 1))
    print(outcome.error)
    print(f"exit code {outcome.code}, {outcome.seconds:.2f} s, judged: {outcome.judged}")
    print(_failure(outcome, seed) if outcome.failure else "allowed")
    return int(bool(outcome.failure))


def _summary(bases: Bases, found: list[Outcome], seconds: float, options: argparse.Namespace) -> int:
    whole = len(whole_cases(bases))
    failed = [o for o in found if o.failure and not known.reason(o)]
    refused = [o for o in found if o.number < whole and (o.code not in VERDICTS or not o.judged)]
    for outcome in refused:
        print(
            f"FAILED whole {outcome.kind} {outcome.damage}: code {outcome.code}, judged {outcome.judged}: {outcome.error[-400:]}"
        )
    codes = Counter(o.code for o in found)
    accepted = [o for o in found if o.code in VERDICTS]
    print(
        f"{len(found)} cases in {seconds:.0f} s: exit codes {dict(sorted(codes.items()))}; "
        f"{len(accepted)} accepted, {sum(not o.judged for o in accepted)} of them judged in part; slowest "
        f"{max((o.seconds for o in found), default=0):.1f} s; peak memory {max((o.peak_bytes for o in found), default=0) >> 20} MB; "
        f"{sum(o.error.startswith('contained') for o in found)} contained by the parent; "
        f"{sum(bool(known.reason(o)) for o in found)} known failures, {len(failed)} new"
    )
    return int(bool(failed or refused))


if __name__ == "__main__":
    sys.exit(main())
