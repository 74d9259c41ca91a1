"""Packaging with real signatures: what is published, published once, and never half."""

import base64
import json
import os
import signal
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.digest import digest_bytes, hex_of
from infra.errors import IntegrityError, Unavailable
from infra.locks import hold
from infra.refusal import Reason, VerificationError
from infra.signing import KeyPair, create_key, verify_manifest, verify_release
from infra.store import FileStore
from infra.trust import Stage
from infra.trust.policy import StagePolicy
from tasks.deploy.card import CardFacts
from tasks.deploy.packaging import find_release, package_release, report_digest
from tasks.records import Release
from tests.integration.killed import survives
from tests.signed import signer_of, trust_of
from tests.unit.tasks.deploy.samples import Sample, make_sample
from tests.unit.tasks.finetune.provenance.samples import with_provenance

FACTS = CardFacts(title="Incident triage", approval="auto", losses=((1, 2.5), (2, 1.0), (3, 0.4)))


class Shop:
    """A store, a key and a place for releases."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = FileStore(root / "store")
        self.keys: KeyPair = create_key(root / "keys")
        self.signer, self.trust = self.keys, trust_of(self.keys)
        self.releases = root / "releases"

    def package(self, sample: Sample, sequence: int = 1, expires: datetime | None = None) -> Release:
        return package_release(
            sample.candidate,
            sample.report,
            store=self.store,
            releases_dir=self.releases,
            files=sample.files,
            sequence=sequence,
            signer=signer_of(self.signer),
            trust=self.trust,
            evidence=sample.evidence,
            facts=FACTS,
            expires=expires,
        )

    def visible(self) -> list[str]:
        return sorted(path.name for path in self.releases.glob("*") if not path.name.startswith("."))

    def hidden(self) -> list[str]:
        return sorted(path.name for path in self.releases.glob("*") if path.name.endswith(".part"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    import model_signing.signing
    import model_signing.verifying  # noqa: F401  # imported once here, so that forked children start at once

    return Shop(tmp_path)


@pytest.fixture
def sample(shop: Shop) -> Sample:
    return make_sample(shop.store, shop.root)


def payload(bundle: Path) -> dict[str, object]:
    document = json.loads(bundle.read_bytes())
    return json.loads(base64.b64decode(document["dsseEnvelope"]["payload"]))  # type: ignore[no-any-return]


def test_a_kill_anywhere_leaves_no_visible_release(
    shop: Shop, sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at the first, the 8th, … file-system step, until a run comes through; each next run repairs."""
    monkeypatch.setattr("tempfile.tempdir", str(shop.root))  # a killed verifier leaves its links behind

    def counts(event: str, arguments: tuple[object, ...]) -> bool:
        watched = event in ("open", "os.rename", "os.mkdir", "os.chmod", "os.listdir", "os.scandir")
        return watched and any(str(shop.releases) in str(argument) for argument in arguments)

    steps, kills = 1, 0
    while not survives(lambda: shop.package(sample), steps, counts):
        visible = shop.visible()
        for name in visible:  # after the rename: a whole release, or nothing
            verify_release(shop.releases / name, trust=trust_of(shop.keys), store=shop.store).close()
        kills += 1
        steps += 7
        assert len(visible) <= 1
    assert kills > 5
    assert len(shop.visible()) == 1
    assert shop.hidden() == []
    release = shop.package(sample)
    assert shop.visible() == [hex_of(release.digest)]


def test_a_package_is_found_again_instead_of_made_again(shop: Shop, sample: Sample) -> None:
    first = shop.package(sample)
    assert shop.package(sample, sequence=2) == first
    found = find_release(
        shop.releases, sample.candidate.unit, report_digest(sample.report), trust=trust_of(shop.keys)
    )
    assert found == first
    assert len(shop.visible()) == 1
    other_report = digest_bytes(b"other report")
    assert find_release(shop.releases, sample.candidate.unit, other_report, trust=trust_of(shop.keys)) is None


def test_another_candidate_is_another_release(shop: Shop, sample: Sample) -> None:
    first = shop.package(sample)
    second = shop.package(make_sample(shop.store, shop.root, value=7.0), sequence=2)
    assert first.digest != second.digest
    assert len(shop.visible()) == 2


def test_a_damaged_release_is_not_returned_again(shop: Shop, sample: Sample) -> None:
    release = shop.package(sample)
    guard = Path(release.directory) / "guard/guard.yaml"
    guard.chmod(0o600)
    guard.write_bytes(b"rules: off\n")
    with pytest.raises(IntegrityError, match=r"guard/guard\.yaml: altered"):
        shop.package(sample)


def test_an_expired_release_is_packaged_afresh(shop: Shop, sample: Sample) -> None:
    first = shop.package(sample, expires=datetime.now(UTC) + timedelta(seconds=3))
    verify_manifest(Path(first.directory), trust=trust_of(shop.keys))
    time.sleep(3.1)
    with pytest.raises(IntegrityError, match="expired"):
        verify_manifest(Path(first.directory), trust=trust_of(shop.keys))
    second = shop.package(sample, sequence=2)
    assert second.digest != first.digest
    verify_manifest(Path(second.directory), trust=trust_of(shop.keys))


def test_an_altered_base_or_adapter_stops_packaging(shop: Shop, sample: Sample) -> None:
    weights = shop.store.tree_path(sample.candidate.base.digest) / "model.safetensors"
    weights.chmod(0o600)
    good = weights.read_bytes()
    weights.write_bytes(good[:-1] + b"x")
    with pytest.raises(IntegrityError, match="base tiny-135m"):
        shop.package(sample)
    weights.write_bytes(good)
    config = shop.store.tree_path(sample.candidate.adapter.digest) / "adapter_config.json"
    config.chmod(0o600)
    config.write_text("{}")
    with pytest.raises(IntegrityError, match="altered"):
        shop.package(sample)
    assert shop.visible() == []
    assert shop.hidden() == []


def test_two_at_once_are_refused_by_name(shop: Shop, sample: Sample) -> None:
    child = os.fork()
    if child == 0:
        with hold(shop.releases, ".package-triage", "packaging of triage"):
            (shop.root / "held").touch()
            signal.pause()
        os._exit(0)
    try:
        while not (shop.root / "held").exists():
            pass
        with pytest.raises(Unavailable, match="packaging of triage"):
            shop.package(sample)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_published_release_holds_all_that_an_auditor_needs(shop: Shop, sample: Sample) -> None:
    release = shop.package(sample, sequence=4)
    directory = Path(release.directory)
    assert (
        directory.name
        == hex_of(release.digest)
        == hex_of(digest_bytes((directory / "release.json").read_bytes()))
    )
    names = sorted(path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file())
    assert names == [
        "MODEL_CARD.md",
        "access/access.yaml",
        "adapter.sig",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "attestations/environment.sigstore.json",
        "attestations/gates.sigstore.json",
        "attestations/provenance.sigstore.json",
        "attestations/verification.sigstore.json",
        "card.html",
        "card.json",
        "evidence.json",
        "gate-report.json",
        "guard/guard.yaml",
        "mlbom.cdx.json",
        "prompts/prompt.json",
        "release.json",
        "release.sigstore.json",
        "requirements.json",
        "trust.json",
    ]
    assert all(stat.S_IMODE((directory / name).stat().st_mode) == 0o400 for name in names)
    assert digest_bytes((directory / "evidence.json").read_bytes()) == sample.report.evidence
    assert digest_bytes((directory / "gate-report.json").read_bytes()) == report_digest(sample.report)
    assert sample.candidate.unit in (directory / "card.html").read_text()
    assert release.digest not in (directory / "card.html").read_text()
    with verify_release(directory, trust=trust_of(shop.keys), store=shop.store) as verified:
        assert verified.manifest.sequence == 4
        assert verified.prompt == sample.files.prompt
        assert verified.guard_yaml == sample.files.guard_yaml


def test_attestations_follow_their_published_schemas(shop: Shop, sample: Sample) -> None:
    from google.protobuf import json_format
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
    from in_toto_attestation.predicates.test_result.v0.test_result_pb2 import TestResult

    directory = Path(shop.package(sample).directory)
    provenance = payload(directory / "attestations/provenance.sigstore.json")
    assert provenance["predicateType"] == "https://slsa.dev/provenance/v1"
    json_format.ParseDict(provenance["predicate"], Provenance())
    gates = payload(directory / "attestations/gates.sigstore.json")
    assert gates["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    result = json_format.ParseDict(gates["predicate"], TestResult())
    assert result.result == "PASSED"
    assert list(result.passed_tests) == ["accuracy-floor", "better-than-base"]
    subjects = {each["name"] for each in provenance["subject"]}
    assert subjects > {each["name"] for each in gates["subject"]} == {"unit", "adapter"}
    assert subjects == {
        "unit",
        "adapter",
        "adapter-tree",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
    }


def test_sigstore_and_cyclonedx_read_what_is_published(shop: Shop, sample: Sample) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator
    from sigstore.dsse._predicate import SLSAPredicateV1_0

    directory = Path(shop.package(sample).directory)
    provenance = payload(directory / "attestations/provenance.sigstore.json")
    SLSAPredicateV1_0.model_validate(provenance["predicate"])
    document = (directory / "mlbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(document.replace('"1.6"', '"1.7"')) is None
    environment = payload(directory / "attestations/environment.sigstore.json")
    assert environment["predicate"]["user"] == "ada"  # type: ignore[index]
    assert (
        digest_bytes((directory / "requirements.json").read_bytes()) == sample.candidate.requirements.digest
    )


def test_an_altered_origin_stops_packaging(shop: Shop, sample: Sample) -> None:
    assert sample.candidate.provenance is not None
    kept = json.loads(shop.store.get_bytes(sample.candidate.provenance.statement))
    kept["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"]["sha256"] = "0" * 64
    for change in (
        {"statement": shop.store.put_bytes(json.dumps(kept).encode())},
        {"mlbom": shop.store.put_bytes(b'{"metadata": {"component": {"version": "other"}}}')},
        {"mlbom": sample.candidate.provenance.statement},
    ):
        provenance = sample.candidate.provenance.model_copy(update=change)
        candidate = sample.candidate.model_copy(update={"provenance": provenance})
        with pytest.raises(IntegrityError, match="the candidate names"):
            shop.package(replace(sample, candidate=candidate))
    assert shop.visible() == []


def test_a_release_signed_by_a_key_that_was_replaced_is_refused(shop: Shop, sample: Sample) -> None:
    release = shop.package(sample)
    other = create_key(shop.root / "other")
    with pytest.raises(IntegrityError, match="not trusted"):
        verify_release(Path(release.directory), trust=trust_of(other), store=shop.store)


def test_a_signer_whom_the_policy_does_not_name_publishes_nothing(shop: Shop, sample: Sample) -> None:
    shop.signer = create_key(shop.root / "other")
    with pytest.raises(VerificationError) as refused:
        shop.package(sample)
    assert refused.value.reason == Reason.SIGNER_UNTRUSTED
    assert shop.visible() == []


def test_a_policy_that_keeps_stages_apart_is_not_met_by_one_signer(shop: Shop, sample: Sample) -> None:
    apart = shop.trust.policy.stages.model_copy(
        update={"gates": StagePolicy(signers=("installation",), not_same_as=(Stage.PROVENANCE,))}
    )
    shop.trust = replace(shop.trust, policy=shop.trust.policy.model_copy(update={"stages": apart}))
    with pytest.raises(VerificationError) as refused:
        shop.package(sample)
    assert refused.value.reason == Reason.SAME_SIGNER
    assert shop.visible() == []


def test_another_policy_makes_another_release(shop: Shop, sample: Sample) -> None:
    first = shop.package(sample)
    before = shop.trust.policy
    stricter = before.model_copy(update={"max_age_days": 30})
    shop.trust = replace(shop.trust, policy=stricter)
    with pytest.raises(VerificationError) as refused:
        verify_manifest(Path(first.directory), trust=shop.trust)
    assert refused.value.reason == Reason.POLICY_MISMATCH
    second = shop.package(sample, sequence=2)
    assert second.digest != first.digest
    # One that says which policies it succeeds accepts their releases, under its own rules.
    shop.trust = replace(shop.trust, policy=stricter.model_copy(update={"succeeds": (before.digest,)}))
    verify_manifest(Path(first.directory), trust=shop.trust)


def test_weights_can_be_signed_over_blake3_where_the_policy_allows_it(shop: Shop, sample: Sample) -> None:
    """Also accepted by the reference implementation, which packaging asks."""
    fast = shop.trust.policy.model_copy(update={"hashes": ("blake3", "sha256")})
    shop.trust = replace(shop.trust, policy=fast)
    directory = Path(shop.package(sample).directory)
    signed = payload(directory / "adapter.sig")
    assert signed["predicate"]["serialization"]["hash_type"] == "blake3"  # type: ignore[index]
    verify_release(directory, trust=shop.trust, store=shop.store).close()
    only_sha256 = fast.model_copy(update={"hashes": ("sha256",), "succeeds": (fast.digest,)})
    with pytest.raises(VerificationError) as refused:
        verify_release(directory, trust=replace(shop.trust, policy=only_sha256), store=shop.store)
    assert refused.value.reason == Reason.HASH_REFUSED


def test_an_unsafe_adapter_is_never_published(shop: Shop, sample: Sample) -> None:
    root = shop.root / "unsafe"
    root.mkdir()
    (root / "adapter_config.json").write_text('{"auto_map": {"AutoModel": "evil.Model"}}')
    (root / "adapter_model.safetensors").write_bytes(b"\x80\x04")
    adapter = sample.candidate.adapter.model_copy(update={"digest": shop.store.put_tree(root)})
    candidate = with_provenance(shop.store, sample.candidate.model_copy(update={"adapter": adapter}))
    unsafe = replace(sample, candidate=candidate)
    with pytest.raises(IntegrityError, match=r"adapter/adapter_config\.json: 'auto_map' would load code"):
        shop.package(unsafe)
    assert shop.visible() == []
