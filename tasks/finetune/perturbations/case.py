"""Letter case thrown away, in three ways.

random_case("Emotet sends mail.", random.Random(0))     # "EmOTEt sEnDs MaiL."
"""

from random import Random


def upper(text: str, _random: Random) -> str:
    """Capitals only."""
    return text.upper()


def lower(text: str, _random: Random) -> str:
    """Small letters only."""
    return text.lower()


def random_case(text: str, random: Random) -> str:
    """Every letter a capital or a small one by the toss of a coin."""
    return "".join(char.upper() if random.random() < 0.5 else char.lower() for char in text)
