"""Renders a chat template that nobody trusts yet, in a process without files, time or memory to take.

Started by path from `infra.models.template`; reads one JSON document on stdin, writes one to stdout.
"""

import json
import resource
import sys
from typing import Any

_CPU_SECONDS = 5
_MEMORY_BYTES = 1 << 30
_MOST_CHARACTERS = 1_000_000


def _limit() -> None:
    for what, most in (
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, 0),
    ):
        try:
            resource.setrlimit(what, (most, most))
        except (ValueError, OSError):
            continue  # not every system knows every limit; the parent's time-out holds everywhere


def _render(job: dict[str, Any]) -> list[str]:
    from jinja2.ext import Extension, loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Generation(Extension):
        """`{% generation %}` blocks mark the answer for training; rendered, they are their content."""

        tags = {"generation"}  # noqa: RUF012  # jinja's own way to declare tags

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **_options: json.dumps(value, ensure_ascii=False)
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = lambda _format: "2000-01-01"
    template = environment.from_string(job["template"])
    return [
        template.render(messages=messages, add_generation_prompt=True, **job["tokens"])
        for messages in job["conversations"]
    ]


def main() -> None:
    """One job; whatever the template raises becomes `{"error": …}`."""
    job = json.load(sys.stdin)
    _limit()
    try:
        rendered = _render(job)
        if sum(map(len, rendered)) > _MOST_CHARACTERS:
            raise ValueError(f"it renders more than {_MOST_CHARACTERS} characters")
        answer: dict[str, Any] = {"rendered": rendered}
    except Exception as error:  # noqa: BLE001  # the template's own code raises whatever it likes
        answer = {"error": f"{type(error).__name__}: {error}"[:500]}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
