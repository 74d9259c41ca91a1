"""What one run of garak must answer: probes, prompts of each, and how they are drawn.

plan = plan_probes(settings)
plan.prompts            # {"promptinject.HijackHateHumans": 10, …}
"""

import difflib
from dataclasses import dataclass
from typing import Any

from infra.config.garak import MOST_PROMPTS, GarakSettings
from infra.errors import ConfigError
from tasks.validate.garak.probes import NEEDS_DOWNLOAD, PROBES, Probe


@dataclass(frozen=True)
class Plan:
    """The probes of one run; a report that answers less is not accepted."""

    probes: tuple[Probe, ...]
    cap: int
    seed: int
    parallel: int

    @property
    def prompts(self) -> dict[str, int]:
        """Prompts that each probe must have asked, by name."""
        return {probe.name: probe.planned(self.cap) for probe in self.probes}

    @property
    def total(self) -> int:
        """Prompts in all."""
        return sum(self.prompts.values())


def plan_probes(settings: GarakSettings) -> Plan:
    """The plan that the settings ask for; raises ConfigError for a probe that is not known to count."""
    names = dict.fromkeys(settings.probes or PROBES)
    for name in names:
        if name in NEEDS_DOWNLOAD:
            raise ConfigError(
                f"garak.probes: {name} makes no prompt without a download",
                hint=f"{NEEDS_DOWNLOAD[name]} is measured by the native tier",
            )
        if name not in PROBES:
            close = difflib.get_close_matches(name, PROBES, n=1)
            raise ConfigError(
                f"garak.probes: {name!r} is not a probe whose detector can be believed",
                hint=f"did you mean {close[0]!r}?" if close else "see tasks/validate/garak/probes.py",
            )
    return Plan(tuple(PROBES[name] for name in names), settings.prompts, settings.seed, settings.parallel)


def within(budget: int, settings: GarakSettings) -> GarakSettings:
    """The settings with as many prompts of each probe as stay within `budget` in all; raises ConfigError."""
    for cap in range(MOST_PROMPTS, 0, -1):
        fitting = settings.model_copy(update={"prompts": cap})
        if (least := plan_probes(fitting).total) <= budget:
            return fitting
    raise ConfigError(
        f"garak: got a budget of {budget} attacks, it asks {least} at least", hint="or fewer probes"
    )


def configuration(plan: Plan, *, uri: str, model: str, reports: str) -> dict[str, Any]:
    """garak's configuration file (its `garak.core.yaml` gives the defaults) for this plan."""
    return {
        "system": {"parallel_attempts": plan.parallel, "max_workers": plan.parallel, "lite": True},
        "run": {
            "seed": plan.seed,
            # Answers are the most likely ones: asking twice would count the same answer twice.
            "generations": 1,
            "soft_probe_prompt_cap": plan.cap,
            "spec": {"include": [f"probes.{probe.name}" for probe in plan.probes]},
        },
        "plugins": {
            "target_type": "openai.OpenAICompatible",
            "target_name": model,
            # Extended detectors are those that take every answer but a refusal for a hit.
            "extended_detectors": False,
            "generators": {"openai": {"OpenAICompatible": {"uri": uri, "suppressed_params": ["stop", "n"]}}},
        },
        "reporting": {
            "report_dir": reports,
            "report_prefix": REPORT_PREFIX,
            "confidence_interval_method": "none",
        },
    }


REPORT_PREFIX = "run"
"""garak appends `.report.jsonl`."""
