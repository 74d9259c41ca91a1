"""`assay redteam URL`: attack any OpenAI-compatible endpoint and say what got through. Needs no project."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.cli.output import Json, emit, explained

if TYPE_CHECKING:
    from tasks.records.redteam import RedTeamReport
    from tasks.validate.redteam.campaign import Progress
    from tasks.validate.redteam.corpus import Corpora
    from tasks.validate.targets import Target

_LIMIT_WITHOUT_GATES = 0.05
_BUDGETS = {"native": 300, "garak": 700}
_METRICS = {"native": "attack_success", "garak": "garak_attack_success"}


def redteam(
    url: Annotated[str, typer.Argument(help="Address up to /v1, for example http://127.0.0.1:8080/v1.")],
    model: Annotated[str, typer.Option("--model", help="Name of the model.")],
    api_key: Annotated[
        str, typer.Option("--api-key", help="Reference to the key: env:NAME, file:PATH, …; never the key.")
    ] = "",
    tier: Annotated[
        Literal["native", "garak"], typer.Option(help="Our own attacks, or garak's (`make garak`; minutes).")
    ] = "native",
    families: Annotated[str, typer.Option(help="Only these families, with commas between.")] = "",
    budget: Annotated[
        int | None, typer.Option(min=20, help="Attacks in all; default: 300, of garak 700.")
    ] = None,
    limit: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Most that the upper bound may be; default: the gate's."),
    ] = None,
    labels: Annotated[
        str, typer.Option(help="The model only answers these labels, with commas between: hijacks count.")
    ] = "",
    system_prompt: Annotated[
        Path | None, typer.Option(help="File with the endpoint's own system text, to see it leak.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Another seed, other variants.")] = 0,
    max_tokens: Annotated[int, typer.Option(min=1, help="Longest answer that is asked for.")] = 512,
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")] = 4,
    html: Annotated[Path | None, typer.Option("--html", help="Write the report to this file.")] = None,
    as_json: Json = False,
) -> None:
    """Attack an endpoint; exit code 3 when an upper bound exceeds the limit, 1 when it does not answer."""
    from infra import atomic
    from infra.config.secrets import resolve
    from tasks.records import Verdict
    from tasks.validate.redteam.endpoint import EndpointAttack, attack_endpoint, verdict
    from tasks.validate.redteam.table import as_page
    from tasks.validate.targets import Endpoint

    with explained(as_json):
        allowed = limit if limit is not None else _gate_limit(_METRICS[tier])
        budget = budget or _BUDGETS[tier]
        if tier == "garak":
            _refuse_for_garak({"families": families, "labels": labels, "system-prompt": system_prompt})
        key = resolve(api_key) if api_key else ""
        with (
            Endpoint(url, model, api_key=key, max_tokens=max_tokens, concurrency=concurrency) as endpoint,
            _progress() as progress,
        ):
            if tier == "garak":
                report = _garak(endpoint, budget, seed, concurrency, progress)
            else:
                attack = EndpointAttack(allowed, budget, seed, _listed(labels), _text(system_prompt))
                report = attack_endpoint(endpoint, _corpora(_listed(families), seed), attack, progress)
        found, reason = verdict(report, allowed)
        if html is not None:
            atomic.write_text(html.absolute(), as_page(report, f"Red team: {model}", allowed), mode=0o644)
        content = {
            "verdict": found.value,
            "reason": reason,
            "limit": allowed,
            "report": report.model_dump(mode="json"),
        }
        emit(content, as_json=as_json, text=_text_of(report, f"{found.value.upper()}: {reason}"))
        if found != Verdict.PASS:
            raise typer.Exit(3)


def _refuse_for_garak(options: dict[str, object]) -> None:
    from infra.errors import ConfigError

    for name, value in options.items():
        if value:
            raise ConfigError(f"--{name} is for the native tier: garak brings attacks of its own")


def _garak(
    target: "Target", budget: int, seed: int, concurrency: int, progress: "Progress"
) -> "RedTeamReport":
    """The report of garak's run; raises DataError for one that is not whole."""
    from infra.config.garak import GarakSettings
    from tasks.validate.garak import attack, executable, shipped_policy, within

    settings = within(budget, GarakSettings(seed=seed, parallel=concurrency))
    return attack(
        target,
        settings,
        shipped_policy(),
        executable(),
        progress=lambda done, planned: progress("garak", done, planned),
    )


def _listed(words: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in words.split(",") if word.strip())


def _corpora(families: tuple[str, ...], seed: int) -> "Corpora":
    """The corpora that ship with this project, and what installed packages bring."""
    from infra.config.load import REPOSITORY
    from infra.config.redteam import RedTeamSettings
    from tasks.validate.redteam.corpus import load_corpora
    from tasks.validate.redteam.packages import with_packages

    own = load_corpora(REPOSITORY / "configs" / "redteam")
    corpora = with_packages(own, RedTeamSettings(seed=seed))
    return corpora.families(families) if families else corpora


def _text_of(report: "RedTeamReport", verdict: str) -> str:
    from tasks.validate.redteam.table import as_text

    lines = [as_text(report), ""]
    if report.benign:
        lines.append(f"harmless prompts stopped or declined: {report.refused} of {report.benign}")
    lines += [f"skipped: {each}" for each in report.skipped]
    return "\n".join([*lines, verdict])


def _text(file: Path | None) -> str:
    from infra.errors import ConfigError

    if file is None:
        return ""
    try:
        return file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--system-prompt: {file}: {error}") from error


def _gate_limit(metric: str) -> float:
    """The limit of the gate on this metric in configs/gates.yaml, where there is one."""
    from infra.config.load import REPOSITORY
    from tasks.validate.gates import load_gates

    file = REPOSITORY / "configs" / "gates.yaml"
    if not file.is_file():
        return _LIMIT_WITHOUT_GATES
    rules = [rule for rule in load_gates(file).gates if rule.metric == metric]
    return min((float(rule.limit) for rule in rules), default=_LIMIT_WITHOUT_GATES)


@contextmanager
def _progress() -> "Iterator[Progress]":
    """A bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _part, _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        parts: dict[str, TaskID] = {}

        def show(part: str, done: int, total: int) -> None:
            if part not in parts:
                parts[part] = bar.add_task(part, total=total)
            bar.update(parts[part], completed=done, total=total)

        yield show
