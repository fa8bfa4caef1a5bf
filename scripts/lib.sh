# Sourced by the scripts beside it: the project's own virtual environment, and Debian's packages where we may.
# shellcheck shell=bash

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"
python="$venv/bin/python"

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

# Whether Debian's packages can be installed here without asking anybody.
may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# Install Debian packages quietly. No service starts: policy-rc.d forbids it meanwhile, and is put back on every way out.
install_packages() (
    say "installing Debian's $*"
    work=$(mktemp -d)
    policy=/usr/sbin/policy-rc.d
    if [ -e "$policy" ]; then cp -p "$policy" "$work/policy"; fi
    restore() {
        if [ -e "$work/policy" ]; then cp -p "$work/policy" "$policy"; else rm -f "$policy"; fi
        rm -rf "$work"
    }
    trap restore EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    export DEBIAN_FRONTEND=noninteractive
    if ! {
        apt-get update -qq &&
            apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
    } </dev/null >"$work/log" 2>&1; then
        tail -n 20 "$work/log" >&2
        exit 1
    fi
)

# The first Python of at least 3.11.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    die "Python 3.11 or later is needed, and none was found"
}

# prepare NAME PIP-ARGUMENT...: the package and what it needs in .venv. A stamp says that this was done already.
prepare() {
    local name=$1 base stamp
    shift
    base=$(find_python)
    if ! "$base" -c 'import ensurepip, venv' 2>/dev/null; then
        if may_install; then install_packages python3-venv || true; fi
        "$base" -c 'import ensurepip, venv' 2>/dev/null ||
            die "Python's venv module is missing (on Debian: apt-get install python3-venv)"
    fi
    stamp=$("$base" -c 'import hashlib, sys
key = hashlib.sha256(open("pyproject.toml", "rb").read() + repr((sys.version, sys.argv)).encode())
print(key.hexdigest())' "$root" "$@")
    if [ "$(cat "$venv/.stamp-$name" 2>/dev/null)" = "$stamp" ] && "$python" -c '' 2>/dev/null; then return; fi
    say "preparing $venv"
    if ! "$python" -m pip --version >/dev/null 2>&1; then "$base" -m venv --clear "$venv"; fi
    "$python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'  # the first with --group
    "$python" -m pip install --quiet --disable-pip-version-check "$@"
    printf '%s\n' "$stamp" >"$venv/.stamp-$name"
}

# DCMTK's, that is: pynetdicom brings a program of the same name.
has_storescp() {
    local program
    for program in $(type -aP storescp); do
        case "$("$program" --version 2>/dev/null)" in '$dcmtk:'*) return 0 ;; esac
    done
    return 1
}
has_browser() { command -v chromium >/dev/null && command -v chromedriver >/dev/null; }
has_orthanc() { command -v Orthanc >/dev/null || [ -x /usr/sbin/Orthanc ]; }

# The programs that show what is made from the table of options, and run what the pages tell to type. Debian's names are
# those of the packages.
prepare_programs() {
    local program packages=() missing=()
    local -A package=([man]=man-db [zsh]=zsh [fish]=fish [curl]=curl [flock]=util-linux)
    for program in "${!package[@]}"; do
        command -v "$program" >/dev/null || packages+=("${package[$program]}")
    done
    if [ "${#packages[@]}" -gt 0 ] && may_install; then install_packages "${packages[@]}" || true; fi
    for program in "${!package[@]}"; do command -v "$program" >/dev/null || missing+=("$program"); done
    [ "${#missing[@]}" = 0 ] || say "NOTICE: not installed: ${missing[*]}; the tests that need them are skipped"
}

# The servers that tests send to, and a browser: installed where we may, else told. The tests themselves skip, or fail with CI=true.
prepare_servers() {
    local packages=()
    has_storescp || packages+=(dcmtk)
    has_orthanc || packages+=(orthanc)
    command -v openssl >/dev/null || packages+=(openssl)
    has_browser || packages+=(chromium chromium-driver)
    if [ "${#packages[@]}" -gt 0 ] && may_install; then install_packages "${packages[@]}" || true; fi
    has_storescp || say "NOTICE: DCMTK is not installed; the tests that need it are skipped (on Debian: apt-get install dcmtk)"
    has_browser || say "NOTICE: Chromium is not installed; the tests that need it are skipped (on Debian: apt-get install chromium chromium-driver)"
    command -v openssl >/dev/null || say "NOTICE: openssl is not installed; the tests that need it are skipped"
    has_orthanc || say "NOTICE: Orthanc is not installed; the tests that need it are skipped (on Debian: apt-get install orthanc)"
}

cd "$root"
