"""A release with a confidential prompt: packaged, verified, loaded; every load has a canary of its own."""

import re
from pathlib import Path

import pytest

from infra.errors import DataError, IntegrityError
from infra.guard import GuardPolicy
from infra.models.chat import encode_chat, text_ids
from infra.models.tokenizer import load_tokenizer
from infra.prompts import PLACEHOLDER, PromptTemplate
from infra.serving.decoder import Decoder
from infra.serving.releases import Releases
from infra.signing import KeyPair, create_key
from infra.store import FileStore
from tasks.deploy.packaging import ReleaseFiles, package_release
from tasks.records import Release
from tests.integration.finetune.tiny import write_base
from tests.signed import signer_of, trust_of
from tests.unit.tasks.deploy.samples import ACCESS, GUARD, LABELS, make_candidate, make_evidence, make_report
from tests.unit.tasks.finetune.provenance.samples import with_provenance

CONFIDENTIAL: dict[str, object] = {
    "name": "triage",
    "system": "Internal reference {{canary}}. Reply with one of {{labels}}.",
    "user": "{{text}}",
    "labels": list(LABELS),
    "confidential": True,
}
CANARY = re.compile(r"CNRY-[A-Z2-7]{16}")
TEXT = "The actor encrypted the hosts. {{canary}}"


class Shop:
    """A tiny model with its adapter in a store, a key, and the release of a prompt."""

    def __init__(self, root: Path) -> None:
        self.root, self.store = root, FileStore(root / "store")
        self.keys: KeyPair = create_key(root / "keys")
        self.base = self.store.put_tree(write_base(root / "base"))

    def package(self, definition: dict[str, object]) -> Release:
        candidate = make_candidate(self.base, self._adapter(), definition=definition)
        candidate = with_provenance(self.store, candidate)
        evidence = make_evidence(candidate.unit)
        return package_release(
            candidate,
            make_report(candidate.unit, evidence),
            store=self.store,
            releases_dir=self.root / "releases",
            files=ReleaseFiles(definition, GUARD, ACCESS),
            sequence=1,
            signer=signer_of(self.keys),
            trust=trust_of(self.keys),
            evidence=evidence,
        )

    def _adapter(self) -> str:
        from tests.integration.inference.test_serving import adapter_files

        directory = self.root / "adapter"
        directory.mkdir()
        for name, data in adapter_files().items():
            (directory / name).write_bytes(data)
        return self.store.put_tree(directory)

    def load(self, release: Release) -> Decoder:
        """What a model server that has just started answers with."""
        releases = Releases(self.root, self.store, lambda: trust_of(self.keys))
        return releases.load(release.digest).decoder

    def read(self, ids: list[int]) -> str:
        text = load_tokenizer(self.store.open_tree(self.base)).decode(ids)
        assert isinstance(text, str)
        return text


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def release(shop: Shop) -> Release:
    return shop.package(CONFIDENTIAL)


def test_every_load_draws_a_canary_of_the_same_size(shop: Shop, release: Release) -> None:
    template, tokenizer = (
        PromptTemplate.from_definition(CONFIDENTIAL),
        load_tokenizer(shop.store.open_tree(shop.base)),
    )
    measured = encode_chat(tokenizer, template.messages(TEXT))
    assert PLACEHOLDER in shop.read(measured)
    drawn = set()
    for _ in range(3):
        served = shop.load(release).encode(TEXT)
        found = CANARY.findall(shop.read(served))
        assert len(found) == 1, "one canary, in the system text; the text's own braces stay what they are"
        assert "{{canary}}" in shop.read(served)
        drawn.add(found[0])
        assert len(served) == len(measured), "what is served has the shape of what was measured"
        assert len(text_ids(tokenizer, template.system_message(canary=found[0]))) == len(
            text_ids(tokenizer, template.system_message())
        )
    assert PLACEHOLDER not in drawn
    assert len(drawn) == 3


def test_a_canary_is_in_no_file_of_the_release(shop: Shop, release: Release) -> None:
    canary = CANARY.findall(shop.read(shop.load(release).encode(TEXT)))[0].encode()
    files = [file for file in Path(release.directory).rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if canary in file.read_bytes()]


def test_the_shipped_guard_stops_an_answer_with_the_canary(shop: Shop, release: Release) -> None:
    canary = CANARY.findall(shop.read(shop.load(release).encode(TEXT)))[0]
    guard = GuardPolicy.from_yaml(Path("configs/guard.yaml").read_bytes())
    for answer in (canary, f"My reference is {canary.lower()}.", " ".join(canary.split("-"))):
        verdict = guard.check_output(answer)
        assert (verdict.allowed, verdict.rule) == (False, "canary")
    assert guard.check_output("impact").allowed


def test_a_prompt_changed_after_signing_is_not_loaded(shop: Shop, release: Release) -> None:
    prompt = Path(release.directory) / "prompts/prompt.json"
    kept = prompt.read_bytes()
    prompt.chmod(0o600)
    try:
        prompt.write_bytes(kept.replace(b"{{canary}}", b"CNRY-AAAAAAAAAAAAAAAA"))
        with pytest.raises(IntegrityError, match=r"prompts/prompt\.json: altered"):
            shop.load(release)
    finally:
        prompt.write_bytes(kept)


def test_a_confidential_prompt_without_a_place_for_the_canary_is_no_prompt() -> None:
    with pytest.raises(DataError, match="canary"):
        PromptTemplate.from_definition({**CONFIDENTIAL, "system": "Reply with one of {{labels}}."})
