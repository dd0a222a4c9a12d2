#!/bin/sh
# Set up .venv in the current directory: system packages, Python packages, first calls of the tools.
# Called by make: setup.sh PYTHON TORCH "APT PACKAGES". Safe to run again.
set -eu
python=$1 torch=$2 packages=$3

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "lutformer needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.13" >&2
    exit 1
}

# Debian's Python has its venv module in a package of its own.
"$python" -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"

installed() { # a program by its name, a library by its package
    case $1 in
    lib* | *-venv) ! command -v dpkg-query >/dev/null || dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed' ;;
    *) command -v "$1" >/dev/null ;;
    esac
}
missing=
for package in $packages; do installed "$package" || missing="$missing $package"; done
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        echo "== Installing system packages:$missing"
        apt-get update -q
        # shellcheck disable=SC2086  # one word a package
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
    else
        echo "System packages are missing. Run this, then make again:" >&2
        echo "  sudo apt-get install -y$missing" >&2
        exit 1
    fi
fi

[ -x .venv/bin/python ] || {
    echo "== Making .venv with $("$python" -V 2>&1)"
    "$python" -m venv .venv
}
echo "== Installing Python packages into .venv: PyTorch, Amaranth, cocotb, Yosys, nextpnr and what they"
echo "   need, 2 GB, more if PyTorch brings CUDA (exact versions: requirements.lock). Takes some minutes."
pip="-m pip -qq --disable-pip-version-check"
# shellcheck disable=SC2086  # several words
{
    .venv/bin/python $pip install 'pip>=25.1'  # the first that knows --group
    .venv/bin/python $pip install -c requirements.lock "$torch"
    .venv/bin/python $pip install -c requirements.lock -e . --group dev
}
echo "== Preparing the place and route tools (WebAssembly, compiled once)"
.venv/bin/python -m lutformer.boards.build.warm
echo "== Ready"
