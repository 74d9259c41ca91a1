"""Releases in memory: verified, loaded, warmed up; one that fails is named with its reason, never served.

releases = Releases(home, store, trust); releases.load("sha256:…")
releases.resident["sha256:…"].decoder
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from infra.digest import hex_of
from infra.errors import AssayError, DataError
from infra.prompts import PLACEHOLDER, PromptTemplate, draw_canary
from infra.store import FileStore

if TYPE_CHECKING:
    from infra.serving.decoder import Decoder
    from infra.signing import TrustRoot, VerifiedRelease

log = logging.getLogger("assay.serving")


@dataclass(frozen=True)
class Resident:
    """A release that answers."""

    release: str
    project: str
    decoder: "Decoder"
    load_s: float


class Releases:
    """What is loaded and what was refused; loading happens one at a time."""

    def __init__(
        self,
        home: Path,
        store: FileStore,
        trust: "Callable[[], TrustRoot]",
        *,
        open_decoder: "Callable[[VerifiedRelease], Decoder] | None" = None,
    ) -> None:
        self.home, self.store, self.trust = home, store, trust
        self.resident: dict[str, Resident] = {}
        self.refused: dict[str, str] = {}
        self._open_decoder = open_decoder or load_decoder
        self._lock = threading.Lock()

    def load(self, release: str) -> Resident:
        """Verify and load, or return what is loaded; takes seconds.

        Raises IntegrityError naming the file when the release is not what was signed, DataError when its
        model cannot be used, MemoryError.
        """
        from infra.signing import Expectation, verify_release

        directory = self.home / "releases" / hex_of(release)
        with self._lock:
            if (present := self.resident.get(release)) is not None:
                return present
            started = time.perf_counter()
            try:
                expect = Expectation(release=release)
                # The policy is read anew: what was revoked since the start is not loaded any more.
                with verify_release(
                    directory, trust=self.trust(), store=self.store, expect=expect
                ) as verified:
                    decoder = self._open_decoder(verified)
                    project = verified.manifest.project
            except Exception as error:
                reason = (
                    error.message if isinstance(error, AssayError) else f"{type(error).__name__}: {error}"
                )
                self.refused[release] = reason
                log.error("%s is refused: %s", release, reason)
                raise
            loaded = Resident(release, project, decoder, round(time.perf_counter() - started, 3))
            # A new dictionary: readers in the event loop never see one that changes.
            self.resident = {**self.resident, release: loaded}
            self.refused.pop(release, None)
            log.info("%s is loaded (%.1f s)", release, loaded.load_s)
            return loaded

    def unload(self, release: str) -> bool:
        """Forget a release; answers that have begun are finished. Whether it was there."""
        with self._lock:
            known = release in self.resident
            self.resident = {name: each for name, each in self.resident.items() if name != release}
            self.refused.pop(release, None)
            return known

    def load_all(self, releases: Iterable[str]) -> None:
        """Load what can be loaded; the others are in `refused`."""
        for release in dict.fromkeys(releases):
            try:
                self.load(release)
            except Exception:
                log.exception("going on without %s", release)


def load_decoder(verified: "VerifiedRelease") -> "Decoder":
    """The decoder over a verified release's own bytes and prompt; raises DataError."""
    from infra.models.chat import text_ids
    from infra.models.load import load_tuned
    from infra.serving.decoder import Decoder

    template = PromptTemplate.from_definition(verified.prompt)
    check_settings(template)
    loaded = load_tuned(verified.base_dir, verified.adapter_dir)

    def system_tokens(canary: str) -> int:
        return len(text_ids(loaded.tokenizer, template.system_message(canary=canary)))

    canary = draw_canary(system_tokens) if template.has_canary else PLACEHOLDER
    try:
        return Decoder(
            loaded,
            partial(template.messages, canary=canary),
            template.labels,
            most_tokens=template.settings.max_new_tokens,
        )
    except (AttributeError, RuntimeError, IndexError) as error:
        raise DataError(
            f"the base model cannot be served: {error}",
            hint="use a decoder-only model with `model` and `lm_head`",
        ) from error


def check_settings(template: PromptTemplate) -> None:
    """Raises DataError unless the prompt asks for the likeliest answer, the only one that is measured."""
    settings = template.settings
    if settings.temperature != 0 or settings.top_p != 1:
        raise DataError(
            f"prompt {template.name}: got temperature {settings.temperature:g}, top_p {settings.top_p:g},"
            " this server answers with temperature 0",
            hint="remove the settings, or serve with an engine that samples",
        )
