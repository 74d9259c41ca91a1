"""Embeddings of a data set, computed once and kept in the store: phases and re-runs share them.

vectors = stored_vectors(store, workspace.steps, dataset.content["train"], texts)
"""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from infra.errors import IntegrityError
from infra.handover import Shelf
from infra.models.embedding import DIMENSIONS, embed, embedding_digest
from infra.store import Store

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class _Stored(BaseModel):
    """Where the vectors of some texts lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str
    rows: int = Field(ge=0)


def stored_vectors(
    store: Store,
    steps: Shelf,
    content: str,
    texts: Sequence[str],
    *,
    threads: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> "npt.NDArray[np.float32]":
    """`embed(texts)` [n, 384], from the store when these texts were embedded before.

    `content` is the digest of what the texts come from, in their order. Raises IntegrityError when the
    stored vectors were altered or are not of these texts, and what `embed` raises.
    """
    import numpy as np

    def compute() -> _Stored:
        buffer = io.BytesIO()
        np.save(buffer, embed(texts, threads=threads, on_progress=on_progress), allow_pickle=False)
        return _Stored(digest=store.put_bytes(buffer.getvalue()), rows=len(texts))

    inputs = {"content": content, "model": embedding_digest()}
    stored = steps.once("vectors", inputs, _Stored, compute)
    vectors = np.load(io.BytesIO(store.get_bytes(stored.digest)), allow_pickle=False)
    if vectors.shape != (len(texts), DIMENSIONS) or vectors.dtype != np.float32:
        raise IntegrityError(
            f"vectors of {content}: got {vectors.shape}, expected {(len(texts), DIMENSIONS)}",
            hint="pass the texts of exactly this content, in its order",
        )
    return np.asarray(vectors, dtype=np.float32)
