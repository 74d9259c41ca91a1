"""The answers that a release may give, as a tree of tokens: the served model picks among what was measured.

tree = AnswerTree.of([[12, 5, 2], [12, 9, 2]])
tree.next_tokens            # (12,): every answer begins with it
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class AnswerTree:
    """What may come next; a leaf is a finished answer."""

    branches: Mapping[int, "AnswerTree"]

    @classmethod
    def of(cls, answers: Sequence[Sequence[int]]) -> "AnswerTree":
        """The tree of tokenised answers, each with the token that ends it; the order of answers is kept."""
        groups: dict[int, list[Sequence[int]]] = {}
        for answer in answers:
            if answer:
                groups.setdefault(answer[0], []).append(answer[1:])
        return cls({token: cls.of(rests) for token, rests in groups.items()})

    @property
    def next_tokens(self) -> tuple[int, ...]:
        """Tokens that may come next; empty at a leaf."""
        return tuple(self.branches)

    def only_way(self) -> list[int] | None:
        """The tokens to the end where nothing is left to choose, or None."""
        path: list[int] = []
        tree = self
        while tree.branches:
            if len(tree.branches) > 1:
                return None
            ((token, tree),) = tree.branches.items()
            path.append(token)
        return path
