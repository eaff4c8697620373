#!/usr/bin/env bash
# Spreads a campaign over a Slurm cluster: a job array of shards, and a merge that depends on it.
#
#   SHARDS=16 OUT=/shared/campaign SCENARIOS=scenarios SEEDS=1..1001 contrib/slurm/submit.sh
#
# OUT is a folder that all nodes see. More options for sbatch (a partition, a time limit) go to both jobs:
#   contrib/slurm/submit.sh --partition=short --time=30
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${SHARDS:=16}" "${OUT:?a folder that all nodes see}"
export OUT SCENARIOS SEEDS WINDTUNNEL
mkdir -p "$OUT"
array=$(sbatch --parsable --array="1-$SHARDS" --output="$OUT/shard-%a.log" "$@" "$here/shard.sbatch")
merge=$(sbatch --parsable --dependency="afterany:${array%%;*}" --output="$OUT/merge.log" "$@" "$here/merge.sbatch")
echo "array ${array%%;*}, merge ${merge%%;*}: the report will be in $OUT/reports"
