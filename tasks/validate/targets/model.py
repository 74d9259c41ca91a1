"""The model alone: the release's prompt, no guard, and whatever the model likes to say.

ModelAlone(loaded, template).ask([[{"role": "user", "content": "Emotet sends mail."}]])[0].text

It shows what the guard and the fixed answers have to hold back, and what another way of serving would give.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from infra.prompts import PromptTemplate
from tasks.records.redteam import Against
from tasks.validate.targets.target import Conversation, Reply

if TYPE_CHECKING:
    from infra.models.load import LoadedModel


_BATCH_TOKENS = 8192  # free answers are long: each step reads all weights once, however many rows there are


class ModelAlone:
    """Free greedy answers under the release's system text; used by one thread."""

    against: Against = "model"

    def __init__(
        self,
        loaded: "LoadedModel",
        template: PromptTemplate,
        *,
        max_new_tokens: int = 32,
        max_prompt_tokens: int = 1024,
    ) -> None:
        """`max_prompt_tokens`: the model server's limit; a longer conversation is not computed."""
        from infra.models.generation import Generator

        self._template, self._tokenizer = template, loaded.tokenizer
        self._max_prompt_tokens = max_prompt_tokens
        self._generator = Generator(loaded, max_new_tokens=max_new_tokens, batch_tokens=_BATCH_TOKENS)

    def ask(self, conversations: Sequence[Conversation]) -> list[Reply]:
        """One reply a conversation, in order; raises DataError when the chat template refuses one."""
        from infra.models.chat import encode_chat

        framed = [self._framed(conversation) for conversation in conversations]
        fits = [
            sum(len(turn["content"]) for turn in turns) <= self._most_chars
            and len(encode_chat(self._tokenizer, turns)) <= self._max_prompt_tokens
            for turns in framed
        ]
        texts = iter(
            self._generator.generate([turns for turns, fit in zip(framed, fits, strict=True) if fit])
        )
        return [Reply(next(texts)) if fit else Reply("", "context_length_exceeded") for fit in fits]

    @property
    def _most_chars(self) -> int:
        # No tokenizer makes one token of so many characters; without it a megabyte is encoded in vain.
        return 64 * self._max_prompt_tokens

    def _framed(self, conversation: Conversation) -> list[dict[str, str]]:
        """The release's system text and examples around the conversation; no message is refused.

        System messages of the attack join the release's own: chat templates know one. What comes from a
        tool is shown as a user's turn where it came, as a service without roles would do; names are written
        before the words.
        """
        *frame, _ = self._template.messages("x")
        planted = [m["content"] for m in conversation if m["role"] in ("system", "developer")]
        frame[0] = {"role": "system", "content": "\n\n".join([frame[0]["content"], *planted])}
        words = [m for m in conversation if m["role"] not in ("system", "developer")]
        return frame + [
            {**turn, "content": self._template.user_message(turn["content"])}
            if turn["role"] == "user"
            else turn
            for turn in _turns(words)
        ]


def _turns(messages: Conversation) -> list[dict[str, str]]:
    """User and assistant in turn: neighbours of one role become one message."""
    turns: list[dict[str, str]] = []
    for message in messages:
        role = "assistant" if message["role"] == "assistant" else "user"
        text = f"{message['name']}: {message['content']}" if message.get("name") else message["content"]
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += "\n" + text
        else:
            turns.append({"role": role, "content": text})
    return turns
