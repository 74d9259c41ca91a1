"""Quality checks on a million rows: ours against plain Great Expectations on the same rows, in this run.

    python bench/quality.py [--rows 1000000]

Ours derives a narrow table, runs Great Expectations on it, counts everything a second time, looks for
training text in evaluation rows and profiles the splits. The peer is Great Expectations as its manual shows
it: a pandas frame of the rows themselves, one core expectation for each check. For three of ours it has none
(the same words twice; evaluation text, or eight words in a row of it, in training). `peer` leaves them out
and checks less than ours; `same` makes a column for each with pandas and sets, and checks as much.
Each has a process of its own, with the rows loaded and the library imported before the clock starts; the best
of several rounds counts. CPU seconds say more than wall seconds on a machine that others use, too.
"""

import argparse
import json
import logging
import re
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

LABELS = tuple(f"label-{number:02d}" for number in range(11))
SPLITS = (("train", 0.9), ("validation", 0.05), ("test", 0.05))
SIDES = ("ours", "peer", "same")
WORD = re.compile(r"\w+")
MOST_CHARACTERS = 2000
# What the peer looks for with the expectations it has: the same kinds by their form, without checksums.
HIDDEN = "[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\U000e0000-\U000e007f\x00-\x08\x0e-\x1f]"
PERSONAL = (
    r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}|\b\d{3}-\d{2}-\d{4}\b|\b(?:\d[ -]?){13,19}\b"
    r"|\+\d[\d ()-]{7,}\d"
)


def make_rows(count: int, path: Path) -> None:
    """Rows of 8 to 35 random words; one in 20 is not ASCII, one in 150 holds numbers (real data: 40, 150)."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    letters = np.array(list("etaoinshrdlcumwfgypbvk"))
    words = np.unique(["".join(random.choice(letters, size)) for size in random.integers(3, 11, 60_000)])
    words = random.permutation(words)
    schema = pa.schema(
        [(name, pa.string()) for name in ("text", "label", "group", "licence", "source", "split")]
    )
    shares = np.cumsum([share for _, share in SPLITS])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, count, 50_000):
            size = min(50_000, count - start)
            texts = [" ".join(words[random.integers(0, len(words), n)]) for n in random.integers(8, 36, size)]
            texts[::20] = [f"Café {text}, naïve" for text in texts[::20]]
            texts[7::150] = [
                f"{text} on port 10.{n % 256}.0.7:443 in 2024-05" for n, text in enumerate(texts[7::150])
            ]
            numbers = np.arange(start, start + size)
            split = np.searchsorted(shares, (numbers + 0.5) / count)
            columns = {
                "text": texts,
                "label": [LABELS[number % len(LABELS)] for number in numbers],
                "group": [f"group {number // 10}" for number in numbers],
                "licence": ["CC-BY-4.0"] * size,
                "source": ["synthetic"] * size,
                "split": [SPLITS[at][0] for at in split],
            }
            writer.write_table(pa.table(columns, schema=schema))


def ours(path: Path) -> tuple[int, Callable[[], Any]]:
    """Number of checks, and the check over three Arrow tables."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from tasks.develop.quality import check_quality
    from tasks.develop.quality.rules import standard_rules

    rows = pq.read_table(path)
    tables = {name: rows.filter(pc.equal(rows["split"], name)).drop_columns("split") for name, _ in SPLITS}
    del rows

    def run() -> bool:
        report = check_quality(tables, labels=LABELS, min_rows=1, max_characters=MOST_CHARACTERS)
        if report.failed:
            raise SystemExit(f"ours: {report.failed}")
        return report.passed

    return len(standard_rules(LABELS, MOST_CHARACTERS)), run


def peer(path: Path, *, same: bool = False) -> tuple[int, Callable[[], Any]]:
    """Number of checks, and one validation of the whole frame; `same`: with our three others as columns."""
    import great_expectations as gx
    import pyarrow.parquet as pq
    from great_expectations import expectations as gxe

    frame = pq.read_table(path).to_pandas()
    checks = [
        gxe.ExpectColumnValuesToNotBeNull(column="label"),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=list(LABELS)),
        gxe.ExpectColumnValuesToBeInSet(column="split", value_set=[name for name, _ in SPLITS]),
        gxe.ExpectColumnValuesToNotBeNull(column="text"),
        gxe.ExpectColumnValueLengthsToBeBetween(column="text", min_value=1, max_value=MOST_CHARACTERS),
        gxe.ExpectColumnValuesToMatchRegex(column="text", regex=r"\w"),
        gxe.ExpectColumnValuesToNotMatchRegex(column="text", regex=HIDDEN),
        gxe.ExpectColumnValuesToBeUnique(column="text"),
        gxe.ExpectColumnValuesToNotBeNull(column="licence"),
        gxe.ExpectColumnValuesToNotBeNull(column="source"),
        gxe.ExpectColumnValuesToNotMatchRegex(column="text", regex=PERSONAL),
    ]
    if same:
        checks += [
            gxe.ExpectColumnValuesToBeUnique(column="words"),
            gxe.ExpectColumnValuesToBeInSet(column="leaked", value_set=[False]),
            gxe.ExpectColumnValuesToBeInSet(column="contaminated", value_set=[False]),
        ]
    context = gx.get_context(mode="ephemeral")
    batch = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    definition = batch.add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite("rows", expectations=checks))
    validation = context.validation_definitions.add(
        gx.ValidationDefinition(name="rows", data=definition, suite=suite)
    )

    def run() -> bool:
        checked = _with_overlap(frame) if same else frame
        result = validation.run(batch_parameters={"dataframe": checked})
        # Rows share phrases by chance, as real ones do: in ours, too, such a run is counted and not refused.
        failed = [
            one.expectation_config.type
            for one in result.results
            if not one.success and one.expectation_config.kwargs["column"] != "contaminated"
        ]
        if failed:
            raise SystemExit(f"peer: {failed}")
        return not failed

    return len(checks), run


def _with_overlap(frame: Any) -> Any:
    """The frame with the words of every text, and which evaluation rows training has, or shares a run with.

    Runs of evaluation rows go into a dictionary, and training rows are looked up in it: the smaller side in
    memory.
    """
    words = [WORD.findall(text) for text in frame["text"].str.lower()]
    training = (frame["split"] == "train").to_numpy()
    found = frame.assign(words=[" ".join(each) for each in words], contaminated=False)
    found["leaked"] = ~training & found["words"].isin(set(found["words"][training]))
    places: dict[tuple[str, ...], list[int]] = {}
    for place in (~training).nonzero()[0]:
        for run in _runs(words[place]):
            places.setdefault(run, []).append(place)
    shared = {
        place
        for train in training.nonzero()[0]
        for run in _runs(words[train])
        if run in places
        for place in places[run]
    }
    flags = found["leaked"].to_numpy().copy()
    flags[list(shared)] = True
    return found.assign(contaminated=flags)


def _runs(words: list[str]) -> Iterator[tuple[str, ...]]:
    """All runs of eight words, as tuples."""
    return zip(*(words[start:] for start in range(8)), strict=False)  # as many as the shortest has


def measure(side: str, path: Path, rounds: int) -> dict[str, float]:
    """Seconds of the best round and memory of one side, in this process."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    import great_expectations  # noqa: F401  # costs seven seconds, which are not the checks'

    checks, run = {"ours": ours, "peer": peer, "same": partial(peer, same=True)}[side](path)
    before = _peak_mb()
    walls, cpus = [], []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {
        "checks": checks,
        "wall_s": min(walls),
        "cpu_s": min(cpus),
        "loaded_mb": before,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3, help="the best one counts, on both sides")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(measure(options.side, options.data, options.rounds)))
        return
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "rows.parquet"
        make_rows(options.rows, path)
        found = {side: _in_own_process(side, path, options.rounds) for side in SIDES}
    from results import publish

    figures = {
        f"{side}_{name}": round(value, 1) for side, each in found.items() for name, value in each.items()
    }
    for unit in ("cpu", "wall"):
        ours_s = found["ours"][f"{unit}_s"]
        figures[f"times_faster_{unit}"] = round(found["peer"][f"{unit}_s"] / ours_s, 2)
        figures[f"times_faster_same_checks_{unit}"] = round(found["same"][f"{unit}_s"] / ours_s, 2)
    figures["ours_rows_per_s"] = round(options.rows / found["ours"]["wall_s"])
    publish("quality", figures, parameters={"rows": options.rows, "rounds": options.rounds})


def _in_own_process(side: str, path: Path, rounds: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--side", side, "--data", str(path), "--rounds", str(rounds)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{side}: {done.stderr[-2000:]}")
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
