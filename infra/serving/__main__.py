"""Start the model server: `python -m infra.serving --home .assay --port 8081`."""

import argparse
import logging
import sys
from functools import partial
from pathlib import Path

from infra.errors import AssayError


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM."""
    from infra.models.threads import wait_passively

    wait_passively()
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        return _serve(options)
    except AssayError as error:
        print(error.diagnostics(), file=sys.stderr)
        return error.exit_code


def _serve(options: argparse.Namespace) -> int:
    import uvicorn

    from infra.config import load_project
    from infra.config.secrets import resolve
    from infra.serving.app import ModelServer
    from infra.serving.releases import Releases
    from infra.signing import open_trust
    from infra.store import open_store

    home = Path(options.home).absolute()
    project = load_project(options.project, profile=options.profile).model_copy(update={"home": home})
    token = resolve(f"file:{home / 'keys' / 'internal.token'}")
    _limit_threads(project.serving.threads)
    policy, key = project.path(project.trust), home / "keys" / "signing.pub"
    releases = Releases(home, open_store(project.store_uri), partial(open_trust, policy, key))
    server = ModelServer(releases, project.serving, token, home / "run" / "routes.json")
    config = uvicorn.Config(
        server.application(),
        host=options.host,
        port=options.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=5,
    )
    running = uvicorn.Server(config)
    running.run()
    return 0 if running.started else 1


def _limit_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.serving", description=__doc__)
    parser.add_argument("--home", required=True, help="ASSAY_HOME")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8081)
    parser.add_argument("--project", default=None)
    parser.add_argument("--profile", default=None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
