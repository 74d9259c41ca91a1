"""The policy file: closed, complete, and pinned by what must not change under a release."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from infra.config.load import REPOSITORY
from infra.config.schema import main
from infra.digest import digest_bytes
from infra.errors import ConfigError, IntegrityError
from infra.refusal import Reason, VerificationError
from infra.signing import create_key, open_trust
from infra.signing.dsse import statement
from infra.signing.signer import SignerIdentity
from infra.trust import Signed, Stage, TrustPolicy, read_policy
from infra.trust.schema import SCHEMA_FILE, trust_schema
from tests.signed import POLICY, signer_of

SHIPPED = sorted((REPOSITORY / "configs").glob("**/trust*.yaml"))
KEY = digest_bytes(b"key")


def values() -> dict[str, Any]:
    return dict(yaml.safe_load(POLICY.read_text()))


def policy(**changes: Any) -> TrustPolicy:
    return TrustPolicy.model_validate(values() | changes)


def staged(name: str, **changes: Any) -> dict[str, Any]:
    return {"stages": values()["stages"] | {name: {"signers": ["installation"]} | changes}}


UNUSABLE: dict[str, dict[str, Any]] = {
    "an unknown setting": {"revokd": {}},
    "another version": {"version": 2},
    "no required attestations said": {"required": None},
    "an approval inside the release": {"required": ["approval"]},
    "an unknown hash": {"hashes": ["md5"]},
    "no hash": {"hashes": []},
    "age 0": {"max_age_days": 0},
    "a stage is absent": {"stages": {}},
    "an unknown stage": {"stages": {"weigths": {"signers": ["installation"]}}},
    "nobody signs": staged("gates", signers=[]),
    "anybody signs": staged("gates", signers=["*"]),
    "a short key id": staged("gates", signers=[{"key": "sha256:1234"}]),
    "an identity without issuer": staged("gates", signers=[{"identity": "ada@example.org"}]),
    "an identity without a root": staged("gates", signers=[{"identity": "a", "issuer": "https://i.example"}]),
    "different from itself": staged("gates", not_same_as=["gates"]),
    "different from an approval": staged("release", not_same_as=["approval"]),
    "a revoked key that is none": {"revoked": {"keys": ["eve"]}},
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_an_unusable_policy_is_refused_with_file_and_line(tmp_path: Path, name: str) -> None:
    file = tmp_path / "trust.yaml"
    file.write_text(yaml.safe_dump(values() | UNUSABLE[name]))
    with pytest.raises(ConfigError, match=r"trust\.yaml:\d+: "):
        read_policy(file)


SETTINGS = st.sampled_from([*values(), "x"])
YAML = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SETTINGS, inner, max_size=4),
).map(yaml.safe_dump)


@given(st.text(max_size=80) | YAML)
def test_no_text_upsets_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.getbasetemp() / "fuzzed-trust.yaml"
    file.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ConfigError):
        read_policy(file)


def test_the_schema_file_is_in_step_and_describes_what_is_shipped() -> None:
    assert main(["--check"], schema=trust_schema, file=SCHEMA_FILE) == 0, "run: make schema"
    validator = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))
    assert SHIPPED
    for file in SHIPPED:
        read_policy(file)
        assert list(validator.iter_errors(yaml.safe_load(file.read_text()))) == []
    assert list(validator.iter_errors(values() | {"trustd": []}))


def test_the_digest_covers_the_rules_and_not_what_has_to_change_later() -> None:
    digest = policy().digest
    changing: tuple[dict[str, Any], ...] = (
        {"revoked": {"keys": [KEY], "releases": [KEY]}},
        {"succeeds": [KEY]},
        {"public_keys": ["a.pub"]},
    )
    assert {policy(**changes).digest for changes in changing} == {digest}
    rules = (
        {"required": []},
        {"hashes": ["blake3"]},
        {"max_age_days": 30},
        staged("gates", signers=[{"key": KEY}]),
    )
    assert len({digest, *(policy(**changes).digest for changes in rules)}) == 5


def test_the_embedded_policy_trusts_the_installation_for_everything() -> None:
    rules = read_policy(POLICY)
    for stage in Stage:
        rules.rule(stage, installation=KEY).verify(Signed("x", SignerIdentity(KEY)))
        for installation in ("", digest_bytes(b"other")):
            with pytest.raises(VerificationError):
                rules.rule(stage, installation=installation).verify(Signed("x", SignerIdentity(KEY)))


def test_production_keeps_trainer_validator_and_release_manager_apart() -> None:
    rules = read_policy(REPOSITORY / "configs" / "examples" / "production" / "trust.yaml")
    signers = {stage: SignerIdentity(f"{stage}@example.org", "https://i.example") for stage in Stage}
    for stage, others in {
        Stage.GATES: [Stage.PROVENANCE],
        Stage.APPROVAL: [Stage.PROVENANCE, Stage.GATES, Stage.RELEASE],
    }.items():
        rules.separation(stage, signers).verify(Signed("x", signers[stage]))
        for other in others:
            with pytest.raises(VerificationError) as refused:
                rules.separation(stage, signers).verify(Signed("x", signers[other]))
            assert refused.value.reason == Reason.SAME_SIGNER


def test_a_key_that_is_named_needs_its_file(tmp_path: Path) -> None:
    own, other = create_key(tmp_path / "own"), create_key(tmp_path / "other")
    file = tmp_path / "trust.yaml"
    changes = staged("gates", signers=["installation", {"key": other.key_id}])
    file.write_text(yaml.safe_dump(values() | changes))
    with pytest.raises(ConfigError, match="no file is given for key"):
        open_trust(file, own.public)
    file.write_text(yaml.safe_dump(values() | changes | {"public_keys": ["gone.pub"]}))
    with pytest.raises(IntegrityError, match="not a readable PEM"):
        open_trust(file, own.public)
    file.write_text(yaml.safe_dump(values() | changes | {"public_keys": ["other/signing.pub"]}))
    trust = open_trust(file, own.public)
    content = statement({"thing": KEY}, "urn:test", {})
    bundle = signer_of(other).sign(content)
    assert trust.verify(bundle, Stage.GATES, "x") == (content, SignerIdentity(other.key_id))
    # One that may sign one stage may not sign another.
    with pytest.raises(VerificationError) as refused:
        trust.verify(bundle, Stage.RELEASE, "x")
    assert refused.value.reason == Reason.SIGNER_UNTRUSTED


def test_without_an_installation_key_nobody_is_trusted(tmp_path: Path) -> None:
    keys = create_key(tmp_path / "keys")
    trust = open_trust(POLICY, tmp_path / "absent.pub")
    with pytest.raises(VerificationError) as refused:
        trust.verify(signer_of(keys).sign(statement({"thing": KEY}, "urn:test", {})), Stage.GATES, "x")
    assert refused.value.reason == Reason.NO_TRUST
