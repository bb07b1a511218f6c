#!/bin/sh
# What pip cannot bring: C headers of Python, cmocka for the C tests, in a strict run (CI) a browser and its driver.
# Installs missing Debian packages when it may, otherwise asks for them in one line.
# Usage: tools/prepare.sh PYTHON [tests]
set -eu
python=$1
want=${2:-}
missing=""

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "distlab needs Python 3.11 or newer; $python is $("$python" -V 2>&1). Try: make PYTHON=python3.12 ..." >&2
    exit 2
}
command -v gcc >/dev/null 2>&1 || command -v cc >/dev/null 2>&1 || missing="$missing gcc libc6-dev"
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
"$python" -c 'import os, sysconfig, sys
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))' || missing="$missing python3-dev"
if [ "$want" = tests ]; then
    printf '#include <stdarg.h>\n#include <stddef.h>\n#include <setjmp.h>\n#include <stdint.h>\n#include <cmocka.h>\n' |
        "${CC:-cc}" -E -x c - >/dev/null 2>&1 || missing="$missing libcmocka-dev"
fi
if [ "$want" = tests ] && [ "${DISTLAB_STRICT:-}" = 1 ]; then
    command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
    command -v chromedriver >/dev/null 2>&1 || missing="$missing chromium-driver"
fi
[ -n "$missing" ] || exit 0

run=""
[ "$(id -u)" = 0 ] || run="sudo -n"
if command -v apt-get >/dev/null 2>&1 && { [ -z "$run" ] || $run true 2>/dev/null; }; then
    echo "installing$missing"
    # shellcheck disable=SC2086
    { $run apt-get update -qq &&
        $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >/dev/null && exit 0
    echo "apt-get could not install$missing (its own words are above)" >&2
fi
echo "distlab needs$missing: please run  sudo apt-get install$missing" >&2
exit 2
