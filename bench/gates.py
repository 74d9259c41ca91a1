"""Do the gates hold? Bad candidates made by code have to be stopped by the right gate, good ones let through.

    python bench/gates.py [--home .assay] [--work DIR] [--only NAME …] [--write docs/attack.md]
    python bench/gates.py --kind good --work OTHER --outcomes DIR      # a second one beside it

Starts from an installation with a champion (`make run`); nothing of it is touched. Every candidate goes
through the real checks and the real rules. Of a bad one only what its gate judges by is measured; of a good
one everything. Training for the fleet is kept in --work, what the same code and configuration judged in
--outcomes: a run that was stopped goes on where it was.
"""

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fleet.bad import BAD
from fleet.good import GOOD
from fleet.kept import KeptOutcomes
from fleet.measure import Outcome, judged
from fleet.report import figures, markdown
from fleet.yard import Yard
from results import publish


def main() -> int:
    """Judge the fleet and write what was seen; exit 1 when the targets are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path(os.environ.get("ASSAY_HOME", ".assay")))
    parser.add_argument("--work", type=Path, default=Path(".assay-fleet"))
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--kind", choices=("bad", "good"))
    parser.add_argument("--outcomes", type=Path, help="default: a directory in --work")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    yard = Yard.open(options.home.absolute(), options.work.absolute())
    kept = KeptOutcomes.open(options.outcomes or options.work / "outcomes")
    wanted = {"bad": BAD, "good": GOOD}.get(options.kind, (*BAD, *GOOD))
    members = [member for member in wanted if not options.only or member.name in options.only]
    outcomes: list[Outcome] = []
    for member in members:
        outcome = kept.of(member) or kept.keep(judged(yard, member))
        outcomes.append(outcome)
        print(f"{outcome.mark:9} {member.name:24} {outcome.seconds:6.0f} s  {outcome.headline}", flush=True)
    found = figures(outcomes)
    if not options.only and not options.kind:
        publish("gates", found, parameters={"profile": yard.workspace.project.profile})
    else:
        print(json.dumps(found, indent=1))
    if options.write:
        options.write.write_text(markdown(outcomes), encoding="utf-8")
    return (
        0 if found["caught_by_the_right_gate"] == found["bad"] and found["false_block_share"] <= 0.05 else 1
    )


if __name__ == "__main__":
    sys.exit(main())
