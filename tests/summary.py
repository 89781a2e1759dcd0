"""Summarizes for tests/run the results of the builds that it names; fails if any test failed."""

import json
import pathlib
import re
import sys

PASSED = {"OK", "EXPECTEDFAIL"}


def results(build):
    """The results of a build's tests, as logged by meson: one JSON object on each line."""
    log = pathlib.Path("build", build, "meson-logs", "testlog.json")
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def suite(result):
    """The name of the test's first suite: meson writes "project:suite+suite / test"."""
    return result["name"].split(" / ")[0].split(":")[-1].split("+")[0]


def print_failures(build, tests):
    for test in tests:
        print(f"\n--- {build}: {test['name']}: {test['result']}")
        for stream in "stdout", "stderr":
            print(test.get(stream, "")[-10000:], end="")


def main(builds):
    passed = failed = 0
    table = []
    for build in builds:
        time = pathlib.Path("build", f"{build}.time")
        if not time.exists():
            print(f"\n--- {build}: not built")
            log = pathlib.Path("build", f"{build}.log").read_text()
            print(re.sub(r"(?m)^\[\d+/\d+\] .*\n", "", log)[-10000:])
            table.append(f"{build:<10} not built")
            failed += 1
            continue
        tests = results(build)
        failures = [t for t in tests if t["result"] not in PASSED | {"SKIP"}]
        print_failures(build, failures)
        passed += sum(t["result"] in PASSED for t in tests)
        failed += len(failures)
        table.append(f"{build:<10} {int(time.read_text()):>4} s with the build")
        for name in sorted({suite(t) for t in tests}):
            own = [t for t in tests if suite(t) == name]
            line = f"  {name:<8} {sum(t['duration'] for t in own):>6.1f} s, {len(own)} tests"
            bad = sum(t in failures for t in own)
            skipped = sorted(t["name"].split(" / ")[-1] for t in own if t["result"] == "SKIP")
            if bad:
                line += f", {bad} FAILED"
            if skipped:
                line += ", skipped: " + ", ".join(skipped)
            table.append(line)
    print("\n".join(["", *table]))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
