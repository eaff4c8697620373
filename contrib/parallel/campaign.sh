#!/usr/bin/env bash
# Spreads a campaign over the cores of a machine, or over several with GNU parallel's --sshlogin, and merges it.
#
#   SHARDS=16 OUT=campaign contrib/parallel/campaign.sh scenarios --seeds 1..1001
#   PARALLEL='--sshlogin 8/one,8/two --return {} --cleanup' OUT=campaign contrib/parallel/campaign.sh …
#
# A shard that was lost (exit code above 128: killed, or its machine is gone) or could not write its record (74) is tried
# twice more; one that would end in the same way again (2, 5, 70) is not. The exit code is that of the merge.
set -euo pipefail
: "${SHARDS:=16}" "${OUT:?a folder for the shards and the report}"
windtunnel=${WINDTUNNEL:-windtunnel}
mkdir -p "$OUT"
shard() {
  local k=$1 code
  shift
  for _ in 1 2 3; do
    code=0
    "$windtunnel" test "$@" --shard "slice:$k/$SHARDS" --defer-verdict --jobs 1 --quiet --out "$OUT/shards/$k" || code=$?
    [ "$code" -gt 128 ] || [ "$code" -eq 74 ] || return "$code"
  done
  return "$code"
}
export -f shard
export OUT SHARDS windtunnel
# A failed shard is not the end: the merge says which one is missing.
seq "$SHARDS" | parallel --halt never shard {} "$@" || echo "$? shards failed" >&2
exec "$windtunnel" report merge "$OUT/shards" --out "$OUT/reports"
