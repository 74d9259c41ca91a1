"""Offline, and shown to be: the libraries themselves have to refuse to connect.

refuse_hub()      # what was checked; TrainingError when a library would have connected
"""

from infra.errors import TrainingError

# Nothing listens on the discard port, and it is our own machine: a library that does try reaches nobody.
_NOWHERE = "http://127.0.0.1:9/"


def refuse_hub() -> tuple[str, ...]:
    """Disable the model hub for this process and make sure of it; raises TrainingError.

    The libraries read their variables once, when they are imported: in a process that imported them before
    the variables were set, only their own switch helps, and only trying tells.
    """
    from huggingface_hub import constants, get_session
    from huggingface_hub.errors import OfflineModeIsEnabled

    constants.HF_HUB_OFFLINE = True
    try:
        get_session().get(_NOWHERE, timeout=1)
    except OfflineModeIsEnabled:
        pass
    except Exception as error:
        raise _would_connect("huggingface_hub", f"it tried: {type(error).__name__}") from error
    else:
        raise _would_connect("huggingface_hub", "it got an answer")
    checked = ["huggingface_hub"]
    for name, switch in (
        ("transformers.utils.hub", "is_offline_mode"),
        ("datasets.config", "HF_HUB_OFFLINE"),
    ):
        checked += [name.split(".")[0]] if _is_offline(name, switch) else []
    return tuple(checked)


def _is_offline(module: str, switch: str) -> bool:
    """Whether a library that is already imported is offline too; one that is not reads its variable later."""
    import sys

    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    value = getattr(loaded, switch, None)
    if not (value() if callable(value) else value):
        raise _would_connect(module.split(".")[0], "it was imported before it was told to stay offline")
    return True


def _would_connect(library: str, why: str) -> TrainingError:
    return TrainingError(
        f"{library} is not offline: {why}",
        hint="start training in a fresh process: `assay run finetune`, or the worker",
    )
