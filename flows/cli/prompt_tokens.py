"""What prompts cost: counted by the tokenizer of the base model, when one is in the store."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infra.workspace import Workspace


def tokenizer_of(workspace: "Workspace") -> Any:
    """The tokenizer of the base that develop chose, or of the first configured one in the store; or None."""
    from infra.models.tokenizer import load_tokenizer
    from tasks.records import Developed

    developed = workspace.handover.get("developed", Developed)
    wanted = [developed.base.digest] if developed else []
    wanted += [each.digest for each in workspace.project.base.candidates if each.digest]
    present = next((digest for digest in wanted if workspace.store.has_tree(digest)), None)
    return load_tokenizer(workspace.store.open_tree(present)) if present else None


def token_counter(workspace: "Workspace") -> Callable[[Any], int] | None:
    """Tokens of a rendered conversation; None without a tokenizer."""
    tokenizer = tokenizer_of(workspace)
    if tokenizer is None:
        return None
    from infra.models.tokenizer import count_tokens

    return lambda messages: count_tokens(tokenizer, messages).tokens
