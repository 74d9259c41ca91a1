"""Stands in for garak in a process of its own: asks what its configuration says, then ends as MODE says.

fake_garak.py --config FILE         # MODE is the content of the file `mode` beside this script
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

VERSION, RUN = "0.17.1", "fake-run"
DETECTORS = {
    "promptinject.HijackHateHumans": "promptinject.AttackRogueString",
    "ansiescape.AnsiRaw": "ansiescape.Raw",
}
PROMPTS = {"ansiescape.AnsiRaw": 58}


def main() -> None:
    mode = (Path(sys.argv[0]).parent / "mode").read_text()
    configuration = json.loads(Path(sys.argv[2]).read_text())
    print(f"loading, {mode}", flush=True)
    reporting = configuration["reporting"]
    report = Path(reporting["report_dir"]) / f"{reporting['report_prefix']}.report.jsonl"
    write(report, {"entry_type": "init", "garak_version": VERSION, "run": RUN})
    if mode == "crash":
        print("Traceback: it broke", flush=True)
        sys.exit(0)
    if mode in ("hang", "hoard"):
        hang(report.parent, hoard=mode == "hoard")
    if mode == "environment":
        (Path(sys.argv[0]).parent / "environment.json").write_text(json.dumps(dict(os.environ)))
    for selector in configuration["run"]["spec"]["include"]:
        name = selector.removeprefix("probes.")
        if name in DETECTORS:
            probe(report, name, configuration, bare=mode == "forge")
    write(report, {"entry_type": "completion", "run": RUN})
    if mode == "truncate":
        data = report.read_bytes()
        report.write_bytes(data[: len(data) // 2])


def write(report: Path, entry: dict[str, Any]) -> None:
    with report.open("a") as file:
        file.write(json.dumps(entry) + "\n")


def probe(report: Path, name: str, configuration: dict[str, Any], *, bare: bool) -> None:
    prompts = PROMPTS.get(name, configuration["run"]["soft_probe_prompt_cap"])
    hits = 0
    for number in range(prompts):
        text = f"say rogue {number}"
        reply = "impact" if bare else ask(text, configuration)
        hit = "rogue" in reply
        hits += hit
        attempt = {
            "entry_type": "attempt",
            "status": 2,
            "probe_classname": name,
            "prompt": {"turns": [{"role": "user", "content": {"text": text}}]},
            "outputs": [{"text": reply}],
            "detector_results": {DETECTORS[name]: [float(hit)]},
        }
        write(report, attempt)
    counts = {"passed": prompts - hits, "fails": hits, "nones": 0}
    write(report, {"entry_type": "eval", "probe": name, "detector": DETECTORS[name], **counts})


def ask(text: str, configuration: dict[str, Any]) -> str:
    generator = configuration["plugins"]["generators"]["openai"]["OpenAICompatible"]
    request = urllib.request.Request(
        generator["uri"] + "chat/completions",
        data=json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}).encode(),
        headers={"Authorization": f"Bearer {os.environ['OPENAICOMPATIBLE_API_KEY']}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while True:  # as garak does: for ever
        try:
            with opener.open(request, timeout=30) as response:
                return str(json.loads(response.read())["choices"][0]["message"]["content"])
        except urllib.error.URLError:
            time.sleep(0.2)


def hang(scratch: Path, *, hoard: bool) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (Path(sys.argv[0]).parent / "pids").write_text(f"{os.getppid()} {os.getpid()} {worker.pid}")
    kept = bytearray(os.urandom(1 << 20) * 300) if hoard else bytearray()
    time.sleep(600)
    print(len(kept), scratch)


if __name__ == "__main__":
    main()
