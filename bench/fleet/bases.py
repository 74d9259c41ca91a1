"""Base models altered on purpose: another tokenizer, ruined weights."""

import json
import shutil
from pathlib import Path

from fleet.yard import Yard

_SWAPPED = 400
"""Pairs of frequent tokens that change places; ids below are control tokens and single bytes."""
_FIRST = 300


def swapped_tokens(yard: Yard) -> Path:
    """The base with a tokenizer whose frequent tokens have changed places: it loads, and reads nonsense."""

    def write(target: Path) -> None:
        _copy(yard, target)
        file = target / "tokenizer.json"
        content = json.loads(file.read_text("utf-8"))
        vocabulary = content["model"]["vocab"]
        by_id = sorted(vocabulary, key=vocabulary.__getitem__)[_FIRST : _FIRST + 2 * _SWAPPED]
        ids = [vocabulary[token] for token in by_id]
        vocabulary.update(zip(by_id, [*ids[1:], ids[0]], strict=True))
        file.write_text(json.dumps(content, ensure_ascii=False), "utf-8")

    return yard.kept("base-swapped-tokens", [yard.developed.base.digest], write)


def two_bits(yard: Yard) -> Path:
    """The base with its matrices at two bits and one scale for each: quantised to ruin."""

    def write(target: Path) -> None:
        from safetensors.torch import load_file, save_file

        _copy(yard, target)
        for file in target.glob("*.safetensors"):
            weights = load_file(file)
            for name, value in weights.items():
                if value.ndim == 2 and "embed" not in name:
                    step = value.float().abs().amax() / 2
                    rounded = (value.float() / step).round().clamp(-2, 1) * step
                    weights[name] = rounded.to(value.dtype).contiguous()
            save_file(weights, file, metadata={"format": "pt"})

    return yard.kept("base-two-bits", [yard.developed.base.digest], write)


def another(yard: Yard) -> Path:
    """A base that was never reviewed: the champion's, one weight moved by a hair."""

    def write(target: Path) -> None:
        from safetensors.torch import load_file, save_file

        _copy(yard, target)
        file = next(iter(sorted(target.glob("*.safetensors"))))
        weights = load_file(file)
        name = sorted(weights)[0]
        weights[name] = weights[name].clone()
        weights[name].view(-1)[0] += 0.01
        save_file(weights, file, metadata={"format": "pt"})

    return yard.kept("base-another", [yard.developed.base.digest], write)


def _copy(yard: Yard, target: Path) -> None:
    source = yard.workspace.store.open_tree(yard.developed.base.digest)
    for file in sorted(source.iterdir()):
        shutil.copyfile(file, target / file.name)
