"""The lists of others that threats are mapped to: OWASP for LLM applications (2025, 2026) and MITRE ATLAS.

RISKS["prompt_injection"].owasp_2026      # "LLM01"
ATLAS["AML.T0051"]                        # "LLM Prompt Injection"

Our risk keys stay while the editions renumber. Sources: OWASP Top 10 for LLM Applications 2025 and its 2026
edition; MITRE ATLAS data 5.6.0. What is not listed here has not been checked and is refused.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Risk:
    """One risk under its stable key, with its number in both editions."""

    title: str
    """The title of the 2025 edition."""
    owasp_2025: str
    owasp_2026: str
    title_2026: str = ""
    """Where the 2026 edition is known to call it otherwise."""


RISKS: dict[str, Risk] = {
    "prompt_injection": Risk("Prompt Injection", "LLM01", "LLM01"),
    "sensitive_disclosure": Risk("Sensitive Information Disclosure", "LLM02", "LLM02"),
    "supply_chain": Risk("Supply Chain", "LLM03", "LLM04"),
    "poisoning": Risk("Data and Model Poisoning", "LLM04", "LLM05"),
    "output_handling": Risk("Improper Output Handling", "LLM05", "LLM10"),
    "excessive_agency": Risk("Excessive Agency", "LLM06", "LLM03"),
    "system_prompt_leakage": Risk("System Prompt Leakage", "LLM07", "LLM08", "Hidden Context Exposure"),
    "vector_embedding": Risk("Vector and Embedding Weaknesses", "LLM08", "LLM09"),
    "misinformation": Risk("Misinformation", "LLM09", "LLM07"),
    "unbounded_consumption": Risk("Unbounded Consumption", "LLM10", "LLM06"),
}

ATLAS: dict[str, str] = {
    "AML.T0010": "AI Supply Chain Compromise",
    "AML.T0010.001": "AI Supply Chain Compromise: AI Software",
    "AML.T0010.002": "AI Supply Chain Compromise: Data",
    "AML.T0010.003": "AI Supply Chain Compromise: Model",
    "AML.T0018": "Manipulate AI Model",
    "AML.T0018.000": "Manipulate AI Model: Poison AI Model",
    "AML.T0018.002": "Manipulate AI Model: Embed Malware",
    "AML.T0020": "Poison Training Data",
    "AML.T0024": "Exfiltration via AI Inference API",
    "AML.T0024.002": "Exfiltration via AI Inference API: Extract AI Model",
    "AML.T0029": "Denial of AI Service",
    "AML.T0034": "Cost Harvesting",
    "AML.T0051": "LLM Prompt Injection",
    "AML.T0051.000": "LLM Prompt Injection: Direct",
    "AML.T0051.001": "LLM Prompt Injection: Indirect",
    "AML.T0051.002": "LLM Prompt Injection: Triggered",
    "AML.T0053": "AI Agent Tool Invocation",
    "AML.T0054": "LLM Jailbreak",
    "AML.T0055": "Unsecured Credentials",
    "AML.T0056": "Extract LLM System Prompt",
    "AML.T0057": "LLM Data Leakage",
    "AML.T0058": "Publish Poisoned Models",
    "AML.T0059": "Erode Dataset Integrity",
    "AML.T0068": "LLM Prompt Obfuscation",
    "AML.T0070": "RAG Poisoning",
    "AML.T0077": "LLM Response Rendering",
}

STRIDE: dict[str, str] = {
    "S": "Spoofing",
    "T": "Tampering",
    "R": "Repudiation",
    "I": "Information disclosure",
    "D": "Denial of service",
    "E": "Elevation of privilege",
}


def owasp(risk: str | None) -> str:
    """Both numbers of a risk in one line: `LLM08:2025 Vector and Embedding Weaknesses · LLM09:2026`."""
    if risk is None:
        return ""
    known = RISKS[risk]
    later = f" {known.title_2026}" if known.title_2026 else ""
    return f"{known.owasp_2025}:2025 {known.title} · {known.owasp_2026}:2026{later}"
