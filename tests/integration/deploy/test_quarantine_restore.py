"""Quarantine does not wait for the release before: whatever keeps that one from serving."""

from pathlib import Path

import pytest

from infra.errors import Unavailable
from infra.gateway.routes import read_snapshot
from infra.ledger import Kind
from infra.stack import Endpoints
from tasks.deploy.containment import contain
from tasks.deploy.routes import publish_routes
from tests.integration.deploy.test_audit import House

BAD = "sha256:" + "b" * 64


def test_a_malfunction_on_the_way_back_stops_the_champion_all_the_same(tmp_path: Path) -> None:
    house = House(tmp_path)
    for kind in (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION):
        house.enter(kind, BAD, unit="sha256:" + "c" * 64)
    publish_routes(house.workspace)
    (house.workspace.keys / "internal.token").mkdir()  # a file that cannot be read
    nowhere = Endpoints(*("http://127.0.0.1:9",) * 4)
    with pytest.raises(Unavailable, match="gateway does not answer"):
        contain(house.workspace, nowhere, BAD, actor="ada", reason="leaks its prompt")
    assert house.workspace.state().of(BAD) == "quarantined"
    file, key = house.workspace.run / "routes.json", house.workspace.keys / "signing.pub"
    assert read_snapshot(file, key).models == {}
