#!/bin/sh
# Instructions per frame of every kernel, as lines of the table in docs/performance.md. They repeat exactly on one processor and one
# compiler, however busy the machine is. Needs valgrind. Names of kernels as arguments count those alone.
set -e
cd "$(dirname "$0")/../.."
bench=$(cargo bench -p goldmaster-renderer --bench kernels --no-run 2>&1 | sed -n 's/.*(\(.*kernels-[0-9a-f]*\)).*/\1/p')
counted() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" "$1" "$2" 2>&1 | sed -n 's/.*Collected : //p'
}
if [ $# = 0 ]; then "$bench" list; else printf '%s\n' "$@"; fi | while read -r kernel; do
    # One pass less than three: what is done once, before and after, falls out.
    echo "| $kernel | $((($(counted "$kernel" 3) - $(counted "$kernel" 1)) / (2 * 131072))) |"
done
