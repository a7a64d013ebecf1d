#!/bin/sh
# Names every missing system package at once, before anything is installed.
# Usage: check_prerequisites.sh PYTHON [tests]     "tests": what the tests need besides.
python=${1:-python3}
purpose=${2:-}
missing=""

if ! command -v "$python" >/dev/null 2>&1; then
    missing="$missing python3"
elif ! "$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; then
    echo "Tickwire needs Python 3.11 to 3.13; $python is $("$python" --version 2>&1)." >&2
    echo "Name another one: make PYTHON=python3.12 ..." >&2
    exit 3
else
    "$python" -c 'import venv, ensurepip' 2>/dev/null || missing="$missing python3-venv"
    "$python" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' || missing="$missing libpython3-dev"
fi
command -v g++ >/dev/null 2>&1 || missing="$missing g++"
command -v perl >/dev/null 2>&1 || missing="$missing perl"
command -v git >/dev/null 2>&1 || missing="$missing git"
if command -v g++ >/dev/null 2>&1; then
    echo '#include <zlib.h>' | g++ -E -x c++ - >/dev/null 2>&1 || missing="$missing zlib1g-dev"
fi

if [ "$purpose" = tests ] && ! command -v initdb >/dev/null 2>&1; then
    found=""
    for program in /usr/lib/postgresql/*/bin/initdb; do
        [ -x "$program" ] && found=yes
    done
    [ -n "$found" ] || missing="$missing postgresql"
fi

if [ -n "$missing" ]; then
    echo "Missing system packages:$missing" >&2
    echo "On Debian or Ubuntu: apt-get install$missing" >&2
    exit 3
fi
