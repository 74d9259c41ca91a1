"""Which of garak's probes count, for which risk, and the one detector of each that is believed.

PROBES["promptinject.HijackHateHumans"].planned(cap=10)     # 10

Only detectors of positive evidence are here: they find a string, a link or a key that an attack asked for.
Detectors that call everything a hit that is not a known refusal (mitigation.MitigationBypass: 40 of 40
refusals counted as hits) or that match ordinary words (malwaregen.AnyCode: "mov" in "lateral-movement",
divergence.RepeatedToken: "reference") are not read. Risks are ours: garak's own tags count by OWASP's
list of 2023, in which llm02 is another risk than in that of 2025.
"""

from dataclasses import dataclass

GARAK_VERSION = "0.17.1"
"""The release whose probes, detectors and report these are; a report of another one is refused."""


@dataclass(frozen=True)
class Probe:
    """One probe as this release of garak has it."""

    name: str
    risk: str
    technique: str
    detector: str
    prompts: int
    """How many it has at most 256."""
    capped: bool = True
    """Whether it heeds `run.soft_probe_prompt_cap`; fixed lists are asked in full."""

    def planned(self, cap: int) -> int:
        """Prompts that it asks under a cap."""
        return min(cap, self.prompts) if self.capped else self.prompts


_INJECTION, _OUTPUT, _DISCLOSURE = "prompt_injection", "output_handling", "sensitive_disclosure"
_TRIGGERS = "base.TriggerListDetector"
_MANY = 256
# fmt: off
_ENCODINGS = (
    "Ascii85", "Atbash", "Base16", "Base2048", "Base32", "Base64", "Braille", "Ecoji", "Hex", "Leet", "Mime",
    "Morse", "Nato", "QP", "ROT13", "SneakyBits", "UU", "UnicodeTagChars", "UnicodeVariantSelectors", "Zalgo",
)
_CAPPED: tuple[tuple[str, str, str, dict[str, int]], ...] = (
    (_INJECTION, "hijack", "promptinject.AttackRogueString", {
        "promptinject.HijackHateHumans": _MANY,
        "promptinject.HijackKillHumans": _MANY,
        "promptinject.HijackLongPrompt": _MANY,
    }),
    (_INJECTION, "indirect", _TRIGGERS, {
        "latentinjection.LatentInjectionFactSnippetEiffel": _MANY,
        "latentinjection.LatentInjectionFactSnippetLegal": _MANY,
        "latentinjection.LatentInjectionReport": _MANY,
        "latentinjection.LatentInjectionResume": _MANY,
        "latentinjection.LatentInjectionTranslationEnFr": _MANY,
        "latentinjection.LatentInjectionTranslationEnZh": _MANY,
        "latentinjection.LatentWhoisSnippet": _MANY,
    }),
    (_INJECTION, "encoding", "encoding.DecodeMatch", {
        f"encoding.Inject{name}": _MANY for name in _ENCODINGS
    }),
    (_OUTPUT, "link-exfiltration", "web_injection.MarkdownExfilExtendedImage", {
        "web_injection.MarkdownURIImageExfilExtended": _MANY,
    }),
    (_OUTPUT, "link-exfiltration", "web_injection.MarkdownExfilExtendedNonImage", {
        "web_injection.MarkdownURINonImageExfilExtended": _MANY,
    }),
    (_OUTPUT, "html", "web_injection.XSS", {"web_injection.TaskXSS": 85, "web_injection.MarkdownXSS": 7}),
    (_DISCLOSURE, "api-keys", "apikey.ApiKey", {"apikey.GetKey": 58, "apikey.CompleteKey": _MANY}),
    (_DISCLOSURE, "replay", _TRIGGERS, {
        "leakreplay.LiteratureCloze": _MANY,
        "leakreplay.NYTCloze": 32,
        "leakreplay.PotterCloze": 30,
        "leakreplay.GuardianCloze": 9,
    }),
    (_DISCLOSURE, "replay", "leakreplay.StartsWith", {
        "leakreplay.LiteratureComplete": _MANY,
        "leakreplay.NYTComplete": 30,
        "leakreplay.PotterComplete": 30,
        "leakreplay.GuardianComplete": 9,
    }),
)
_FIXED: tuple[tuple[str, str, str, dict[str, int]], ...] = (
    (_INJECTION, "tag-characters", _TRIGGERS, {"goodside.Tag": 32}),
    (_INJECTION, "jailbreak", "dan.DAN", {
        "dan.AutoDANCached": 3, "dan.Dan_6_0": 1, "dan.Dan_6_2": 1, "dan.Dan_7_0": 1, "dan.Dan_8_0": 1,
        "dan.Dan_9_0": 1, "dan.Dan_10_0": 1, "dan.Dan_11_0": 1,
    }),
    (_INJECTION, "jailbreak", "dan.AntiDAN", {"dan.AntiDAN": 1}),
    (_INJECTION, "jailbreak", "dan.DANJailbreak", {"dan.DAN_Jailbreak": 1}),
    (_INJECTION, "jailbreak", "dan.DUDE", {"dan.DUDE": 1}),
    (_INJECTION, "jailbreak", "dan.STAN", {"dan.STAN": 1}),
    (_OUTPUT, "link-exfiltration", "web_injection.MarkdownExfilContent", {
        "web_injection.ColabAIDataLeakage": 4,
    }),
    (_OUTPUT, "link-exfiltration", "web_injection.MarkdownExfilBasic", {
        "web_injection.MarkdownImageExfil": 12, "web_injection.StringAssemblyDataExfil": 2,
    }),
    (_OUTPUT, "link-exfiltration", "web_injection.PlaygroundMarkdownExfil", {
        "web_injection.PlaygroundMarkdownExfil": 4,
    }),
    (_OUTPUT, "sql", "exploitation.SQLiEcho", {"exploitation.SQLInjectionEcho": 10}),
    (_OUTPUT, "template", "exploitation.JinjaTemplateInjectionDetector", {
        "exploitation.JinjaTemplatePythonInjection": 9,
    }),
    (_OUTPUT, "terminal", "ansiescape.Escaped", {"ansiescape.AnsiEscaped": 51}),
    (_OUTPUT, "terminal", "ansiescape.Raw", {"ansiescape.AnsiRaw": 58}),
    (_OUTPUT, "signature", "knownbadsignatures.EICAR", {"av_spam_scanning.EICAR": 5}),
    (_OUTPUT, "signature", "knownbadsignatures.GTUBE", {"av_spam_scanning.GTUBE": 5}),
    (_OUTPUT, "signature", "knownbadsignatures.GTphish", {"av_spam_scanning.GTphish": 5}),
    (_DISCLOSURE, "product-keys", "productkey.Win5x5", {"grandma.Win10": 6, "grandma.Win11": 6}),
    (_DISCLOSURE, "divergence", "divergence.RepeatDiverges", {"divergence.Repeat": 36}),
)
# fmt: on

PROBES: dict[str, Probe] = {
    name: Probe(name, risk, technique, detector, prompts, capped)
    for capped, table in ((True, _CAPPED), (False, _FIXED))
    for risk, technique, detector, names in table
    for name, prompts in names.items()
}
"""By name. All load without a network; tests/integration/validate counts their prompts anew."""

NEEDS_DOWNLOAD: dict[str, str] = {
    "sysprompt_extraction.SystemPromptExtraction": "system_prompt_leakage",
}
"""Probes of positive evidence that stay out, by risk: without a download they make no prompt at all."""
