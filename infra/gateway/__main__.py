"""Start the gateway: `python -m infra.gateway --home .assay --port 8080 --upstream http://127.0.0.1:8081`."""

import argparse
import logging
import sys
from functools import partial
from pathlib import Path

import uvicorn

from infra.config import load_project
from infra.config.secrets import resolve
from infra.errors import AssayError
from infra.gateway.app import Gateway
from infra.gateway.trust import Trust
from infra.gateway.upstream import Upstream
from infra.ledger import Ledger
from infra.signing import open_trust


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGTERM; then open requests get `gateway.drain_s` seconds."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    try:
        application, drain_s = build(options)
    except AssayError as error:
        print(error.diagnostics(), file=sys.stderr)
        return error.exit_code
    config = uvicorn.Config(
        application,
        host=options.host,
        port=options.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=max(1, round(drain_s)),
    )
    server = uvicorn.Server(config)
    server.run()
    return 0 if server.started else 1


def build(options: argparse.Namespace) -> tuple[Gateway, float]:
    """The application and its drain time; raises ConfigError for missing secrets and wrong settings."""
    home = Path(options.home).absolute()
    project = load_project(options.project, profile=options.profile).model_copy(update={"home": home})
    token = resolve(f"file:{home / 'keys' / 'internal.token'}")
    policy, key = project.path(project.trust), home / "keys" / "signing.pub"
    trust = Trust(home, partial(open_trust, policy, key), Ledger(project.ledger_url))
    timeout_s = project.gateway.upstream_timeout_s
    gateway = Gateway(home, trust, project.gateway, lambda: Upstream(options.upstream, token, timeout_s))
    return gateway, project.gateway.drain_s


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m infra.gateway", description=__doc__)
    parser.add_argument("--home", required=True, help="ASSAY_HOME")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--upstream", required=True, help="base URL of the model server")
    parser.add_argument("--project", default=None)
    parser.add_argument("--profile", default=None)
    return parser


if __name__ == "__main__":
    sys.exit(main())
