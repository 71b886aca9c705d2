"""Make `.venv` with the program in it, from a lock with hashes. Run by any Python: it says so where that is too old.

python3 deploy/bootstrap.py LOCK STAMP
"""

import os
import re
import shutil
import signal
import subprocess
import sys

VENV = ".venv"
UNFINISHED = os.path.join(VENV, "unfinished")
"""There while packages are unpacked: what was killed in between may lack files that pip believes are there."""
TOLD = 20
STOP_S = 10
ENDINGS = (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))


def fail(words):
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
        sys.stdout.flush()
    sys.stderr.write("azotte: " + words + "\n")
    raise SystemExit(1)


def run(command, remedy, told=None):
    """Run it to its end, `told` each line that it says. It is a session of its own, so that Ctrl-C ends it through us."""
    said = []
    process, told_to_end = start(command)
    try:
        if told_to_end:
            raise KeyboardInterrupt
        for line in process.stdout:
            said.append(line.decode("utf-8", "replace").rstrip())
            if told is not None:
                told(said[-1])
        process.wait()
    except KeyboardInterrupt:
        stop(process)
        raise
    finally:
        process.stdout.close()
    output = "\n".join(said)
    if process.returncode == 0:
        return
    if "No space left" in output:
        fail("the disk is full: free about 1.5 GB here and run it again")
    network = (
        "Temporary failure",
        "Connection",
        "Network is unreachable",
        "Name or service",
        "Max retries",
        "ProxyError",
        "timed out",
    )
    if any(word in output for word in network):
        forget(UNFINISHED)  # Nothing is unpacked before all is fetched.
        fail("the package index cannot be reached: check the network, then run it again")
    lines = [line for line in output.splitlines() if line.strip()]
    fail("%s (%s)" % (remedy, lines[-1].strip() if lines else "it said nothing"))


def start(command):
    """The process, and whether we were told to end meanwhile: until it is known, nothing could end it."""
    came = []
    kept = [(number, signal.signal(number, lambda *_: came.append(True))) for number in ENDINGS]
    try:
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        fail("%s cannot be run: %s" % (command[0], error))
    finally:
        for number, handler in kept:
            signal.signal(number, handler)
    return process, bool(came)


def stop(process):
    """End it and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_S)
        except (OSError, subprocess.TimeoutExpired):
            continue


def forget(path):
    if os.path.exists(path):
        os.remove(path)


def progress(lock):
    """What tells pip's lines to people: in a terminal which package, elsewhere a line now and then."""
    with open(lock) as file:
        of = sum("==" in line for line in file)
    terminal = sys.stdout.isatty()
    state = {"count": 0, "name": ""}

    def show(words, whole):
        if terminal:
            width = max(20, shutil.get_terminal_size().columns - 1)
            sys.stdout.write("\r\033[K" + words[:width])
        elif whole:
            sys.stdout.write(words + "\n")
        sys.stdout.flush()

    def told(line):
        word, _, rest = line.strip().partition(" ")
        if word in ("Collecting", "Ignoring", "Requirement"):
            state["count"] += 1
            state["name"] = rest.split(" (from")[0] if word == "Collecting" else ""
        size = re.search(r"\([\d.]+ [kMG]B\)$", line) if word in ("Downloading", "Using") else None
        words = "  %d of %d packages" % (state["count"], of)
        if line.startswith("Installing collected"):
            show("  unpacking ...", True)
        elif line.startswith("Successfully") and terminal:
            show("", False)
        elif word in ("Collecting", "Ignoring", "Requirement") or size:
            name = "  " + state["name"] if state["name"] else ""
            often = state["count"] % TOLD == 0 and not size
            show(words + (name + (" " + size.group(0) if size else "") if terminal else ""), often)

    return told


def usable(python):
    """Whether an environment is there, whole (not one whose making was interrupted) and of a Python that will do."""
    if not os.path.exists(python) or os.path.exists(UNFINISHED):
        return False
    asked = [python, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    with open(os.devnull, "w") as nowhere:
        return subprocess.call(asked, stdout=nowhere, stderr=nowhere) == 0


def write(path, words):
    try:
        with open(path, "w") as file:
            file.write(words + "\n")
    except OSError as error:
        fail("%s cannot be written (%s): free some space, then run it again" % (path, error.strerror))


def main(lock, stamp):
    if sys.version_info < (3, 11):
        fail(
            "Python 3.11 or newer is needed, this is %d.%d: install one, or name it with make PYTHON=python3.11"
            % sys.version_info[:2]
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail("this Python has no venv or ensurepip: install it (on Debian: apt-get install python3-venv)")
    python = os.path.join(VENV, "bin", "python")
    if not usable(python):
        sys.stdout.write("making %s\n" % VENV)
        sys.stdout.flush()
        run(
            [sys.executable, "-m", "venv", "--clear", VENV],
            "a virtual environment cannot be made here: install python3-venv",
        )
    sys.stdout.write("installing from %s (the first time about 400 MB are fetched) ...\n" % lock)
    sys.stdout.flush()
    write(UNFINISHED, lock)
    pip = [python, "-m", "pip", "install", "--disable-pip-version-check", "--progress-bar", "off"]
    run(
        pip + ["--require-hashes", "--requirement", lock],
        "the locked packages cannot be installed",
        progress(lock),
    )
    run(
        pip + ["--no-deps", "--no-build-isolation", "--no-index", "--editable", "."],
        "the program cannot be installed",
    )
    forget(UNFINISHED)
    write(stamp, lock)
    sys.stdout.write("installed: %s\n" % os.path.join(VENV, "bin", "azotte"))


for ending in ENDINGS[1:]:
    signal.signal(ending, signal.default_int_handler)
try:
    main(sys.argv[1], sys.argv[2])
except KeyboardInterrupt:
    fail("interrupted: nothing goes on in the background, and the next run begins anew")
