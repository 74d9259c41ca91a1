"""Our verification against model-signing's, same model, same run: `python bench/verify_speed.py`.

Ours hashes copies that nobody can change (the bytes that are loaded); the peer hashes files on disk, which
may change before they are loaded. Both check an EC P-256 OMS v1 signature over SHA-256 digests. The page
cache is warm for both; rounds alternate, the best round counts, a ratio below 1 means that ours is faster.
"""

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from results import publish

from infra.digest import walk_tree
from infra.signing.dsse import verify_statement
from infra.signing.keys import KeyPair, create_key, load_public_key
from infra.signing.oms import check_model_statement
from infra.signing.sealed import seal_tree


def main() -> None:
    """Publish seconds, CPU seconds and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model directory; default: made of random bytes")
    parser.add_argument("--megabytes", type=int, default=270, help="size of the made model")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    try:
        model = options.model or _made_model(scratch / "model", options.megabytes)
        figures = _compare(model, scratch, options.rounds)
        publish("verify_speed", figures, parameters={"rounds": options.rounds})
    finally:
        shutil.rmtree(scratch)


def _compare(model: Path, scratch: Path, rounds: int) -> dict[str, float | int]:
    from model_signing import signing

    keys, signature = create_key(scratch / "keys"), scratch / "model.sig"
    signing.Config().use_elliptic_key_signer(private_key=keys.private).sign(model, signature)
    contenders = {
        "ours": lambda: _ours(model, signature, keys),
        "model_signing": lambda: _peer(model, signature, keys),
    }
    best = {name: (float("inf"), float("inf")) for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            wall, cpu = _timed(run)
            best[name] = (min(best[name][0], wall), min(best[name][1], cpu))
    size = sum((model / name).stat().st_size for name in walk_tree(model))
    return {
        "bytes": size,
        "rounds": rounds,
        **{f"{name}_s": round(wall, 4) for name, (wall, _) in best.items()},
        **{f"{name}_cpu_s": round(cpu, 4) for name, (_, cpu) in best.items()},
        "wall_ratio": round(best["ours"][0] / best["model_signing"][0], 3),
        "cpu_ratio": round(best["ours"][1] / best["model_signing"][1], 3),
    }


def _ours(model: Path, signature: Path, keys: KeyPair) -> None:
    trusted = [load_public_key(keys.public)]
    tree = seal_tree(model, walk_tree(model))
    check_model_statement(
        verify_statement(signature.read_bytes(), trusted, signature.name), tree.files, signature.name
    )
    tree.close()


def _peer(model: Path, signature: Path, keys: KeyPair) -> None:
    from model_signing import verifying

    verifying.Config().use_elliptic_key_verifier(public_key=keys.public).verify(model, signature)


def _timed(run: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - cpu


def _made_model(root: Path, megabytes: int) -> Path:
    root.mkdir()
    (root / "config.json").write_text('{"model_type": "llama"}')
    (root / "tokenizer.json").write_bytes(os.urandom(3 << 20))
    with (root / "model.safetensors").open("wb") as stream:
        for _ in range(megabytes):
            stream.write(os.urandom(1 << 20))
    return root


if __name__ == "__main__":
    main()
