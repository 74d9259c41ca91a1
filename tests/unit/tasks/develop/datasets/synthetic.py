"""Rows of random words with planted faults: duplicates, near duplicates, contradictions, personal data."""

import json
import random
from pathlib import Path

WORDS = [f"word{number}" for number in range(400)]


def lines(seed: int = 0) -> list[str]:
    chance = random.Random(seed)
    rows = [
        {"text": " ".join(chance.choices(WORDS, k=12)), "label": "abc"[n % 3], "actor": f"actor {n % 40}"}
        for n in range(240)
    ]
    rows += [{**row, "text": row["text"].upper()} for row in rows[:20]]
    rows += [{**row, "text": row["text"] + " more"} for row in rows[20:40]]
    rows += [{**rows[50], "label": "a"}, {**rows[51], "text": "ann@example.org " + rows[60]["text"][:30]}]
    return [json.dumps(row) for row in rows]


def write_lines(file: Path) -> None:
    file.write_text("\n".join(lines()))
