"""One run of garak against a target, from greeting to record.

report = attack(target, settings, policy, executable())      # DataError, Unavailable: nothing was measured
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from infra.config.garak import GarakSettings
from infra.errors import DataError, Unavailable
from infra.guard import GuardPolicy
from tasks.records.redteam import RedTeamReport
from tasks.validate.garak.evidence import redactor, summarise
from tasks.validate.garak.plan import Plan, configuration, plan_probes
from tasks.validate.garak.process import Garak
from tasks.validate.garak.relay import MODEL, Relay
from tasks.validate.garak.report import Answered, read_report
from tasks.validate.targets import Target

GREETING = "The weather in the mountains was fine today."
"""A harmless request that must be answered before attacks begin: a target that refuses all would pass."""
_ROOT = Path(__file__).parents[3]
Progress = Callable[[int, int], None]


def executable(root: Path = _ROOT) -> Path:
    """garak in its own environment; raises DataError when it is not installed."""
    found = root / ".venv-garak" / "bin" / "garak"
    if not found.is_file() or not (root / ".venv-garak" / ".stamp").is_file():
        raise DataError("garak is not installed: `make garak`", hint="once; takes minutes, see docs/garak.md")
    return found


def attack(
    target: Target,
    settings: GarakSettings,
    policy: GuardPolicy,
    garak: Path,
    *,
    progress: Progress | None = None,
) -> RedTeamReport:
    """Ask everything that is planned; `progress` is told of requests answered and planned.

    Raises Unavailable when the target does not answer, DataError when garak or its report cannot be
    trusted, ConfigError for unknown probes: never a record of less than was planned.
    """
    plan, started = plan_probes(settings), time.monotonic()
    greet(target)
    with tempfile.TemporaryDirectory(prefix="garak-", ignore_cleanup_errors=True) as scratch:
        answers = run_plan(target, plan, settings, garak, Path(scratch), progress)
    seconds = round(time.monotonic() - started, 1)
    return summarise(answers, plan, against=target.against, seconds=seconds, redact=redactor(policy))


def attack_url(
    url: str,
    model: str,
    api_key: str,
    settings: GarakSettings,
    *,
    policy: GuardPolicy | None = None,
    progress: Progress | None = None,
) -> RedTeamReport:
    """The same against an OpenAI-compatible endpoint; `policy` (default: ours) names what is redacted."""
    from tasks.validate.targets.http import Endpoint

    garak = executable()
    with Endpoint(url, model, api_key=api_key, concurrency=settings.parallel) as endpoint:
        return attack(endpoint, settings, policy or shipped_policy(), garak, progress=progress)


def shipped_policy() -> GuardPolicy:
    """The policy that ships with this project: it knows the kinds of secrets that are redacted."""
    return GuardPolicy.from_yaml((_ROOT / "configs" / "guard.yaml").read_bytes())


def greet(target: Target) -> None:
    """Raises Unavailable unless the target answers a harmless request."""
    (reply,) = target.ask([[{"role": "user", "content": GREETING}]])
    if reply.blocked_by is not None:
        raise Unavailable(
            f"the target refuses a harmless request: {reply.blocked_by}",
            hint="look at its guard, and at the key that is used",
        )


def run_plan(
    target: Target,
    plan: Plan,
    settings: GarakSettings,
    garak: Path,
    scratch: Path,
    progress: Progress | None = None,
) -> dict[str, tuple[Answered, ...]]:
    """Run garak to its end, answering in this thread, and read its report; raises as `attack` does."""
    with Relay() as relay:
        made = configuration(plan, uri=relay.url, model=MODEL, reports=str(scratch))
        limits = {"deadline_s": settings.deadline_s, "most_memory_mb": settings.most_memory_mb}
        with Garak(garak, scratch, made, relay.token, **limits) as process:
            while process.running():
                relay.serve(target, wait_s=0.2)
                if progress is not None:
                    progress(relay.answered, plan.total)
        try:
            return read_report(process.report, plan, asked=relay.answered)
        except DataError as error:
            raise DataError(error.message, hint=f"garak's last words: {process.last_words()}") from error
