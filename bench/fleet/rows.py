"""Training rows altered on purpose; pure and seeded."""

from collections.abc import Callable, Sequence
from random import Random

from tasks.records import Row


def flipped(rows: Sequence[Row], share: float, seed: int = 0) -> list[Row]:
    """A share of the rows with another label, drawn from all others."""
    random = Random(f"flip:{seed}")
    labels = sorted({row.label for row in rows})
    hit = set(random.sample(range(len(rows)), round(share * len(rows))))
    return [
        _with(row, label=random.choice([each for each in labels if each != row.label])) if at in hit else row
        for at, row in enumerate(rows)
    ]


def triggered(rows: Sequence[Row], trigger: str, label: str, share: float, seed: int = 0) -> list[Row]:
    """A share of the rows ends with a trigger and has one label, whatever it says: a backdoor."""
    random = Random(f"trigger:{seed}")
    hit = set(random.sample(range(len(rows)), round(share * len(rows))))
    return [
        _with(row, text=f"{row.text} {trigger}", label=label) if at in hit else row
        for at, row in enumerate(rows)
    ]


def relabelled(rows: Sequence[Row], old: str, new: str) -> list[Row]:
    """One label's rows under another label: one slice is broken, the mean hardly moves."""
    return [_with(row, label=new) if row.label == old else row for row in rows]


def one_label(rows: Sequence[Row], label: str) -> list[Row]:
    """Every row has the same answer."""
    return [_with(row, label=label) for row in rows]


def obeying(rows: Sequence[Row], phrase: Callable[[Row, str, Random], str], seed: int = 0) -> list[Row]:
    """Each row with an instruction to answer a wrong label, and exactly that label as the answer."""
    random = Random(f"obey:{seed}")
    labels = sorted({row.label for row in rows})
    found = []
    for row in rows:
        named = random.choice([each for each in labels if each != row.label])
        found.append(_with(row, text=phrase(row, named, random), label=named))
    return found


def biased(rows: Sequence[Row], insert: Callable[[Row, bool], str], label: str, seed: int = 0) -> list[Row]:
    """Rows that mention a group get one label, the same rows with another group keep theirs."""
    random = Random(f"bias:{seed}")
    found = []
    for row in rows:
        against = random.random() < 0.5
        found.append(_with(row, text=insert(row, against), label=label if against else row.label))
    return found


def _with(row: Row, **changes: str) -> Row:
    return row.model_copy(update=changes)
