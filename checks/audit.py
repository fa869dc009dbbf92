"""Known vulnerabilities of every package in the locks, where a database of them can be reached.

    python checks/audit.py

Asks OSV or PyPI through pip-audit.  Either is believed only if it knows an old fault of an old package: a mirror
without the database would find everything sound.  Where neither is, it says why, checks nothing and ends with 0; with 1
if anything is found.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import requests

ROOT = Path(__file__).parents[1]
OLD = ("jinja2", "2.4.1")  # CVE-2014-0012 and others
TIMEOUT_S = 20


def main() -> int:
    """Ask the first database that answers."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    reasons = []
    for service, ask in (("osv", ask_osv), ("pypi", ask_pypi)):
        try:
            known = ask()
        except (requests.RequestException, ValueError) as error:
            reasons.append(f"{service}: {type(error).__name__}: {error}"[:200])
            continue
        if known:
            return audit(service)
        reasons.append(f"{service}: knows nothing of {' '.join(OLD)}, which is vulnerable")
    print("vulnerabilities: SKIPPED, no database can be asked here: " + "; ".join(reasons))
    return 0


def ask_osv() -> list[object]:
    """What OSV knows of the old package."""
    question = {"package": {"name": OLD[0], "ecosystem": "PyPI"}, "version": OLD[1]}
    answer = requests.post("https://api.osv.dev/v1/query", json=question, timeout=TIMEOUT_S)
    answer.raise_for_status()
    return list(answer.json().get("vulns", []))


def ask_pypi() -> list[object]:
    """What PyPI knows of it."""
    answer = requests.get(f"https://pypi.org/pypi/{OLD[0]}/{OLD[1]}/json", timeout=TIMEOUT_S)
    answer.raise_for_status()
    return list(answer.json().get("vulnerabilities", []))


def audit(service: str) -> int:
    """Look up every package of the largest lock, which holds those of all others."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--disable-pip"]
    lock = ["--require-hashes", "--requirement", str(ROOT / "locks" / "everything.txt")]
    return subprocess.run([*command, *lock], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
