"""The ledger: tampering names the row, forbidden transitions write nothing, one chain under concurrency."""

import contextlib
import json
import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.digest import digest_bytes
from infra.errors import AssayError, IntegrityError, PromotionDenied, Unavailable
from infra.ledger import (
    GENESIS,
    Entry,
    Kind,
    Ledger,
    ProjectState,
    check_chain,
    fold,
    head_digest,
    step,
)

R1, R2, R3 = (digest_bytes(name) for name in (b"1", b"2", b"3"))
TO_CHAMPION = (Kind.CANDIDATE, Kind.AWAITING_APPROVAL, Kind.APPROVED, Kind.CHAMPION)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")


def _append(ledger: Ledger, kind: Kind, subject: str, project: str = "triage", **more: object) -> Entry:
    return ledger.append(kind, project=project, subject=subject, actor="ada", reason="test", **more)  # type: ignore[arg-type]


def _promote(ledger: Ledger, subject: str) -> None:
    for kind in TO_CHAMPION:
        _append(ledger, kind, subject)


def _sql(tmp_path: Path, statement: str, *values: object) -> None:
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute(statement, values)
    connection.close()


TAMPERINGS: dict[str, object] = {
    "time": "2001-01-01T00:00:00.000+00:00",
    "kind": "approved",
    "project": "other",
    "subject": R3,
    "actor": "eve",
    "reason": "forged",
    "details": '{"k":2}',
    "previous": "sha256:" + "1" * 64,
    "digest": "sha256:" + "2" * 64,
}
CRUDE: list[tuple[str, object]] = [
    ("kind", "crowned"),
    ("details", "not json"),
    ("details", "[]"),
    ("details", '{"k":NaN}'),
    ("details", "[" * 100_000),
    ("details", b"\xff"),
    ("reason", b"\xff\x00"),
    ("time", 17),
    ("seq", 7),
    ("seq", "two"),
]


@pytest.mark.parametrize(("column", "value"), [*TAMPERINGS.items(), *CRUDE])
def test_an_edited_column_is_refused_and_names_the_row(
    ledger: Ledger, tmp_path: Path, column: str, value: object
) -> None:
    for number in range(3):
        _append(ledger, Kind.NOTE, R1, details={"k": number})
    assert ledger.verify() == 3
    _sql(tmp_path, f"UPDATE ledger SET {column} = ? WHERE seq = 2", value)
    with pytest.raises(IntegrityError, match=r"row (2|two)"):
        ledger.verify()
    with pytest.raises(IntegrityError, match=r"row (2|two)"):
        ledger.state("triage")
    with pytest.raises(IntegrityError, match=r"row (2|two)"):
        _append(ledger, Kind.NOTE, R1)


@pytest.mark.parametrize("row", [1, 2])
def test_a_deleted_row_is_named(ledger: Ledger, tmp_path: Path, row: int) -> None:
    for _ in range(3):
        _append(ledger, Kind.NOTE, R1)
    _sql(tmp_path, "DELETE FROM ledger WHERE seq = ?", row)
    with pytest.raises(IntegrityError, match=f"row {row} is missing"):
        ledger.verify()


def test_a_deleted_row_whose_successors_were_renumbered_is_named(ledger: Ledger, tmp_path: Path) -> None:
    for _ in range(3):
        _append(ledger, Kind.NOTE, R1)
    _sql(tmp_path, "DELETE FROM ledger WHERE seq = 2")
    _sql(tmp_path, "UPDATE ledger SET seq = 2 WHERE seq = 3")
    with pytest.raises(IntegrityError, match="row 2 does not follow row 1"):
        ledger.verify()


def test_a_file_that_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"garbage" * 1000)
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    for use in (ledger.entries, ledger.verify, lambda: _append(ledger, Kind.NOTE, R1)):
        with pytest.raises(IntegrityError, match="ledger"):
            use()


def test_a_place_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(Unavailable, match="does not answer"):
        Ledger(f"sqlite:///{tmp_path / 'ledger.db'}").entries()


LIFE: dict[str | None, set[Kind]] = {
    None: {Kind.CANDIDATE, Kind.BLOCKED},
    "candidate": {Kind.AWAITING_APPROVAL, Kind.BLOCKED, Kind.QUARANTINED},
    "blocked": {Kind.BLOCKED, Kind.QUARANTINED},
    "awaiting-approval": {Kind.APPROVED, Kind.REJECTED, Kind.EXPIRED, Kind.QUARANTINED},
    "approved": {Kind.CHAMPION, Kind.EXPIRED, Kind.QUARANTINED},
    "rejected": {Kind.QUARANTINED},
    "expired": {Kind.CANDIDATE, Kind.QUARANTINED},
    "champion": {Kind.ROLLED_BACK, Kind.QUARANTINED},
    "superseded": {Kind.CANDIDATE, Kind.QUARANTINED},
    "rolled-back": {Kind.QUARANTINED},
    "quarantined": {Kind.QUARANTINED},
}
PATHS: dict[str | None, tuple[Kind, ...]] = {
    None: (),
    "candidate": (Kind.CANDIDATE,),
    "blocked": (Kind.BLOCKED,),
    "awaiting-approval": TO_CHAMPION[:2],
    "approved": TO_CHAMPION[:3],
    "rejected": (*TO_CHAMPION[:2], Kind.REJECTED),
    "expired": (*TO_CHAMPION[:2], Kind.EXPIRED),
    "champion": TO_CHAMPION,
    "quarantined": (Kind.CANDIDATE, Kind.QUARANTINED),
}


def _entry(seq: int, kind: Kind, subject: str, **details: str) -> Entry:
    return Entry(seq, "t", kind, "triage", subject, "ada", "test", dict(details), GENESIS, "")


def _reach(state_name: str | None) -> ProjectState:
    history = [_entry(n, kind, R2) for n, kind in enumerate(TO_CHAMPION, 1)]
    if state_name in ("superseded", "rolled-back"):
        history = [_entry(n, kind, R1) for n, kind in enumerate(TO_CHAMPION, 1)] + [
            _entry(n, kind, R2) for n, kind in enumerate(TO_CHAMPION, 5)
        ]
        if state_name == "rolled-back":
            history = [
                *(_entry(n, kind, R2) for n, kind in enumerate(TO_CHAMPION, 1)),
                *(_entry(n, kind, R1) for n, kind in enumerate(TO_CHAMPION, 5)),
                _entry(9, Kind.ROLLED_BACK, R1, restores=R2),
            ]
    else:
        history += [_entry(n, kind, R1) for n, kind in enumerate(PATHS[state_name], 5)]
    state = fold("triage", history)
    assert state.of(R1) == state_name
    return state


@pytest.mark.parametrize("name", LIFE)
def test_only_the_listed_transitions_are_allowed(name: str | None) -> None:
    state = _reach(name)
    for kind in Kind:
        if kind in (Kind.NOTE, Kind.ROLLED_BACK):
            continue
        if kind in LIFE[name]:
            assert step(state, _entry(99, kind, R1)).of(R1) == kind.value
        else:
            with pytest.raises(PromotionDenied, match="cannot become"):
                step(state, _entry(99, kind, R1))


def test_a_forbidden_entry_writes_nothing(ledger: Ledger) -> None:
    _append(ledger, Kind.CANDIDATE, R1)
    with pytest.raises(PromotionDenied, match="cannot become champion: it is candidate"):
        _append(ledger, Kind.CHAMPION, R1)
    assert [entry.kind for entry in ledger.entries()] == [Kind.CANDIDATE]


@pytest.mark.parametrize(("actor", "reason"), [("", "why"), ("ada", " "), ("\t", "\n")])
def test_an_entry_without_actor_or_reason_is_refused(ledger: Ledger, actor: str, reason: str) -> None:
    with pytest.raises(PromotionDenied, match="actor and a reason"):
        ledger.append(Kind.NOTE, project="triage", subject=R1, actor=actor, reason=reason)
    assert ledger.entries() == []


def test_details_that_json_cannot_hold_write_nothing(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError):
        _append(ledger, Kind.NOTE, R1, details={"loss": float("nan")})
    assert ledger.entries() == []


def test_compare_and_set_refuses_a_decision_on_an_old_state(ledger: Ledger) -> None:
    _append(ledger, Kind.CANDIDATE, R1)
    head = ledger.state("triage").head
    _append(ledger, Kind.NOTE, R1)
    with pytest.raises(PromotionDenied, match=f"expected entry {head}"):
        _append(ledger, Kind.AWAITING_APPROVAL, R1, expected_head=head)
    assert ledger.state("triage").of(R1) == "candidate"


def test_another_project_does_not_move_the_head_nor_the_state(ledger: Ledger) -> None:
    _append(ledger, Kind.CANDIDATE, R1)
    head = ledger.state("triage").head
    _append(ledger, Kind.CANDIDATE, R1, project="weakness")
    _append(ledger, Kind.AWAITING_APPROVAL, R1, expected_head=head)
    assert ledger.state("weakness").of(R1) == "candidate"


@pytest.mark.parametrize("restores", [R1, R3, "", None])
def test_rollback_to_what_was_never_champion_is_refused(ledger: Ledger, restores: str | None) -> None:
    _promote(ledger, R1)
    _append(ledger, Kind.CANDIDATE, R2)
    details = {} if restores is None else {"restores": restores}
    with pytest.raises(PromotionDenied, match="cannot roll back"):
        _append(ledger, Kind.ROLLED_BACK, R1, details=details)
    assert ledger.state("triage").champion == R1


def test_rollback_to_a_quarantined_release_is_refused(ledger: Ledger) -> None:
    _promote(ledger, R1)
    _promote(ledger, R2)
    _append(ledger, Kind.QUARANTINED, R1)
    with pytest.raises(PromotionDenied, match="it is quarantined"):
        _append(ledger, Kind.ROLLED_BACK, R2, details={"restores": R1})
    assert ledger.state("triage").champion == R2
    assert ledger.state("triage").previous is None


def test_rollback_and_its_reverse(ledger: Ledger) -> None:
    _promote(ledger, R1)
    _promote(ledger, R2)
    _append(ledger, Kind.ROLLED_BACK, R2, details={"restores": R1})
    state = ledger.state("triage")
    assert (state.champion, state.previous, state.of(R2)) == (R1, R2, "rolled-back")
    _append(ledger, Kind.ROLLED_BACK, R1, details={"restores": R2})
    assert ledger.state("triage").champion == R2


def test_details_of_one_release_never_become_those_of_another(ledger: Ledger) -> None:
    for release in (R1, R2):
        for kind in TO_CHAMPION:
            _append(ledger, kind, release, details={"unit": release})
    _append(ledger, Kind.ROLLED_BACK, R2, details={"restores": R1, "unit": R2})
    releases = ledger.state("triage").releases
    assert {name: known.details["unit"] for name, known in releases.items()} == {R1: R1, R2: R2}
    assert "restores" not in releases[R1].details


def test_a_quarantined_champion_leaves_no_champion(ledger: Ledger) -> None:
    _promote(ledger, R1)
    _append(ledger, Kind.QUARANTINED, R1)
    assert ledger.state("triage").champion is None


ANY_ENTRY = st.tuples(
    st.sampled_from(sorted(Kind)), st.sampled_from([R1, R2, R3]), st.sampled_from([R1, R2, R3])
)


@given(st.lists(ANY_ENTRY, max_size=60))
def test_never_two_champions_whatever_is_tried(attempts: list[tuple[Kind, str, str]]) -> None:
    state = ProjectState("triage", {})
    for seq, (kind, subject, restores) in enumerate(attempts, 1):
        try:
            state = step(state, _entry(seq, kind, subject, restores=restores))
        except PromotionDenied:
            continue
        champions = [r for r, known in state.releases.items() if known.state == "champion"]
        assert champions == ([state.champion] if state.champion else [])
        assert state.previous != state.champion or state.champion is None


@given(st.lists(st.sampled_from([*TO_CHAMPION, Kind.QUARANTINED]), max_size=12))
def test_entries_of_other_projects_never_matter(kinds: list[Kind]) -> None:
    other = [Entry(n, "t", k, "other", R1, "a", "r", {}, GENESIS, "") for n, k in enumerate(kinds, 1)]
    assert fold("triage", other) == ProjectState("triage", {})


def test_chain_and_head(ledger: Ledger) -> None:
    assert ledger.verify() == 0
    _append(ledger, Kind.NOTE, R1, details={"é": [1, 2.5, None, {"x": True}]})
    entries = ledger.entries()
    check_chain(entries)
    assert entries[0].details == {"é": [1, 2.5, None, {"x": True}]}
    assert entries[0].previous == GENESIS
    assert head_digest(entries) == entries[0].digest


def _writer(url: str, name: str, count: int, start: Callable[[], object]) -> None:
    start()
    ledger = Ledger(url)
    for number in range(count):
        ledger.append(Kind.NOTE, project="p", subject=R1, actor=name, reason=str(number))


def _promoter(url: str, release: str, out: "multiprocessing.Queue[str]") -> None:
    ledger = Ledger(url)
    try:
        head = ledger.state("triage").head
        ledger.append(
            Kind.CHAMPION, project="triage", subject=release, actor="a", reason="r", expected_head=head
        )
        out.put("won")
    except AssayError as error:
        out.put(type(error).__name__)


def test_concurrent_processes_keep_one_chain(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(4)
    workers = [context.Process(target=_writer, args=(url, f"w{n}", 8, barrier.wait)) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    ledger = Ledger(url)
    assert ledger.verify() == 32
    for n in range(4):
        assert [e.reason for e in ledger.entries() if e.actor == f"w{n}"] == [str(k) for k in range(8)]


def test_concurrent_threads_on_one_ledger_keep_one_chain(ledger: Ledger) -> None:
    barrier = threading.Barrier(4)
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            barrier.wait()
            for number in range(8):
                ledger.append(Kind.NOTE, project="p", subject=R1, actor=name, reason=str(number))
        except BaseException as error:  # noqa: BLE001 - a thread's failure must fail the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"t{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert ledger.verify() == 32


def test_two_racing_promotions_leave_one_champion_and_the_other_superseded(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    ledger = Ledger(url)
    for release in (R1, R2):
        for kind in TO_CHAMPION[:3]:
            _append(ledger, kind, release)
    context = multiprocessing.get_context("fork")
    out: multiprocessing.Queue[str] = context.Queue()
    del ledger
    workers = [context.Process(target=_promoter, args=(url, release, out)) for release in (R1, R2)]
    for worker in workers:
        worker.start()
    results = sorted(out.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(60)
    state = Ledger(url).state("triage")
    assert results in (["PromotionDenied", "won"], ["won", "won"])
    assert [r for r, known in state.releases.items() if known.state == "champion"] == [state.champion]


def test_a_check_sees_what_the_entry_would_follow_and_forbids_it(ledger: Ledger) -> None:
    _append(ledger, Kind.NOTE, R1)
    seen: list[int] = []

    def forbid(entries: list[Entry]) -> None:
        seen.append(len(entries))
        raise PromotionDenied("not now")

    with pytest.raises(PromotionDenied, match="not now"):
        _append(ledger, Kind.NOTE, R1, check=forbid)
    _append(ledger, Kind.NOTE, R1, check=lambda entries: seen.append(entries[-1].seq))
    assert (seen, ledger.verify()) == ([1, 1], 2)


def _once(url: str, out: "multiprocessing.Queue[str]") -> None:
    def nobody_before(entries: list[Entry]) -> None:
        if entries:
            raise PromotionDenied("somebody was faster")

    try:
        _append(Ledger(url), Kind.NOTE, R1, check=nobody_before)
        out.put("won")
    except PromotionDenied:
        out.put("late")


def test_of_several_processes_with_the_same_check_one_wins(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    out: multiprocessing.Queue[str] = context.Queue()
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    workers = [context.Process(target=_once, args=(url, out)) for _ in range(4)]
    for worker in workers:
        worker.start()
    results = sorted(out.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join(60)
    assert results == ["late", "late", "late", "won"]


def test_rows_are_plain_canonical_json(ledger: Ledger, tmp_path: Path) -> None:
    _append(ledger, Kind.NOTE, R1, details={"b": 1, "a": 2})
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        (details,) = connection.execute("SELECT details FROM ledger").fetchone()
    connection.close()
    assert details == json.dumps({"a": 2, "b": 1}, separators=(",", ":"))


CELL = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.binary(max_size=12),
    st.sampled_from(["{}", "[]", "null", '{"k":1}', "{" * 5000, '{"a":NaN}', '{"a":"\\ud800"}', *Kind]),
)
COLUMNS = ("time", "kind", "project", "subject", "actor", "reason", "details", "previous", "digest")


@given(row=st.integers(1, 4), changes=st.dictionaries(st.sampled_from(COLUMNS), CELL, min_size=1, max_size=3))
def test_no_content_of_a_row_upsets_the_reader(
    tmp_path_factory: pytest.TempPathFactory, row: int, changes: dict[str, object]
) -> None:
    root = tmp_path_factory.mktemp("fuzzed")
    ledger = Ledger(f"sqlite:///{root / 'ledger.db'}")
    _promote(ledger, R1)
    names = ", ".join(f"{column} = ?" for column in changes)
    before = ledger.entries()
    with contextlib.suppress(sqlite3.IntegrityError):  # NOT NULL, UNIQUE: the database itself refuses
        _sql(root, f"UPDATE ledger SET {names} WHERE seq = ?", *changes.values(), row)
    try:
        ledger.verify()
    except IntegrityError:
        return
    assert ledger.entries() == before
