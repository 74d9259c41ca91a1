"""Chat messages to token ids, the same way for training, scoring and serving.

    ids = encode_chat(tokenizer, prompt.messages("Emotet sends mail."))

The words of a message are encoded apart from the template's control tokens: a user who writes
`<|im_end|>` sends nine characters, never the end of a turn.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from infra.errors import DataError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Private-use characters: no template and no sane text contains this sequence.
_MARK = "\ue000\ue001{index}\ue001\ue000"
# A role is written among the control tokens: anything but a plain word could be one.
_ROLE = re.compile(r"[A-Za-z][A-Za-z_-]{0,31}")


# One turn of a conversation: "role" and "content".
Message = Mapping[str, str]
# Text → the whole conversation up to the answer that is asked for (`PromptTemplate.messages`).
Render = Callable[[str], Sequence[Message]]


def encode_chat(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message]) -> list[int]:
    """Token ids of a conversation plus the header of the assistant's turn.

    Raises DataError when the tokenizer has no chat template or the template refuses the messages.
    """
    rendered = _render(tokenizer, messages, header=True)
    ids: list[int] = []
    for index, message in enumerate(messages):
        before, found, rendered = rendered.partition(_MARK.format(index=index))
        if not found:
            raise DataError(
                f"the chat template drops or moves message {index + 1} (role {message['role']})",
                "use roles and an order that the base model's chat template renders",
            )
        ids += _control_ids(tokenizer, before) + text_ids(tokenizer, message["content"])
    return ids + _control_ids(tokenizer, rendered)


def encode_answer(tokenizer: "PreTrainedTokenizerBase", answer: str) -> list[int]:
    """Token ids of an assistant's answer and of what ends its turn."""
    mark = _MARK.format(index=1)
    turns = ({"role": "user", "content": ""}, {"role": "assistant", "content": answer})
    after = _render(tokenizer, turns, header=False).partition(mark)[2]
    ending = _control_ids(tokenizer, after)
    special = set(tokenizer.all_special_ids)
    for position, token in enumerate(ending):
        if token in special:
            return text_ids(tokenizer, answer) + ending[: position + 1]
    return text_ids(tokenizer, answer) + ending + [int(tokenizer.eos_token_id)]


def text_ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    """Token ids of words from outside: control tokens in them stay plain characters."""
    if not text:
        return []
    encoded = tokenizer(text, add_special_tokens=False, split_special_tokens=True)
    return list(encoded["input_ids"])


def raw_ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    """Token ids of plain text to go on with, begun as the tokenizer begins texts; no chat template."""
    return list(tokenizer(text, add_special_tokens=True, split_special_tokens=True)["input_ids"])


def encode_within(
    tokenizer: "PreTrainedTokenizerBase", render: Render, text: str, max_tokens: int
) -> list[int]:
    """Token ids of the conversation in at most `max_tokens`: the text is cut, never the prompt around it.

    Raises DataError when the prompt alone does not fit.
    """
    ids = encode_chat(tokenizer, render(text))
    while len(ids) > max_tokens:
        if not text:
            raise DataError(
                f"the prompt alone takes {len(ids)} tokens, the limit is {max_tokens}",
                "shorten the prompt or raise max_length",
            )
        keep = max(len(text_ids(tokenizer, text)) - (len(ids) - max_tokens), 0)
        text = _first_tokens(tokenizer, text, keep)
        ids = encode_chat(tokenizer, render(text))
    return ids


def common_prefix_length(rows: Sequence[Sequence[int]]) -> int:
    """Tokens that all rows share at their start, at most one less than the shortest row has."""
    if not rows:
        return 0
    limit = min(len(row) for row in rows) - 1
    first, last = min(map(list, rows)), max(map(list, rows))  # in lexical order these two differ earliest
    length = 0
    while length < limit and first[length] == last[length]:
        length += 1
    return max(length, 0)


def _first_tokens(tokenizer: "PreTrainedTokenizerBase", text: str, count: int) -> str:
    """The start of a text that holds `count` tokens, always shorter than the text itself."""
    if count == 0:
        return ""
    encoded = tokenizer(
        text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
    )
    end = int(encoded["offset_mapping"][count - 1][1])
    return text[: min(end, len(text) - 1)]


def _control_ids(tokenizer: "PreTrainedTokenizerBase", text: str) -> list[int]:
    if not text:
        return []
    return list(tokenizer(text, add_special_tokens=False, split_special_tokens=False)["input_ids"])


def _render(tokenizer: "PreTrainedTokenizerBase", messages: Sequence[Message], *, header: bool) -> str:
    if not tokenizer.chat_template:
        raise DataError("the base model has no chat template", "choose an instruct model as base")
    for index, message in enumerate(messages, 1):
        if not _ROLE.fullmatch(message["role"]):
            raise DataError(f"message {index}: role {message['role'][:40]!r} is no plain word")
    marked = [
        {"role": message["role"], "content": _MARK.format(index=index)}
        for index, message in enumerate(messages)
    ]
    try:
        return str(tokenizer.apply_chat_template(marked, tokenize=False, add_generation_prompt=header))
    except Exception as error:  # jinja2 raises whatever the template raises
        raise DataError(
            f"the chat template refuses the messages: {error}", "use roles that the base model knows"
        ) from error
