"""The tokenizer of a local model directory alone, and what a rendered conversation costs in it.

tokenizer = load_tokenizer(store.open_tree(base.digest))
count_tokens(tokenizer, template.messages("The actor encrypted the hosts."))    # TokenCount(91, 7)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import DataError
from infra.models.chat import Message, encode_chat
from infra.models.safety import check_model_files

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class TokenCount:
    """Tokens of a conversation up to the answer, and how many of them are control tokens."""

    tokens: int
    special: int


def load_tokenizer(path: Path) -> "PreTrainedTokenizerBase":
    """Read from files alone, never code, never the network; raises DataError when they cannot be used."""
    from transformers import AutoTokenizer

    check_model_files(path)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            str(path), local_files_only=True, trust_remote_code=False
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"cannot read the tokenizer in {path.name}: {error}", "check the base") from error
    return tokenizer


def count_tokens(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> TokenCount:
    """What the model reads; raises DataError as `encode_chat` does."""
    ids = encode_chat(tokenizer, messages)
    special = set(tokenizer.all_special_ids)
    return TokenCount(len(ids), sum(token in special for token in ids))
