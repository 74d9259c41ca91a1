"""Lint of slots: declared, used, in the role that their trust allows, and delimited."""

from collections.abc import Mapping
from typing import Literal

from infra.prompts.slots import has_stray_braces, parts, slots
from tasks.develop.prompts.draft import Draft

_ROLES: tuple[Literal["system", "user"], ...] = ("system", "user")


def check_slots(draft: Draft) -> None:
    """Undeclared, unused, misplaced and undelimited slots, and braces that are none."""
    variables = _variables(draft)
    untrusted = {"text", *(name for name, trust in variables.items() if trust == "untrusted")}
    used: set[str] = set()
    for role in _ROLES:
        text = draft.text(role)
        if text is None:
            continue
        used |= set(slots(text))
        _check_role(draft, role, text, set(variables), untrusted)
    for name in sorted(set(variables) - used) if draft.content else ():
        draft.error("variable-unused", ("variables", name), f"variable {name!r} is declared and never used")
    if "labels" not in used and draft.text("system"):
        draft.warning("labels-unused", ("system",), "the labels are not told to the model: no {{labels}}")
    _check_canary(draft)


def _check_role(
    draft: Draft, role: Literal["system", "user"], text: str, declared: set[str], untrusted: set[str]
) -> None:
    found = slots(text)
    known = declared | ({"labels", "canary"} if role == "system" else {"text"})
    for name in dict.fromkeys(found):
        if role == "system" and name in untrusted:
            draft.error(
                "untrusted-system",
                (role,),
                f"the system role holds the untrusted slot {{{{{name}}}}}",
                "text from outside belongs into `user`: in the system role it could give orders",
            )
        elif name not in known:
            hint = (
                f"{role} knows {', '.join(f'{{{{{each}}}}}' for each in sorted(known - untrusted or known))}"
            )
            draft.error("slot-undeclared", (role,), f"undeclared slot {{{{{name}}}}} in {role}", hint)
    if has_stray_braces(text):
        draft.error(
            "braces", (role,), f"{role} holds braces that are no slot", "a slot is {{name}}; no expressions"
        )
    elif role == "user" and found.count("text") != 1:
        message = f"user needs the slot {{{{text}}}} exactly once, got {found.count('text')}"
        draft.error("text-slot", (role,), message)
    elif role == "user":
        _check_delimiters(draft, text, untrusted)


def _check_delimiters(draft: Draft, text: str, untrusted: set[str]) -> None:
    """A value from outside must not be able to pretend to be what follows it."""
    marks = draft.content.delimiters if draft.content else ()
    pieces = parts(text)
    for at, (name, _) in enumerate(pieces):
        if name not in untrusted:
            continue
        before, after = pieces[at - 1][1].rstrip(), pieces[at + 1][1].lstrip()
        if len(marks) == 2 and before.endswith(marks[0]) and after.startswith(marks[1]):
            continue
        follows = any(words.strip() for _, words in pieces[at + 1 :])
        if follows or marks:
            draft.error(
                "undelimited",
                ("user",),
                f"{{{{{name}}}}} is not enclosed: it could pretend to be what follows it",
                "declare delimiters: [<report>, </report>] and write <report>{{text}}</report>",
            )
        elif any(words.strip() for _, words in pieces[:at]):
            draft.warning(
                "undelimited", ("user",), f"{{{{{name}}}}} shares the user's turn with words of the template"
            )


def _check_canary(draft: Draft) -> None:
    system, content = draft.text("system"), draft.content
    if system is None or content is None:
        return
    count = slots(system).count("canary")
    if content.confidential and count != 1:
        message = f"system is confidential and has {count} slots {{{{canary}}}}, expected one"
        draft.error(
            "canary-missing", ("confidential",), message, "a leak of the text is then seen in an answer"
        )
    elif count and not content.confidential:
        draft.warning("canary-idle", ("system",), "{{canary}} without `confidential: true` protects nothing")


def _variables(draft: Draft) -> dict[str, str]:
    """Declared names and their trust, also of a file that does not fit its schema."""
    if draft.content is not None:
        return {name: entry.trust for name, entry in draft.content.variables.items()}
    raw = draft.source.values.get("variables")
    if not isinstance(raw, Mapping):
        return {}
    return {str(k): str(v.get("trust", "trusted")) if isinstance(v, Mapping) else "" for k, v in raw.items()}
