"""The served unit in process: each step of gateway and model server, with their own code, in their order.

with ServedUnit.open(workspace.store, candidate, guard_yaml) as unit:
    unit.ask([[{"role": "user", "content": "Emotet sends mail."}]])[0].text

Refusals of requests, guard, rendering and decoder are the very functions that serve; only HTTP, keys, routes
and rates are left out.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from infra.config.project import GatewaySettings, ServingSettings
from infra.digest import digest_bytes
from infra.errors import IntegrityError
from infra.guard import GuardPolicy, GuardVerdict
from infra.prompts import PLACEHOLDER, PromptTemplate
from infra.serving import wire
from infra.store import Store
from tasks.records import Candidate
from tasks.records.redteam import Against
from tasks.validate.targets.target import Conversation, Reply

if TYPE_CHECKING:
    from infra.models.load import LoadedModel
    from infra.serving.decoder import Decoder

GUARD_ERROR = "guard-error"
log = logging.getLogger("assay.validate")
_BATCH_TOKENS = 4096  # of one batch, padding counted: bounds memory, decides nothing else
_SERVING, _GATEWAY = ServingSettings(), GatewaySettings()


class ServedUnit:
    """Guard, prompt and model with the answers that are served; used by one thread."""

    against: Against = "unit"

    def __init__(
        self,
        decoder: "Decoder",
        guard: GuardPolicy,
        *,
        serving: ServingSettings = _SERVING,
        gateway: GatewaySettings = _GATEWAY,
    ) -> None:
        self._decoder, self._guard, self._serving, self._gateway = decoder, guard, serving, gateway

    @classmethod
    @contextmanager
    def open(
        cls,
        store: Store,
        candidate: Candidate,
        guard_yaml: bytes,
        *,
        serving: ServingSettings = _SERVING,
        gateway: GatewaySettings = _GATEWAY,
    ) -> "Iterator[ServedUnit]":
        """The candidate's unit on one thread; raises IntegrityError when the guard is another one."""
        from infra.models.load import load_tuned
        from infra.models.threads import use_threads

        with use_threads(1):
            loaded = load_tuned(
                store.open_tree(candidate.base.digest), store.open_tree(candidate.adapter.digest)
            )
            yield cls.of(loaded, candidate, guard_yaml, serving=serving, gateway=gateway)

    @classmethod
    def of(
        cls,
        loaded: "LoadedModel",
        candidate: Candidate,
        guard_yaml: bytes,
        *,
        serving: ServingSettings = _SERVING,
        gateway: GatewaySettings = _GATEWAY,
    ) -> "ServedUnit":
        """The same around a model that is loaded already; raises IntegrityError, DataError."""
        from infra.serving.decoder import Decoder
        from infra.serving.releases import check_settings

        if (got := digest_bytes(guard_yaml)) != candidate.guard:
            raise IntegrityError(
                f"guard policy: got {got}, expected the candidate's {candidate.guard}",
                hint="validate again: the policy was changed in between",
            )
        template = PromptTemplate.from_definition(candidate.prompt.definition)
        check_settings(template)
        decoder = Decoder(
            loaded,
            partial(template.messages, canary=PLACEHOLDER),
            template.labels,
            most_tokens=template.settings.max_new_tokens,
        )
        return cls(decoder, GuardPolicy.from_yaml(guard_yaml), serving=serving, gateway=gateway)

    def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
        """One reply a conversation, in order; what any step refuses is a blocked reply with its reason."""
        replies: dict[int, Reply] = {}
        prompts: dict[int, list[int]] = {}
        for at, conversation in enumerate(conversations):
            prepared = self._prepare(conversation)
            if isinstance(prepared, Reply):
                replies[at] = prepared
            else:
                prompts[at] = prepared
        for indices in _batches({at: len(prompt) for at, prompt in prompts.items()}):
            texts = asyncio.run(self._answers([prompts[at] for at in indices]))
            replies |= {at: self._shown(text) for at, text in zip(indices, texts, strict=True)}
        return [replies[at] for at in range(len(conversations))]

    def _prepare(self, conversation: Conversation) -> Reply | list[int]:
        """Ids of the prompt, or why the request is refused before the model sees it."""
        body = msgspec.json.encode({"model": "unit", "messages": [dict(message) for message in conversation]})
        if len(body) > self._gateway.max_body_bytes:
            return Reply("", "too_large")
        try:
            request = wire.parse_request(body)
        except wire.BadRequest as error:
            return Reply("", error.code)
        verdict = _judged(self._guard.check_input, request.text)
        if not verdict.allowed:
            return Reply("", verdict.rule)
        if not verdict.text_after_redaction.strip():
            return Reply("", "empty_text")
        prompt = self._decoder.encode(verdict.text_after_redaction)
        return Reply("", "context_length_exceeded") if len(prompt) > self._most_prompt else prompt

    @property
    def _most_prompt(self) -> int:
        return self._serving.max_prompt_tokens

    async def _answers(self, prompts: Sequence[Sequence[int]]) -> list[str]:
        from infra.serving.job import Job

        limits = (self._decoder.most_tokens, self._serving.max_new_tokens, self._gateway.max_tokens)
        most = min(limit for limit in limits if limit is not None)
        jobs = [Job(prompt, most) for prompt in prompts]
        self._decoder.decode(jobs)
        return ["".join([piece.text async for piece in job.pieces()]) for job in jobs]

    def _shown(self, text: str) -> Reply:
        verdict = _judged(self._guard.check_output, text)
        return Reply(verdict.text_after_redaction, None if verdict.allowed else verdict.rule)


def _judged(check: Callable[[str], GuardVerdict], text: str) -> GuardVerdict:
    """The guard's verdict; one that fails blocks, as it does in the gateway."""
    try:
        return check(text)
    except Exception:
        log.exception("the guard failed: the text is blocked")
        return GuardVerdict(False, GUARD_ERROR, None, "")


def _batches(lengths: dict[int, int]) -> Iterator[list[int]]:
    """Indices from long to short in batches of at most `_BATCH_TOKENS`."""
    batch: list[int] = []
    for at in sorted(lengths, key=lambda at: (-lengths[at], at)):
        if batch and (len(batch) + 1) * lengths[batch[0]] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch
