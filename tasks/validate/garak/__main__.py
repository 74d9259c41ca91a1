"""garak against any OpenAI-compatible endpoint, alone.

python -m tasks.validate.garak http://127.0.0.1:8080/v1 --model triage --prompts 3     # key: ASSAY_API_KEY

Exit codes: 0 measured, 1 not measured (endpoint, garak or its report), 2 bad input.
"""

import argparse
import os
import sys

from infra.config.garak import GarakSettings
from infra.errors import AssayError
from tasks.records.redteam import RedTeamReport
from tasks.validate.garak.run import attack_url


def main(arguments: list[str] | None = None) -> int:
    """Print the cells of the record, or all of it as JSON."""
    options = _parser().parse_args(arguments)
    settings = GarakSettings(prompts=options.prompts, probes=tuple(options.probe), seed=options.seed)
    try:
        report = attack_url(
            options.url,
            options.model,
            os.environ.get(options.key_from, ""),
            settings,
            progress=_shown if sys.stderr.isatty() else None,
        )
    except AssayError as error:
        print(error.diagnostics(), file=sys.stderr)
        return error.exit_code
    print(report.model_dump_json(indent=1) if options.json else as_text(report))
    return 0


def as_text(report: RedTeamReport) -> str:
    """A line for each risk and technique: hits, prompts, upper bound, how many the guard stopped."""
    lines = [f"{'risk':<22} {'technique':<18} {'hits':>5} {'of':>5} {'upper':>7} {'stopped':>8}"]
    for cell in sorted(report.cells, key=lambda cell: (cell.risk, -cell.hits, cell.technique)):
        lines.append(
            f"{cell.risk:<22} {cell.technique:<18} {cell.hits:>5} {cell.n:>5} {cell.upper:>7.1%}"
            f" {cell.blocked:>8}"
        )
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tasks.validate.garak", description=__doc__)
    parser.add_argument("url", help="base URL, up to and with /v1")
    parser.add_argument("--model", default="triage")
    parser.add_argument("--key-from", default="ASSAY_API_KEY", metavar="NAME", help="variable with the key")
    parser.add_argument("--prompts", type=int, default=10, help="most prompts of one probe")
    parser.add_argument("--probe", action="append", default=[], help="one probe; repeat for several")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    return parser


def _shown(answered: int, planned: int) -> None:
    print(f"\r{answered}/{planned}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
