"""A real installation in small: signed releases, a ledger, keys, and the real gateway process."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from infra.digest import canonical_json, digest_bytes, digest_manifest, hex_of, tree_manifest
from infra.gateway.keys import KeyStore
from infra.gateway.routes import RouteSnapshot, read_snapshot, write_snapshot
from infra.ledger import Kind, Ledger
from infra.signing import BaseReference, ReleaseManifest, ensure_key, load_private_key
from infra.signing import manifest as layout
from infra.signing.dsse import sign_statement, statement
from infra.signing.oms import model_statement, root_digest
from infra.signing.signer import KeySigner
from infra.store import FileStore
from tests.signed import PINNED, attest, write_files

REPOSITORY = Path(__file__).parents[3]
GUARD = (REPOSITORY / "configs" / "guard.yaml").read_bytes()
ACCESS = (REPOSITORY / "configs" / "access.yaml").read_bytes()
PROMPT = {"name": "p", "system": "Answer with one of: {{labels}}.", "user": "{{text}}", "labels": ["a", "b"]}
TOKEN = "internal-token-for-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(check: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, f"{what} did not happen in {seconds} s"
        time.sleep(0.02)


def get(url: str, key: str = "") -> tuple[int, Any]:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError:
        return 0, None


@dataclass
class Installation:
    """What lies below one ASSAY_HOME."""

    home: Path
    sequence: int = 0
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.keys = KeyStore(self.home / "keys" / "gateway-keys.json")
        self.ledger = Ledger(f"sqlite:///{self.home / 'ledger.db'}")
        self.store = FileStore(self.home / "store")
        self.signer = load_private_key(ensure_key(self.home).private)
        token = self.home / "keys" / "internal.token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)

    def release(
        self,
        *,
        project: str = "triage",
        guard: bytes = GUARD,
        access: bytes = ACCESS,
        base: Path | None = None,
        adapter: dict[str, bytes] | None = None,
    ) -> str:
        """A signed release directory; its digest. Without `base` its weights cannot be loaded."""
        self.sequence += 1
        root = self.home / "releases" / f"new-{self.sequence}"
        unit = digest_bytes(f"unit {self.sequence}".encode())
        base_files = tree_manifest(base) if base else {"config.json": digest_bytes(b"no weights")}
        if base:
            self.store.put_tree(base)
        files = adapter or {"adapter_config.json": b"{}"}
        digests = {name: digest_bytes(data) for name, data in files.items()}
        content = {
            **{f"adapter/{name}": data for name, data in files.items()},
            layout.PROMPT: canonical_json(PROMPT),
            layout.GUARD: guard,
            layout.ACCESS: access,
            layout.GATE_REPORT: canonical_json({"candidate": unit, "verdict": "pass"}),
            layout.ADAPTER_SIGNATURE: sign_statement(model_statement("adapter", digests), self.signer),
            layout.TRUST: PINNED,
        }
        write_files(root, content)
        attest(root, unit, root_digest(digests), KeySigner(self.signer))
        some = digest_bytes(b"some")
        manifest = ReleaseManifest(
            format=layout.FORMAT,
            project=project,
            sequence=self.sequence,
            unit=unit,
            base=BaseReference("tiny", digest_manifest(base_files), "MIT", "path:tiny", base_files),
            adapter=digest_manifest(digests),
            prompt=digest_bytes(content[layout.PROMPT]),
            guard=digest_bytes(guard),
            access=digest_bytes(access),
            config=some,
            requirements=some,
            dataset=some,
            gate_report=digest_bytes(content[layout.GATE_REPORT]),
            trust=digest_bytes(content[layout.TRUST]),
            verdict="pass",
            files=tree_manifest(root),
            created="2026-01-01T00:00:00+00:00",
        )
        data = manifest.to_bytes()
        digest = digest_bytes(data)
        signed = statement({layout.MANIFEST: digest}, layout.PREDICATE_TYPE, {})
        (root / layout.MANIFEST).write_bytes(data)
        (root / layout.BUNDLE).write_bytes(sign_statement(signed, self.signer))
        root.rename(self.home / "releases" / hex_of(digest))
        return digest

    def directory(self, release: str) -> Path:
        return self.home / "releases" / hex_of(release)

    def append(self, release: str, *kinds: Kind, project: str = "triage") -> None:
        for kind in kinds:
            self.ledger.append(kind, project=project, subject=release, actor="test", reason="test")

    def approve(self, release: str, project: str = "triage") -> str:
        self.append(release, Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, project=project)
        return release

    def promote(self, release: str, project: str = "triage") -> str:
        self.append(self.approve(release, project), Kind.CHAMPION, project=project)
        return release

    def route(self, models: dict[str, str], staged: tuple[str, ...] = ()) -> int:
        path = self.home / "run" / "routes.json"
        generation = read_snapshot(path).generation + 1
        resident = tuple(dict.fromkeys([*models.values(), *staged]))
        write_snapshot(path, RouteSnapshot(generation, models, staged, resident))
        return generation

    def start(self, module: str, *arguments: str, environment: dict[str, str] | None = None) -> str:
        """Start one of our services; its URL once it is ready."""
        port = free_port()
        log = (self.home / f"{module}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", module, "--home", str(self.home), "--port", str(port), *arguments],
            cwd=REPOSITORY,
            env={
                **{k: v for k, v in os.environ.items() if not k.startswith("ASSAY_")},
                "ASSAY_HOME": str(self.home),
                "OMP_NUM_THREADS": "1",
                "OMP_WAIT_POLICY": "PASSIVE",
                **(environment or {}),
            },
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        url = f"http://127.0.0.1:{port}"

        def ready() -> bool:
            assert process.poll() is None, (self.home / f"{module}.log").read_text()
            return get(f"{url}/health/ready")[0] == 200

        wait_for(ready, f"{module} ready", 180)
        return url

    def stop(self) -> None:
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def log_lines(self) -> list[dict[str, Any]]:
        files = sorted((self.home / "audit").glob("requests-*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path / "home")
    yield made
    made.stop()
