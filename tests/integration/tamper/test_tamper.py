"""Every way of altering a release is refused for the right reason, and nothing of it is loaded."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.refusal import Reason, VerificationError
from infra.serving.decoder import Decoder
from infra.serving.releases import Releases
from infra.signing import Expectation, VerifiedRelease, restored_release, verify_release
from infra.signing.sealed import CAN_SEAL
from tests.integration.tamper.cases import CASES, EVERY_FILE
from tests.integration.tamper.packaged import Packaged


def open_handles() -> int:
    return len(os.listdir("/proc/self/fd")) if CAN_SEAL else 0


@pytest.mark.parametrize(("name", "alter", "reason"), CASES, ids=[case[0] for case in CASES])
def test_a_tampered_release_is_refused_and_nothing_is_loaded(
    packaged: Packaged,
    name: str,
    alter: Callable[[Packaged], object],
    reason: Reason,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alter(packaged)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = open_handles()
    with pytest.raises(VerificationError) as refused:
        packaged.verify()
    assert refused.value.reason == reason, refused.value.message
    assert refused.value.hint
    assert open_handles() == before
    assert list(tmp_path.iterdir()) == []
    if (packaged.expect, packaged.now) == (Expectation(), None):
        assert_not_served(packaged, reason)


def assert_not_served(packaged: Packaged, reason: Reason) -> None:
    """The model server refuses for the same reason, and does not even begin to load."""
    loaded: list[VerifiedRelease] = []

    def load(verified: VerifiedRelease) -> Decoder:
        loaded.append(verified)
        raise AssertionError("a refused release was handed to the loader")

    release = "sha256:" + packaged.release.name
    server = Releases(packaged.home, packaged.store, lambda: packaged.trust, open_decoder=load)
    with pytest.raises(VerificationError) as refused:
        server.load(release)
    assert refused.value.reason == reason
    assert loaded == []
    assert server.resident == {}
    assert server.refused == {release: refused.value.message}


def test_the_release_is_accepted_as_it_was_packaged(packaged: Packaged) -> None:
    assert set(packaged.manifest.files) == set(EVERY_FILE)
    packaged.expecting(
        release=packaged.manifest.digest, project="triage", at_least_sequence=packaged.manifest.sequence
    )
    packaged.verify().close()


def test_the_tools_of_the_table_alter_nothing_by_themselves(packaged: Packaged) -> None:
    """So a case is refused for what it changes, and not for having been signed again."""
    packaged.sign_adapter()
    packaged.verify().close()
    packaged.put("adapter/tokenizer.json", b'{"model": {"vocab": {"auto_map": 7}}}')
    packaged.rebase("tokenizer.json", b"{}")
    packaged.policed(required=[])
    packaged.stage("release", signers=["installation", {"key": packaged.other.key_id}])
    packaged.verify().close()


REASONS = """
not-a-release unreadable too-large malformed format-unknown manifest-altered binding-broken signature-invalid
signer-untrusted signer-revoked same-signer no-trust release-revoked policy-mismatch wrong-stage wrong-subject
attestation-missing attestation-foreign verdict-refused predicate-legacy ignore-paths serialization-refused
hash-refused model-empty file-missing file-unexpected file-altered link hard-link special-file mode-unsafe
git-metadata name-not-nfc name-collision type-refused content-refused base-missing expired not-yet-valid
too-old replayed-sequence presented-as-another unknown
"""


def test_every_reason_is_stable_and_the_table_knows_most() -> None:
    assert sorted(Reason) == sorted(REASONS.split())
    shown = {case[2] for case in CASES}
    assert set(Reason) - shown == {Reason.UNREADABLE, Reason.NO_TRUST, Reason.MODEL_EMPTY, Reason.UNKNOWN}


def test_an_older_release_is_accepted_after_a_recorded_rollback(packaged: Packaged) -> None:
    packaged.expecting(at_least_sequence=9, restored=frozenset({packaged.manifest.digest}))
    packaged.verify().close()
    assert restored_release([], "triage") == frozenset()


def test_a_verification_leaves_nothing_behind_for_the_next(copy: Callable[[], Packaged]) -> None:
    """One trust root for two releases, in turn: stock verifiers carry ignore lists from one to the next."""
    bad, good = copy(), copy()
    trust = good.trust
    bad.sign_adapter(
        change=lambda content: content["predicate"]["serialization"].update(
            ignore_paths=["adapter_config.json"]
        )
    )
    good.write("adapter/.hidden", b"planted")
    for _ in range(2):
        for each, reason in ((bad, Reason.IGNORE_PATHS), (good, Reason.FILE_UNEXPECTED)):
            with pytest.raises(VerificationError) as refused:
                verify_release(each.release, trust=trust, store=each.store)
            assert refused.value.reason == reason
    good.remove("adapter/.hidden")
    verify_release(good.release, trust=trust, store=good.store).close()
