"""Boots many times in a row on four cores, one host thread each; `make soak` calls it. Every boot makes and pipes processes.

    BOOTS=N     how often (50)
    CMD="..."   what each boot runs instead of the usual; it must exit with 0

The verdict is the last line; the exit status is 1 if a boot hung, panicked or failed. A failing boot's console is kept.
"""
import os
import subprocess
import sys
import time
from pathlib import Path

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
USUAL = "forktest 1 && seq 1 200 | sort -n | wc -l && ls /bin | wc -l && (sleep 1 & wait)"
GUEST_SECONDS = "120"
TIMED_OUT, PANICKED = 124, 255


def number(name: str, usual: int) -> int:
    value = os.environ.get("FORKLORE_" + name) or str(usual)
    if not value.isdigit() or int(value) < 1:
        raise SystemExit(f"{name}={value}: a number from 1 is wanted")
    return int(value)


def boot(command: str, seed: int) -> tuple[int, str]:
    """The status of one run and what it printed. Each boot has a seed of its own, so that it can be tried again."""
    settings = [f"CMD={command}", f"SEED={seed}", "ACCEL=multi", f"TIMEOUT={GUEST_SECONDS}", "ARGS=maxproc=200"]
    done = subprocess.run([sys.executable, str(Path(__file__).with_name("run.py")), *settings], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={k: v for k, v in os.environ.items() if not k.startswith(("FORKLORE_", "MAKE"))}
                          | {"FORKLORE_BUILD": str(BUILD)})
    return done.returncode, done.stdout.decode(errors="replace")


def word(status: int) -> str:
    return {TIMED_OUT: "hung", PANICKED: "panicked"}.get(status, f"failed with status {status}")


def main() -> int:
    boots, command = number("BOOTS", 50), os.environ.get("FORKLORE_CMD") or USUAL
    bad = 0
    longest = 0.0
    start = shown = time.monotonic()
    for count in range(1, boots + 1):
        began = time.monotonic()
        status, said = boot(command, count)
        longest = max(longest, time.monotonic() - began)
        if status:
            bad += 1
            kept = BUILD / "soak" / f"boot-{count}.log"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(said)
            print(f"boot {count} {word(status)}: {kept}", flush=True)
        if time.monotonic() - shown > 2 or count == boots:
            shown = time.monotonic()
            print(f"  {count} of {boots} boots, {bad} bad, {shown - start:.0f} s", flush=True)
    print(f"{boots - bad} good boots, {bad} bad; {(time.monotonic() - start) / boots:.1f} s a boot, {longest:.1f} s the longest")
    return 1 if bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
