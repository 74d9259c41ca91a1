"""The smallest tokenizer and template that keep turns apart: single bytes and two control tokens."""

import json
from pathlib import Path

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def write_chat_files(
    root: Path, template: str | None = TEMPLATE, *, special: bool = True, where: str = "file"
) -> Path:
    """tokenizer.json, tokenizer_config.json and, in the place named, the template."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: at for at, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = [AddedToken(text, special=special, normalized=False) for text in ("<|im_start|>", "<|im_end|>")]
    if special:
        tokenizer.add_special_tokens(marks)
    else:
        tokenizer.add_tokens(marks)
    tokenizer.save(str(root / "tokenizer.json"))
    settings: dict[str, object] = {"eos_token": {"content": "<|im_end|>"}}
    if template is not None and where == "file":
        (root / "chat_template.jinja").write_text(template)
    elif template is not None:
        settings["chat_template"] = (
            [{"name": "default", "template": template}] if where == "list" else template
        )
    (root / "tokenizer_config.json").write_text(json.dumps(settings))
    return root
