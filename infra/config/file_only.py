"""Settings that decide whether a release may go live: configuration files alone set them, never a variable.

refuse_variable("ASSAY_APPROVAL__POLICY", {"approval": {"policy": "auto"}})      # ConfigError
is_file_only("garak.enabled")                                                    # True
"""

from collections.abc import Iterator, Mapping

from infra.errors import ConfigError

# A file is reviewed, has a history, and means the same in every process; a variable is set by whoever starts
# one, and leaves no trace but a digest. Whole sections where any key can turn a verdict. What is not here
# stays free: sizes of data (gates have a smallest sample), training (its result is what is judged), places
# and processes of this machine, and values that the security requirements check, which are a file too.
FILE_ONLY: Mapping[str, str] = {
    "approval": "who lets a release go live",
    "approvers": "who may decide on releases, and how each proves it",
    "gates": "the rules that judge a candidate",
    "requirements": "the controls that must be in force, and the gates that prove them",
    "trust": "whose signatures count",
    "waivers": "who may answer for an inconclusive gate",
    # What is attacked and compared, how long, and how sure an interval is: a weaker measurement passes.
    "robustness": "how a candidate is measured under noise and injection",
    "fairness": "how equal treatment is measured",
    "redteam": "how a candidate is attacked",
    "garak": "whether and how the second red team attacks",
    "screening.least_trigger_recall": "when a search for poison proves nothing",
    "screening.least_flip_recall": "when a search for poison proves nothing",
    "validation.max_evidence_age": "how old a proof may be",
    # The environment is what is examined: it does not say what is acceptable in it.
    "environment": "what the environment of a training may hold",
    "base.allowed_licences": "which licences of a base are accepted",
    "data.allowed_licences": "which licences of rows are accepted",
    # An empty ledger has no champion, and gates against the champion would not apply.
    "ledger": "where decisions and the champion are recorded",
    # Another bucket, without the key or the lock, would hold what is released and what proves it.
    "store": "where releases, evidence and provenance lie",
    "s3": "how the bucket of the store is reached, encrypted and locked",
}
"""Dotted names of settings and sections, with what each decides."""


def is_file_only(name: str) -> bool:
    """Whether variables cannot set this setting (dotted name)."""
    return _decided_by(name) is not None


def refuse_variable(variable: str, values: Mapping[str, object]) -> None:
    """Raises ConfigError when the settings that a variable stands for hold one that only files set.

    The value is not repeated: it may hold a password.
    """
    for name in _names(values):
        if (section := _decided_by(name)) is not None:
            raise ConfigError(
                f"environment variable {variable} would change {name}:"
                f" only configuration files set {FILE_ONLY[section]}",
                hint=f"unset {variable}; to change {name}, write it into the project file or a profile"
                " (configs/profiles/)",
            )


def _decided_by(name: str) -> str | None:
    parts = name.split(".")
    starts = (".".join(parts[:end]) for end in range(1, len(parts) + 1))
    return next((start for start in starts if start in FILE_ONLY), None)


def _names(values: Mapping[str, object], above: str = "") -> Iterator[str]:
    """Dotted names of everything set: also what a mapping as a value holds, and an empty mapping itself."""
    for key, value in values.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            yield from _names(value, f"{name}.")
        else:
            yield name
