"""Why a verifier refused: one error with a stable reason code, for people, programs and tests.

raise VerificationError(Reason.FILE_ALTERED, "guard/guard.yaml: altered: got …, expected …")
error.reason                          # Reason.FILE_ALTERED, which is also the text "file-altered"
"""

from enum import StrEnum

from infra.errors import IntegrityError


class Reason(StrEnum):
    """What is wrong, in one word that does not change between versions."""

    NOT_A_RELEASE = "not-a-release"
    """There is no release directory of that name, or a link stands in its place."""
    UNREADABLE = "unreadable"
    """The operating system does not let the verifier read a file or directory."""
    TOO_LARGE = "too-large"
    """A document is longer, or nested deeper, than any that is read."""
    MALFORMED = "malformed"
    """A document is not in the one form in which it is written."""
    FORMAT_UNKNOWN = "format-unknown"
    """The manifest or bundle is of another format than the one that is read."""
    MANIFEST_ALTERED = "manifest-altered"
    """The manifest is not the one that was signed."""
    BINDING_BROKEN = "binding-broken"
    """The manifest contradicts itself: a part that it names is not the file that it lists."""
    SIGNATURE_INVALID = "signature-invalid"
    """The signature does not fit the content."""
    SIGNER_UNTRUSTED = "signer-untrusted"
    """The signature fits, but the trust policy does not let this signer sign this."""
    SIGNER_REVOKED = "signer-revoked"
    """The trust policy has revoked this key or identity."""
    SAME_SIGNER = "same-signer"
    """Two statements that different people or machines must sign have the same signer."""
    NO_TRUST = "no-trust"
    """The verifier was given nobody to trust."""
    RELEASE_REVOKED = "release-revoked"
    """The trust policy has revoked this release, or something that it is made of."""
    POLICY_MISMATCH = "policy-mismatch"
    """The release was made under a trust policy that is neither today's nor one that today's succeeds."""
    WRONG_STAGE = "wrong-stage"
    """A statement of one stage stands in the place of another stage's."""
    WRONG_SUBJECT = "wrong-subject"
    """A signed statement has no usable subject, or one that does not follow from the files."""
    ATTESTATION_MISSING = "attestation-missing"
    """The trust policy requires an attestation that the release does not have."""
    ATTESTATION_FOREIGN = "attestation-foreign"
    """An attestation is about another unit or adapter, or contradicts the manifest."""
    VERDICT_REFUSED = "verdict-refused"
    """Gates or deploy's own verification did not pass."""
    PREDICATE_LEGACY = "predicate-legacy"
    """The model signature has the v0.1 predicate, which does not cover what v1.0 covers."""
    IGNORE_PATHS = "ignore-paths"
    """The model signature leaves files out."""
    SERIALIZATION_REFUSED = "serialization-refused"
    """The model signature was made over something else than whole files without links."""
    HASH_REFUSED = "hash-refused"
    """The model signature uses a hash that the trust policy does not allow."""
    MODEL_EMPTY = "model-empty"
    """The signed model has no files, or no weights."""
    FILE_MISSING = "file-missing"
    """A file that was signed is not there."""
    FILE_UNEXPECTED = "file-unexpected"
    """A file or directory is there that was not signed."""
    FILE_ALTERED = "file-altered"
    """A file has other bytes than those that were signed."""
    LINK = "link"
    """A symbolic link stands where a file or directory should be."""
    HARD_LINK = "hard-link"
    """A file has a second name, through which it can be changed."""
    SPECIAL_FILE = "special-file"
    """A pipe, socket or device stands where a file should be."""
    MODE_UNSAFE = "mode-unsafe"
    """A file or directory can be written by everybody, or a file can be executed."""
    GIT_METADATA = "git-metadata"
    """A `.git*` entry: stock verifiers do not look at it."""
    NAME_INVALID = "name-not-nfc"
    """A file name is not plain, printable NFC text."""
    NAME_COLLISION = "name-collision"
    """Two file names differ only by case or Unicode form."""
    TYPE_REFUSED = "type-refused"
    """A file of a type that a model may not hold."""
    CONTENT_REFUSED = "content-refused"
    """A file is not what its name says, or could run code."""
    BASE_MISSING = "base-missing"
    """The store does not have the base model."""
    EXPIRED = "expired"
    """The release may not be served any more."""
    NOT_YET_VALID = "not-yet-valid"
    """The release says that it was made in the future."""
    TOO_OLD = "too-old"
    """The release is older than the trust policy allows."""
    REPLAYED_SEQUENCE = "replayed-sequence"
    """An older release stands in the place of a newer one, and no rollback is recorded."""
    PRESENTED_AS_ANOTHER = "presented-as-another"
    """This is another release than the one that was asked for."""
    UNKNOWN = "unknown"
    """The verifier itself failed; that is never a pass."""


SIGNER_COUNTS_NO_MORE = frozenset({Reason.SIGNER_UNTRUSTED, Reason.SIGNER_REVOKED, Reason.NO_TRUST})
"""The signature may be as it always was: whoever made it is not trusted any more."""


class VerificationError(IntegrityError):
    """Raised when a verifier refuses a release, document or tree; `reason` says why in a stable word."""

    def __init__(self, reason: Reason, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.reason = reason

    def __reduce__(self) -> tuple[type["VerificationError"], tuple[Reason, str, str]]:  # type: ignore[override]  # one argument more than its base
        return type(self), (self.reason, self.message, self.hint)
