#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the fuzz targets one after the other; see tests/fuzz/README.md. What reaches new code is kept in build/fuzz/corpus/ for
the next run, an input that breaks something in build/fuzz/found/<target>/: then it ends with 1."""
import argparse
import json
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def statistics(log):
    """Executions, and edges of the code that were reached, from what libFuzzer says."""
    executions = re.search(r"^stat::number_of_executed_units:\s*(\d+)", log, re.M)
    edges = re.findall(r"\bcov: (\d+)", log)
    return int(executions[1]) if executions else 0, int(edges[-1]) if edges else 0


def reason(log):
    told = re.search(r"must not happen: .*|runtime error: .*|^SUMMARY: .*", log, re.M)
    return told[0] if told else "it ended without a word"


def run(program, target, work, seconds):
    corpus, found = work / "corpus" / target, work / "found" / target
    for folder in (corpus, found):
        folder.mkdir(parents=True, exist_ok=True)
    log_path = work / f"{target}.log"
    command = [program, f"-max_total_time={seconds}", "-max_len=4096", "-timeout=20", "-rss_limit_mb=3000",
               "-print_final_stats=1", f"-artifact_prefix={found}/", corpus, HERE / "corpus" / target]
    with log_path.open("wb") as log:
        code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False).returncode
    log = log_path.read_text(encoding="utf-8", errors="replace")
    executions, edges = statistics(log)
    row = {"target": target, "seconds": seconds, "executions": executions, "edges": edges, "found": ""}
    if code != 0:
        inputs = re.findall(r"Test unit written to (\S+)", log)
        row["found"] = f"{reason(log)} [{inputs[-1] if inputs else log_path}]"
    return row


def main():
    known = sorted(path.stem for path in (HERE / "targets").glob("*.cc"))
    parser = argparse.ArgumentParser(prog="./dev bench fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all of them when none is named: " + ", ".join(known))
    parser.add_argument("--seconds", type=int, default=600, help="for each target (default: 600)")
    parser.add_argument("--programs", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--list", action="store_true", help="the targets, one a line, and nothing else")
    arguments = parser.parse_args()
    wrong = [target for target in arguments.targets if target not in known]
    if wrong:
        parser.error(f"no target '{wrong[0]}'; there are: {', '.join(known)}")
    if arguments.list:
        print("\n".join(arguments.targets or known))
        return 0
    work = ROOT / "build" / "fuzz"
    rows = []
    for target in arguments.targets or known:
        row = run(arguments.programs / f"fuzz_{target}", target, work, arguments.seconds)
        rows.append(row)
        print(f"{target:<16} {row['executions']:>10} executions {row['edges']:>7} edges  {row['found'] or 'nothing found'}", flush=True)
    out = ROOT / "build" / "bench" / "fuzz.json"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps({"targets": rows}, indent=1) + "\n", encoding="utf-8")
    bad = [row for row in rows if row["found"]]
    print(f"{len(rows)} targets, {sum(row['executions'] for row in rows)} executions, {len(bad)} with a finding; {out.relative_to(ROOT)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
