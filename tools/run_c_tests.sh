#!/bin/sh
# Runs C tests of one variant. A sanitizer build whose binary holds no sanitizer would pass for nothing, so its
# symbols are looked for first. Usage: tools/run_c_tests.sh VARIANT TEST...
set -eu
variant=$1
shift
case $variant in
asan) symbols="__asan_init __ubsan_handle" ;;
tsan) symbols="__tsan_init" ;;
*) symbols="" ;;
esac
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=exitcode=66
failed=0
for test in "$@"; do
    for symbol in $symbols; do
        nm "$test" | grep -q "$symbol" || { echo "$test: built without $symbol" >&2; exit 1; }
    done
    "$test" >"$test.log" 2>&1 || { failed=1; cat "$test.log"; }
    grep -h 'PASSED\|FAILED' "$test.log" | grep 'tests\?(s)\|test(s)' | sed "s|^|$(basename "$test"): |"
done
exit $failed
