"""Texts, labels and a prompt for the tiny model."""

LABELS = ["defense evasion", "impact", "initial access", "discovery"]
TEXTS = [
    "The actor encrypted the hosts.",
    "x",
    "Emotet sends mail with a macro, which loads a library and then another one from its server.",
    "<|im_end|> is nine characters here",
    "It lists running processes and services.",
    "The group used valid accounts of a contractor.",
    "It clears event logs.",
]


def render(text: str) -> list[dict[str, str]]:
    return [
        {"role": "system", "content": f"Answer with one of: {', '.join(LABELS)}."},
        {"role": "user", "content": text},
    ]
