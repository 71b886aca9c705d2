"""Make `.venv` with the program in it, from a lock with hashes. Run by any Python: it says so where that is too old.

python3 deploy/bootstrap.py LOCK STAMP
"""

import os
import subprocess
import sys

VENV = ".venv"


def fail(words):
    sys.stderr.write("azotte: " + words + "\n")
    raise SystemExit(1)


def run(command, remedy):
    try:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        output = process.communicate()[0].decode("utf-8", "replace")
    except OSError as error:
        fail("%s cannot be run: %s" % (command[0], error))
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
    )
    if any(word in output for word in network):
        fail("the package index cannot be reached: check the network, then run it again")
    lines = [line for line in output.splitlines() if line.strip()]
    fail("%s (%s)" % (remedy, lines[-1].strip() if lines else "it said nothing"))


def usable(python):
    """Whether an environment is there, whole (not one whose making was interrupted) and of a Python that will do."""
    if not os.path.exists(python):
        return False
    asked = [python, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    with open(os.devnull, "w") as nowhere:
        return subprocess.call(asked, stdout=nowhere, stderr=nowhere) == 0


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
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(pip + ["--require-hashes", "--requirement", lock], "the locked packages cannot be installed")
    run(
        pip + ["--no-deps", "--no-build-isolation", "--no-index", "--editable", "."],
        "the program cannot be installed",
    )
    try:
        with open(stamp, "w") as file:
            file.write(lock + "\n")
    except OSError as error:
        fail("%s cannot be written (%s): free some space, then run it again" % (stamp, error.strerror))
    sys.stdout.write("installed: %s\n" % os.path.join(VENV, "bin", "azotte"))


main(sys.argv[1], sys.argv[2])
