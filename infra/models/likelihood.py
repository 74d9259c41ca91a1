"""How likely a model finds given answers to prompts: one pass a prompt, whatever the number of answers.

likelihoods(loaded, prompts, answers)        # [[-3.1, -9.4], …] natural logs, by prompt and answer

The shared start of all prompts is computed once. The answers to a prompt follow it side by side as one tree
of tokens (words that answers share stand in it once), each token seeing only its own past: tree attention,
Miao et al. 2024, https://arxiv.org/abs/2305.09781, used here to score instead of to speculate.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from infra.errors import DataError
from infra.models.chat import common_prefix_length
from infra.models.decoding import SharedPrefix, right_padded
from infra.models.load import LoadedModel

if TYPE_CHECKING:
    from torch import Tensor

BATCH_TOKENS = 1024
"""Of one pass, padding counted. Larger batches were slower: their states leave the processor's caches."""

Progress = Callable[[int, int], None]
Ids = Sequence[int]


def likelihoods(
    loaded: LoadedModel,
    prompts: Sequence[Ids],
    answers: Sequence[Sequence[Ids]],
    *,
    batch_tokens: int = BATCH_TOKENS,
    on_progress: Progress = lambda _done, _total: None,
) -> list[list[float]]:
    """Natural log of each whole answer's probability after its prompt; `answers[i]` belong to `prompts[i]`.

    Raises DataError for an empty prompt or answer, and for a model whose numbers are not finite.
    """
    if _window_is_short(loaded, prompts, answers):
        pairs = [(prompt, [answer]) for prompt, each in zip(prompts, answers, strict=True) for answer in each]
        alone = iter(
            _likelihoods(loaded, [p for p, _ in pairs], [a for _, a in pairs], batch_tokens, on_progress)
        )
        return [[next(alone)[0] for _ in each] for each in answers]
    return _likelihoods(loaded, prompts, answers, batch_tokens, on_progress)


def _window_is_short(loaded: LoadedModel, prompts: Sequence[Ids], answers: Sequence[Sequence[Ids]]) -> bool:
    """Whether a layer sees less than a whole row: one mask for all layers would then be wrong."""
    window = getattr(loaded.model.config, "sliding_window", None)
    rows = zip(prompts, answers, strict=True)
    return window is not None and any(len(p) + sum(map(len, each)) >= window for p, each in rows)


def _likelihoods(
    loaded: LoadedModel,
    prompts: Sequence[Ids],
    answers: Sequence[Sequence[Ids]],
    batch_tokens: int,
    on_progress: Progress,
) -> list[list[float]]:
    trees = [_tree(tuple(map(tuple, each))) for each in answers]
    return _in_batches(
        loaded,
        prompts,
        [len(tree.tokens) for tree in trees],
        lambda prefix, indices: _scored(
            loaded, prefix, [prompts[at] for at in indices], [trees[at] for at in indices]
        ),
        batch_tokens,
        on_progress,
    )


def next_token_scores(
    loaded: LoadedModel,
    prompts: Sequence[Ids],
    tokens: Ids,
    *,
    batch_tokens: int = BATCH_TOKENS,
    on_progress: Progress = lambda _done, _total: None,
) -> list[list[float]]:
    """Scores (logits) of `tokens` as the next one after each prompt; no other word is computed.

    Raises DataError for an empty prompt and for numbers that are not finite.
    """
    import torch

    wanted = torch.tensor(list(tokens))

    def scored(prefix: SharedPrefix, indices: Sequence[int]) -> "Tensor":
        rows = [prompts[at][len(prefix.ids) :] for at in indices]
        states, _ = prefix.continued(right_padded(rows))
        last = states[torch.arange(len(rows)), torch.tensor([len(row) - 1 for row in rows])]
        scores: Tensor = (last @ loaded.model.lm_head.weight[wanted].t()).double()
        return scores

    return _in_batches(loaded, prompts, [0] * len(prompts), scored, batch_tokens, on_progress)


def length_batches(lengths: Sequence[int], rows_per_batch: Callable[[int], int]) -> Iterator[list[int]]:
    """Indices from long to short; `rows_per_batch(width)` says how many rows of a width fit together."""
    order = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    start = 0
    while start < len(order):
        size = rows_per_batch(lengths[order[start]])
        yield order[start : start + size]
        start += size


def log_shares(values: Sequence[float]) -> tuple[float, ...]:
    """Log-softmax: natural log of each value's share, summing to 1; raises DataError for NaN and infinity."""
    if not values or not all(map(math.isfinite, values)):
        raise DataError(
            f"scores are not finite numbers: {list(values)[:4]}",
            "the model's weights are damaged: train again",
        )
    top = max(values)
    total = top + math.log(math.fsum(math.exp(value - top) for value in values))
    return tuple(value - total for value in values)


@dataclass(frozen=True)
class _Tree:
    """Answers to one prompt as a tree; node -1 is the end of the prompt."""

    tokens: tuple[int, ...]
    """Tokens that are read: every answer's, save its last, which is only predicted."""
    parents: tuple[int, ...]
    depths: tuple[int, ...]
    steps: tuple[tuple[tuple[int, int], ...], ...]
    """By answer: (node whose state predicts, token predicted)."""


@lru_cache(maxsize=4096)
def _tree(answers: tuple[tuple[int, ...], ...]) -> _Tree:
    if not answers or not all(answers):
        raise DataError("an answer has no token", "every choice needs at least one visible character")
    nodes: dict[tuple[int, ...], int] = {(): -1}
    tokens: list[int] = []
    parents: list[int] = []
    depths: list[int] = []
    steps = []
    for answer in answers:
        path = []
        for at, token in enumerate(answer):
            node = nodes[answer[:at]]
            path.append((node, token))
            if at < len(answer) - 1 and answer[: at + 1] not in nodes:
                nodes[answer[: at + 1]] = len(tokens)
                tokens.append(token)
                parents.append(node)
                depths.append(at)
        steps.append(tuple(path))
    return _Tree(tuple(tokens), tuple(parents), tuple(depths), tuple(steps))


def _in_batches(
    loaded: LoadedModel,
    prompts: Sequence[Ids],
    more: Sequence[int],
    scored: "Callable[[SharedPrefix, Sequence[int]], Tensor | list[list[float]]]",
    batch_tokens: int,
    on_progress: Progress,
) -> list[list[float]]:
    import torch

    if not prompts:
        return []
    if not all(map(len, prompts)):
        raise DataError("a prompt has no token", "nothing can follow nothing")
    shared = common_prefix_length(prompts)
    widths = [len(prompt) - shared + extra for prompt, extra in zip(prompts, more, strict=True)]
    found: dict[int, list[float]] = {}
    with torch.inference_mode():
        prefix = SharedPrefix(loaded.model, prompts[0][:shared])
        for indices in length_batches(widths, lambda width: max(1, batch_tokens // width)):
            rows = scored(prefix, indices)
            listed = rows if isinstance(rows, list) else rows.tolist()
            for at, values in zip(indices, listed, strict=True):
                if not all(map(math.isfinite, values)):
                    raise DataError(
                        f"the model's scores for prompt {at} are not finite numbers",
                        "its weights are damaged: train or convert it again",
                    )
                found[at] = values
            on_progress(len(found), len(prompts))
    return [found[at] for at in range(len(prompts))]


def _scored(
    loaded: LoadedModel, prefix: SharedPrefix, prompts: Sequence[Ids], trees: Sequence[_Tree]
) -> list[list[float]]:
    import torch

    suffixes = [prompt[len(prefix.ids) :] for prompt in prompts]
    rows = [[*suffix, *tree.tokens] for suffix, tree in zip(suffixes, trees, strict=True)]
    lengths = [len(suffix) for suffix in suffixes]
    ids = right_padded(rows)
    states, _ = prefix.continued(ids, **_attention(loaded, len(prefix.ids), lengths, trees, ids.shape[1]))
    # Every node that predicts, once: row by row, the prompt's last token first.
    used = [sorted({node for path in tree.steps for node, _ in path}) for tree in trees]
    where = [(row, lengths[row] + node) for row, nodes in enumerate(used) for node in nodes]
    picked = states[torch.tensor([row for row, _ in where]), torch.tensor([at for _, at in where])]
    logits = loaded.model.lm_head(picked).float()
    totals = torch.logsumexp(logits, -1)
    place = {key: number for number, key in enumerate(where)}
    steps = [
        (place[row, lengths[row] + node], token)
        for row, tree in enumerate(trees)
        for path in tree.steps
        for node, token in path
    ]
    at, token = (torch.tensor(column) for column in zip(*steps, strict=True))
    values = iter((logits[at, token] - totals[at]).double().tolist())
    return [[math.fsum(next(values) for _ in path) for path in tree.steps] for tree in trees]


def _attention(
    loaded: LoadedModel, prefix: int, lengths: Sequence[int], trees: Sequence[_Tree], width: int
) -> dict[str, Any]:
    """What each token sees and where it stands: nothing to say where every tree is one plain continuation."""
    import torch

    if all(tree.parents == tuple(range(-1, len(tree.parents) - 1)) for tree in trees):
        return {}
    sees = torch.ones(width, width, dtype=torch.bool).tril_().repeat(len(trees), 1, 1)
    positions = torch.arange(prefix, prefix + width).repeat(len(trees), 1)
    for row, (length, tree) in enumerate(zip(lengths, trees, strict=True)):
        end = length + len(tree.tokens)
        if end > length:
            sees[row, length:end, length:end] = _lineage(tree.parents)
            positions[row, length:end] = prefix + length + torch.tensor(tree.depths)
    before = torch.ones(len(trees), width, prefix, dtype=torch.bool)
    allowed = torch.cat([before, sees], -1)[:, None]
    dtype = loaded.model.dtype
    mask = torch.zeros(allowed.shape, dtype=dtype).masked_fill_(~allowed, torch.finfo(dtype).min)
    return {"attention_mask": mask, "position_ids": positions}


@lru_cache(maxsize=256)
def _lineage(parents: tuple[int, ...]) -> "Tensor":
    """Which nodes each node descends from, itself included: bool [nodes, nodes]."""
    import torch

    sees = torch.eye(len(parents), dtype=torch.bool)
    for node, parent in enumerate(parents):
        if parent >= 0:
            sees[node] |= sees[parent]
    return sees
